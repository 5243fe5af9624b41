"""Showing what happened: a contact's history over all its identities."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tidings.activity.model import Event, Place
from tidings.activity.own_events import is_pretended
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core import cursors
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput

# How often one request goes on reading where a filter lets little through.
ROUNDS = 5
# How many events a query looks at, at least; and where a filter may let few of them through.
AT_LEAST = 20
FILTERED = 200

LAST = "\U0010ffff"  # sorts after every identity


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events are meant: of some types, of a name, about messages of a channel; received from `since` until
    before `until`. What is empty lets all through.

    What is about a channel's messages begins with `about`, and of conversations what says that it was on `channel`.
    """

    types: tuple[str, ...] = ()
    name: str = ""
    about: str = ""
    channel: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filters(self) -> bool:
        """Whether events are read that are not shown."""
        return bool(self.types or self.name or self.about)

    @property
    def scope(self) -> tuple[str, ...]:
        """What a cursor is bound to."""
        times = (to_text(at) if at else "" for at in (self.since, self.until))
        return ("timeline", ",".join(self.types), self.name, self.about, *times)


EVERYTHING = Asked()
# How the names of events about conversations begin; which channel each was on stands in its properties.
CONVERSATIONS = "Conversation "


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one query found of an identity's events, latest first, and down to when it looked; None for to the end."""

    events: list[Event]
    until: datetime | None


Copy = tuple[Identity, str]  # where a message may stand a second time: an identity and the message id


class EventReader(Protocol):
    """Where events are read."""

    def latest(
        self, workspace: str, identity: Identity, before: datetime | None, asked: Asked, size: int
    ) -> Iterator[Stretch]: ...
    def named_since(
        self, workspace: str, identity: Identity, since: datetime | None, *names: str
    ) -> Iterator[Event]: ...
    def received(self, workspace: str, copies: Collection[Copy]) -> dict[Copy, datetime]: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, latest first, and the cursor of the next page; empty at the end."""

    events: list[Event]
    cursor: str


class TimelineService:
    """A contact's history: the union over its identities, which no merge has to move."""

    def __init__(self, events: EventReader) -> None:
        self._events = events

    def page(self, contact: Contact, limit: int, cursor: str = "", asked: Asked = EVERYTHING, name: str = "") -> Page:
        """Up to `limit` events, latest first: one query for each identity, and one batched read for copies.

        With filters up to five queries for each; then a page may be short and still have a next one. `name` is what
        the contact was asked for by, to which cursors are bound. Raises InvalidInput for a bad cursor.
        """
        scope = (contact.workspace, name or contact.id, *asked.scope)
        place = _read_place(scope, cursor)
        shown: list[Event] = []
        for _ in range(ROUNDS):
            found, reached = self._round(contact, place, limit + 1 - len(shown), asked)
            while found and len(shown) <= limit:
                room = limit + 1 - len(shown)
                shown += self._once(contact, found[:room])
                found = found[room:]
            place = reached
            if len(shown) > limit or reached is None:
                break
        page = shown[:limit]
        following = page[-1].place if len(shown) > limit else place
        return Page(page, cursors.write(scope, [to_text(following[0]), *following[1:]]) if following else "")

    def named_since(self, contact: Contact, since: datetime | None, *names: str) -> list[Event]:
        """A contact's events of some names received at an instant or later, in order, but for those that are pretended.

        One query for each identity.
        """
        found: dict[tuple[str, str], Event] = {}
        for identity in contact.event_identities:
            for event in self._events.named_since(contact.workspace, identity, since, *names):
                if is_pretended(event) or (event.contact and not contact.shows(event.contact, event.received_at)):
                    continue
                # A message that came under two ids of the contact happened once, when it first came.
                known = found.setdefault((event.name, event.message_id), event)
                found[event.name, event.message_id] = min(known, event, key=_first_come)
        events = sorted(found.values(), key=lambda event: event.place)
        return events if since is None else self._once(contact, events)

    def glance(self) -> Glance:
        """The same for one decision, which asks nothing twice."""
        return Glance(self._events)

    def _round(
        self, contact: Contact, place: Place | None, count: int, asked: Asked
    ) -> tuple[list[Event], Place | None]:
        """The next events, latest first, and the place down to which they are complete; None for to the end."""
        found: list[Event] = []
        horizons: list[datetime] = []
        for identity in contact.event_identities:
            events, until = self._stretch(contact, identity, place, count, asked)
            found += events
            horizons += [until] if until else []
        found.sort(key=lambda event: event.place, reverse=True)
        if not horizons:
            return found, None
        reached = max(horizons)
        return [event for event in found if event.received_at > reached], (reached, LAST, "")

    def _stretch(
        self, contact: Contact, identity: Identity, place: Place | None, count: int, asked: Asked
    ) -> tuple[list[Event], datetime | None]:
        """One identity's next events and down to when they are complete.

        Those of one instant are all read: the database has no order of ours for them, so that a part of them would not
        be the first part.
        """
        start = place[0] if place else None
        size = FILTERED if asked.filters else max(count + 2, AT_LEAST)
        events: list[Event] = []
        for stretch in self._events.latest(contact.workspace, identity, start, asked, size):
            events += [one for one in stretch.events if _is_meant(one, place, asked)]
            if start is None and stretch.events:
                start = stretch.events[0].received_at
            if stretch.until is None or start is None or stretch.until < start:
                return events, stretch.until
        return events, None

    def _once(self, contact: Contact, events: Sequence[Event]) -> list[Event]:
        """Those events that are the contact's, and of a message that came under both its ids the one received first."""
        own = [one for one in events if not one.contact or contact.shows(one.contact, one.received_at)]
        copies = {id(one): copy for one in own if (copy := _copy_of(contact, one))}
        received = self._events.received(contact.workspace, set(copies.values())) if copies else {}
        shown = []
        for event in own:
            copy = copies.get(id(event))
            first = received.get(copy) if copy else None
            if first is None or copy is None or _first_come(event) < (first, copy[0]):
                shown.append(event)
        return shown


class Glance(TimelineService):
    """The timeline as one decision sees it: who did what since when is read once, however many rules ask it."""

    def __init__(self, events: EventReader) -> None:
        super().__init__(events)
        self._seen: dict[tuple[str, str, datetime | None], list[Event]] = {}

    def named_since(self, contact: Contact, since: datetime | None, *names: str) -> list[Event]:
        """A contact's events of some names received at an instant or later, in order; only names not asked are read."""
        places = {name: (contact.id, name, since) for name in names}
        unseen = [name for name, place in places.items() if place not in self._seen]
        read = super().named_since(contact, since, *unseen) if unseen else []
        for name in unseen:
            self._seen[places[name]] = [event for event in read if event.name == name]
        return sorted((event for place in places.values() for event in self._seen[place]), key=lambda one: one.place)


def _copy_of(contact: Contact, event: Event) -> Copy | None:
    """Where the same message may stand under the contact's other id, as `react` looks for it."""
    if event.contact:
        return None
    owner = Identity(IdentityKind.USER, contact.user_id)
    other = event.anonymous if event.user is not None else owner
    return (other, event.message_id) if other is not None and other in contact.identities else None


def _is_meant(event: Event, place: Place | None, asked: Asked) -> bool:
    late = asked.until is not None and event.received_at >= asked.until
    if asked.channel and event.name.startswith(CONVERSATIONS) and event.properties.get("channel") != asked.channel:
        return False  # the database cannot see it: properties are kept packed
    return not late and (place is None or event.place < place)


def _first_come(event: Event) -> tuple[datetime, Identity]:
    return (event.received_at, event.identity)


def _read_place(scope: Sequence[str], cursor: str) -> Place | None:
    place = cursors.read(scope, cursor, str, str, str)
    try:
        return None if place is None else (from_text(place[0]), place[1], place[2])
    except ValueError as error:
        raise InvalidInput("invalid_cursor", "This cursor was not made here.", "cursor") from error
