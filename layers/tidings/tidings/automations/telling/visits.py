"""Visits from links in mails, and what followed them: which message led to an event that does not say so itself.

Ingest reads nothing: it believes the message that the address of a page names. Whether there is such a message in the
workspace is found out here, in the batched read that is made anyway. A message of somebody else in the workspace counts
too, since mails are forwarded; nobody is merged for it.

All of it comes out the same in any order. An event learns of its visit when it is reacted to, from the contact; and a
visit, once the contact has it, looks for what was received since and was reacted to before. Of two visits the later one
before an event has led to it, whichever came first; and every write may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tidings.activity.chain import Node, NodeKind
from tidings.activity.model import SYSTEM, Event
from tidings.activity.store import DynamoEventStore
from tidings.contacts.model import Contact, Visit
from tidings.contacts.visits import VISIT, followed
from tidings.core.clock import to_text
from tidings.core.ids import contact_of_message, is_message_id
from tidings.core.store import Key
from tidings.messages.store import DynamoMessageStore

# What is told later than this after a newer visit is not looked into: it is history that somebody imports. Nor is what
# followed a visit that is told so late: a browser may name any time, and would have all that ever was told read again.
LATE = timedelta(days=1)

# Where messages are, and what began the chain of each: those that exist.
Roots = Mapping[tuple[str, str], Node]


@dataclass(frozen=True, slots=True)
class Traced:
    """An event as it came, and with what is known of its cause; `visit` if it followed one."""

    came: Event
    event: Event
    visit: Visit | None = None

    @property
    def is_visit(self) -> Visit | None:
        """The visit that the event itself is."""
        return None if self.visit is not None else _visit_of(self.event)


class Visits:
    """Finds out which messages led to events."""

    def __init__(self, events: DynamoEventStore, messages: DynamoMessageStore) -> None:
        self._events = events
        self._messages = messages

    def keys(self, events: Iterable[Event]) -> dict[Key, tuple[str, str]]:
        """Where the messages stand that events name, for a batched read; nobody's are not asked for."""
        named = {(event.workspace, message) for event in events if (message := _named(event))}
        return {self._messages.key(place[0], contact_of_message(place[1]), place[1]): place for place in sorted(named)}

    def roots(self, keys: Mapping[Key, tuple[str, str]], found: Mapping[Key, Any]) -> Roots:
        """What began the chain of each message that was found."""
        return {place: self._messages.entity(found[key]).began_by for key, place in keys.items() if key in found}

    def trace(self, events: Sequence[Event], roots: Roots, contact: Contact | None) -> list[Traced]:
        """Events of a contact with their causes. One query for each identity if one was told after a later visit."""
        traced = [Traced(event, _verified(event, roots)) for event in events]
        if contact is None:
            return traced
        visits = [visit for one in traced if (visit := one.is_visit)] + [v for v in (contact.visit,) if v]
        free = [one.event for one in traced if _takes_a_cause(one.event)]
        visits += self._earlier(contact, [event.timestamp for event in free])
        return [_following(one, visits) for one in traced]

    def keep(self, contact: Contact, traced: Sequence[Traced]) -> None:
        """Write down what events turned out to follow, and look for what followed the visits among them.

        One write for each event that is a visit or follows one; for visits, one query more for each identity. The
        contact must have been stored with its visit before: else who reacts to an event meanwhile would miss it.
        """
        for one in traced:
            self._write(one)
        soon = [one for one in traced if one.event.received_at - one.event.timestamp <= LATE]
        visits = [visit for one in soon if (visit := one.is_visit)]
        if visits:
            self._look_forward(contact, visits, {one.event.node for one in traced})

    def _write(self, one: Traced) -> None:
        came, event = one.came, one.event
        if came.cause is not None and came.cause != event.cause:
            self._events.forget_cause(came)
        if one.visit is not None:
            self._follow(came, one.visit)
        elif event.root is not None and event.root != came.root:
            self._events.find_root(came, event.root)

    def _follow(self, event: Event, visit: Visit) -> None:
        order = f"{to_text(visit.at)}#{visit.message}"
        self._events.follow(event, Node.parse(visit.message), Node.parse(visit.root), order)

    def _earlier(self, contact: Contact, instants: Sequence[datetime]) -> list[Visit]:
        """Visits before the latest, which is all that the contact keeps, that may have led to what happened then."""
        latest = contact.visit
        late = [at for at in instants if latest is not None and at < latest.at <= at + LATE]
        if not late:
            return []
        earliest = min(late)
        since = earliest - VISIT if earliest - datetime.min.replace(tzinfo=UTC) > VISIT else earliest
        found = (self._events.visits_since(contact.workspace, i, since) for i in contact.event_identities)
        return [visit for events in found for event in events if (visit := _visit_of(event))]

    def _look_forward(self, contact: Contact, visits: Sequence[Visit], told: set[Node]) -> None:
        since = min(visit.at for visit in visits)
        for identity in contact.event_identities:
            for event in self._events.told_since(contact.workspace, identity, since):
                visit = followed(visits, event.timestamp)
                if visit is not None and event.node not in told and str(event.cause) != visit.message:
                    self._follow(event, visit)


def _visit_of(event: Event) -> Visit | None:
    """What the person did on a page that a link of a message opened, as a visit."""
    if event.type == SYSTEM or event.root is None or event.cause is None or event.cause.kind is not NodeKind.MESSAGE:
        return None
    return Visit(str(event.cause), str(event.root), event.timestamp)


def is_visit(event: Event, roots: Roots) -> bool:
    """Whether an event, as it came, is a visit from a message that exists."""
    return (event.workspace, _named(event)) in roots


def _named(event: Event) -> str:
    """The id of the message that somebody outside says has led to an event; empty if it can be none."""
    if event.type == SYSTEM or event.cause is None or event.cause.kind is not NodeKind.MESSAGE:
        return ""
    return event.cause.parts[0] if is_message_id(event.cause.parts[0]) else ""


def _verified(event: Event, roots: Roots) -> Event:
    """The event with what began its chain; without its cause if that is a message of nobody, or not of here."""
    if event.type == SYSTEM or event.cause is None or event.cause.kind is not NodeKind.MESSAGE:
        return event
    root = roots.get((event.workspace, _named(event)))
    return replace(event, cause=None) if root is None else replace(event, root=root)


def _takes_a_cause(event: Event) -> bool:
    return event.type != SYSTEM and event.cause is None


def _following(one: Traced, visits: Sequence[Visit]) -> Traced:
    visit = followed(visits, one.event.timestamp) if _takes_a_cause(one.event) else None
    if visit is None:
        return one
    event = replace(one.event, cause=Node.parse(visit.message), root=Node.parse(visit.root))
    return replace(one, event=event, visit=visit)
