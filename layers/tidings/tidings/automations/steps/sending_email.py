"""The component `send_email`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.automations.components import SendEmail
from tidings.automations.steps.sending import SendTask
from tidings.email.model import MailOrder

# RFC 3834: whoever answers by itself answers no such mail, so that two machines do not write to each other for ever.
AUTOMATIC: Mapping[str, str] = {"Auto-Submitted": "auto-generated"}


class SendEmailTask(SendTask[SendEmail, MailOrder]):
    """Sends a component's e-mail."""

    component = SendEmail

    def order(self, component: SendEmail, told: Mapping[str, Any]) -> MailOrder:
        """A mail that says of itself that no person wrote it."""
        return MailOrder(**told, headers=AUTOMATIC)
