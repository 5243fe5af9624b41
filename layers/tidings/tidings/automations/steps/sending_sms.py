"""The component `send_sms`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.automations.components import SendSms
from tidings.automations.steps.sending import SendTask
from tidings.sms.model import SmsOrder


class SendSmsTask(SendTask[SendSms, SmsOrder]):
    """Sends a component's text message."""

    component = SendSms

    def order(self, component: SendSms, told: Mapping[str, Any]) -> SmsOrder:
        """A text message, with what the component says of its sender, its characters and its price."""
        return SmsOrder(
            **told,
            sender=component.sender or "",
            two_way=component.two_way,
            gsm7=component.gsm7,
            max_price=component.max_price or "",
            lifetime=component.lifetime or 0,
        )
