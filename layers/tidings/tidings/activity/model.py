"""What an event is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidings.activity.chain import Node
from tidings.contacts.model import Identity, IdentityKind

COMPANY_CALLS = frozenset({"group", "ungroup"})
FORM = "form"
SYSTEM = "system"  # the type of what was not told to us but done here, or told by a provider

Place = tuple[datetime, str, str]  # when an event was received, under which identity, and its message id


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, kept under the identity that reported it and never changed.

    `timestamp` is the corrected time, by our clock, `clamped` if it would have lain in the future; `original_timestamp`
    and `sent_at` are the client's. `cause` is what led to it and `root` what began the chain. `publishable` events were
    reported with a key that anybody can read in a browser.
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
    group_id: str = ""
    previous_id: str = ""
    publishable: bool = False
    clamped: bool = False
    cause: Node | None = None
    root: Node | None = None

    @property
    def place(self) -> Place:
        """Where the event stands among others: in the order in which they were received."""
        return (self.received_at, str(self.identity), self.message_id)

    @property
    def node(self) -> Node:
        """The event as a node of a chain of causes."""
        return Node.event(str(self.identity), self.message_id)

    @property
    def contact_traits(self) -> Mapping[str, Any]:
        """What the event says of the person; the traits of a group call are the company's."""
        return {} if self.type in COMPANY_CALLS else self.traits

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
            "clamped": self.clamped,
            "group_id": self.group_id,
            "previous_id": self.previous_id,
            "properties": dict(self.properties),
            "traits": dict(self.traits),
            "context": dict(self.context),
            "node": str(self.node),
            "cause": None if self.cause is None else str(self.cause),
            "root": str(self.root or self.cause or self.node),
        }
