"""The component `send_email`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.automations.model import SendEmail
from tidings.automations.sending import SendTask
from tidings.email.model import MailOrder


class SendEmailTask(SendTask[SendEmail, MailOrder]):
    """Sends a component's e-mail."""

    component = SendEmail

    def order(self, component: SendEmail, told: Mapping[str, Any]) -> MailOrder:
        """A mail: nothing but what any message has."""
        return MailOrder(**told)
