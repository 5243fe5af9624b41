"""What a message of an automation was rendered with, for sending it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.messages.model import Message


class TriggerProperties:
    """Finds the properties of the event that began an enrolment.

    They are kept beside the enrolment and not with each of its messages, which costs those nothing. They are there as
    long as the enrolment is.
    """

    def __init__(self, enrolments: DynamoEnrolmentStore) -> None:
        self._enrolments = enrolments

    def of(self, message: Message) -> Mapping[str, Any]:
        """The properties of the event that led to a message: one read; empty for one of no automation."""
        if "entry" not in message.cause:
            return {}
        cause = message.cause
        return self._enrolments.entered_with(message.workspace, message.contact, cause["automation"], cause["entry"])
