"""What an event is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidings.contacts.model import Identity, IdentityKind


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, kept under the identity that reported it and never changed.

    `timestamp` is the corrected time, by our clock; `original_timestamp` and `sent_at` are the client's. `cause` names
    what led to it: a message, an enrolment, an event.
    """

    workspace: str
    identity: Identity
    message_id: str
    type: str
    name: str
    received_at: datetime
    timestamp: datetime
    user_id: str = ""
    anonymous_id: str = ""
    original_timestamp: datetime | None = None
    sent_at: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    cause: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> Identity | None:
        """The user id as an identity."""
        return Identity(IdentityKind.USER, self.user_id) if self.user_id else None

    @property
    def anonymous(self) -> Identity | None:
        """The anonymous id as an identity."""
        return Identity(IdentityKind.ANONYMOUS, self.anonymous_id) if self.anonymous_id else None

    @property
    def contact(self) -> str:
        """The contact, where the event names one instead of an identity from outside."""
        return self.identity.value if self.identity.kind is IdentityKind.CONTACT else ""

    def as_dict(self) -> dict[str, Any]:
        """The event as the API shows it."""
        return {
            "message_id": self.message_id,
            "type": self.type,
            "event": self.name,
            "identity": {"kind": self.identity.kind.value, "value": self.identity.value},
            "timestamp": self.timestamp,
            "original_timestamp": self.original_timestamp,
            "sent_at": self.sent_at,
            "received_at": self.received_at,
            "properties": dict(self.properties),
            "traits": dict(self.traits),
            "context": dict(self.context),
            "cause": dict(self.cause),
        }
