"""Taking calls in, and showing what happened."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from tidings.activity.model import Event
from tidings.activity.rules import BATCH_MESSAGES, check_context, check_size, read_call, to_event
from tidings.contacts.model import Contact, Identity
from tidings.core.clock import Clock, from_text, to_text
from tidings.core.errors import InvalidInput


class EventStore(Protocol):
    """Where events are kept."""

    def add(self, event: Event) -> bool: ...
    def add_all(self, events: Sequence[Event]) -> int: ...
    def latest(self, workspace: str, identity: Identity, before: datetime | None, limit: int) -> Iterator[Event]: ...
    def named_since(self, workspace: str, identity: Identity, name: str, since: datetime | None) -> Iterator[Event]: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """An item of a batch that was not taken, and why."""

    index: int
    error: InvalidInput

    def as_dict(self) -> dict[str, Any]:
        """The refusal as the answer lists it."""
        return {"index": self.index, **self.error.as_dict()}


class IngestService:
    """One write and no reads for each call."""

    def __init__(self, events: EventStore, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    def take(self, workspace: str, kind: str, message: Mapping[str, Any]) -> None:
        """Store one call of the given type. Raises InvalidInput, Throttled or Unavailable; a duplicate is a success."""
        now = self._clock.now()
        check_size(message)
        self._events.add(to_event(workspace, read_call({**message, "type": kind}), now))

    def take_batch(self, workspace: str, body: Mapping[str, Any]) -> list[Refused]:
        """Store the good items of a batch; those refused, with their reasons.

        Raises InvalidInput if the batch itself is wrong, and then stores nothing.
        """
        now = self._clock.now()
        items = body.get("batch")
        if not isinstance(items, list):
            raise InvalidInput("invalid_type", "batch is a list of messages.", "batch")
        if len(items) > BATCH_MESSAGES:
            raise InvalidInput("batch_too_long", f"A batch has at most {BATCH_MESSAGES} messages.", "batch")
        shared = _shared(body)
        events: dict[tuple[str, str], Event] = {}
        refused = []
        for index, item in enumerate(items):
            # A microsecond apart, so that order within the batch is order in time.
            received_at = now + timedelta(microseconds=index)
            try:
                event = _batch_event(workspace, item, shared, received_at)
            except InvalidInput as error:
                refused.append(Refused(index, error))
                continue
            events.setdefault((str(event.identity), event.message_id), event)
        self._events.add_all(list(events.values()))
        return refused


def _shared(body: Mapping[str, Any]) -> dict[str, Any]:
    context = body.get("context")
    if context is not None and not isinstance(context, dict):
        raise InvalidInput("invalid_type", "context is an object.", "context")
    check_context(context or {})
    return {"context": context or {}, "sentAt": body.get("sentAt")}


def _batch_event(workspace: str, item: Any, shared: Mapping[str, Any], received_at: datetime) -> Event:
    if not isinstance(item, dict):
        raise InvalidInput("invalid_type", "A message is an object.", "batch")
    check_size(item)  # its own size counts, not what the batch adds
    context = item.get("context")
    if context is None or isinstance(context, dict):
        context = {**shared["context"], **(context or {})}
    sent_at = item.get("sentAt") or shared["sentAt"]
    return to_event(workspace, read_call({**item, "context": context, "sentAt": sent_at}), received_at)


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, latest first, and the cursor of the next page; empty at the end."""

    events: list[Event]
    cursor: str


class TimelineService:
    """A contact's history: the union over its identities, which no merge has to move."""

    def __init__(self, events: EventStore) -> None:
        self._events = events

    def page(self, contact: Contact, limit: int, cursor: str = "") -> Page:
        """Up to `limit` events, latest first: one query for each identity. Raises InvalidInput for a bad cursor."""
        last = _read_cursor(cursor)
        before = last[0] if last else None
        found: list[Event] = []
        for identity in contact.event_identities:
            events = self._events.latest(contact.workspace, identity, before, limit + 3)
            found += _first(events, last, limit + 1)
        found.sort(key=_place, reverse=True)
        page = found[:limit]
        return Page(page, _cursor(page[-1]) if len(found) > limit else "")

    def named_since(self, contact: Contact, name: str, since: datetime | None) -> list[Event]:
        """A contact's events of a name received at an instant or later, in order."""
        found: dict[str, Event] = {}
        for identity in contact.event_identities:
            for event in self._events.named_since(contact.workspace, identity, name, since):
                # A message that came under two ids of the contact happened once, when it first came.
                known = found.setdefault(event.message_id, event)
                found[event.message_id] = min(known, event, key=_place)
        return sorted(found.values(), key=_place)


Place = tuple[datetime, str, str]


def _place(event: Event) -> Place:
    return (event.received_at, str(event.identity), event.message_id)


def _first(events: Iterator[Event], last: Place | None, count: int) -> list[Event]:
    """The first events beyond the last place, `count` or more: those of one instant are all taken.

    The database has no order of ours for them, so a part of them would not be the first part.
    """
    found: list[Event] = []
    for event in events:
        if len(found) >= count and event.received_at < found[-1].received_at:
            break
        if last is None or _place(event) < last:
            found.append(event)
    return found


def _cursor(event: Event) -> str:
    text = json.dumps([to_text(event.received_at), str(event.identity), event.message_id])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str) -> Place | None:
    if not cursor:
        return None
    try:
        at, identity, message_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return (from_text(at), str(identity), str(message_id))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("invalid_cursor", "This cursor was not made here.", "cursor") from error
