"""Showing what happened: a contact's history over all its identities."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tidings.activity.model import Event
from tidings.contacts.model import Contact, Identity
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput


class EventReader(Protocol):
    """Where events are read."""

    def latest(self, workspace: str, identity: Identity, before: datetime | None, limit: int) -> Iterator[Event]: ...
    def named_since(self, workspace: str, identity: Identity, name: str, since: datetime | None) -> Iterator[Event]: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, latest first, and the cursor of the next page; empty at the end."""

    events: list[Event]
    cursor: str


class TimelineService:
    """A contact's history: the union over its identities, which no merge has to move."""

    def __init__(self, events: EventReader) -> None:
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
