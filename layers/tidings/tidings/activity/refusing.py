"""Keeping what was refused of an event, where the person is looked up whom it was about."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.activity.model import SYSTEM, Event
from tidings.activity.store import DynamoEventStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.rules import Refusal
from tidings.core.ids import digest


class Refusals:
    """Keeps refusals as events."""

    def __init__(self, events: DynamoEventStore) -> None:
        self._events = events

    def keep(self, event: Event, contact: str, refused: Sequence[Refusal]) -> None:
        """Keep what was refused on the timeline of a contact; repeated, it is the same event. A write for each."""
        for refusal in refused:
            self._events.add(
                Event(
                    workspace=event.workspace,
                    identity=Identity(IdentityKind.CONTACT, contact),
                    message_id=digest("refused", str(event.node), refusal.code, refusal.field),
                    type=SYSTEM,
                    name="Change Refused",
                    received_at=event.received_at,
                    timestamp=event.timestamp,
                    properties={"code": refusal.code, "field": refusal.field},
                    cause=event.node,
                    root=event.root or event.node,
                )
            )
