"""What goes with the provider's acceptance of a text message, whoever learns of it: its answer, or its first event."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tidings.activity.model import Event
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock
from tidings.core.ids import digest
from tidings.core.store import Part
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.model import Message

SENT = "SMS Sent"


class EventParts(Protocol):
    """Where events go as part of a transaction."""

    def part(self, event: Event) -> Part: ...


class Acceptance:
    """Writes the pointer by which an answer finds its message, and the timeline's event `SMS Sent`."""

    def __init__(self, answered: DynamoAnsweredStore, events: EventParts, clock: Clock) -> None:
        self._answered = answered
        self._events = events
        self._clock = clock

    def parts(self, message: Message, at: datetime) -> list[Part]:
        """Both writes, of a message that the provider took at an instant; written again they are the same.

        The message has its `provider_id`.
        """
        told = sent_event(message, at, self._clock.now())
        return [self._answered.part(message, at), self._events.part(told)]


def sent_event(message: Message, at: datetime, now: datetime) -> Event:
    """The timeline's event of a text message that the provider took; one for each time that it took it."""
    transport = {name: message.transport[name] for name in ("sender", "parts") if name in message.transport}
    return Event(
        workspace=message.workspace,
        identity=Identity(IdentityKind.CONTACT, message.contact),
        message_id=digest(message.id, "sms sent", message.provider_id),
        type="system",
        name=SENT,
        received_at=now,
        timestamp=at,
        properties={"message": message.id, **transport},
        cause=message.node,
        root=message.began_by,
    )
