"""Keeping the rating of contacts up to date, as `react` tells what happened.

An event that is no message and no merge costs nothing. One that is reads the contact in the batched read of its batch,
and writes it, in the one write that its batch makes of it, if what is kept of its messages changes: of what is only
sent that is the first alone. All messages are read again (one query of what the system put on the timeline, for each id
that the contact went by) where two contacts with messages became one or came apart, where the workspace's time zone
changed, and where a message is told that is older than the latest sixteen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Protocol

from tidings.activity.merged import MERGED, UNMERGED
from tidings.activity.model import SYSTEM, Event
from tidings.contacts.model import STALE, Contact, Identity, IdentityKind
from tidings.conversations.rating import NAMES, NOT_YET, Entry, Kept, has_invalid_phone
from tidings.core.ids import digest

ID_CHARACTERS = 8
_CONCERNING = frozenset({*NAMES, MERGED, UNMERGED})


class SystemEvents(Protocol):
    """Where events are read that the system told."""

    def of_system(self, workspace: str, identity: Identity, names: Collection[str]) -> Iterator[Event]: ...


class Ratings:
    """Rates contacts by what is told of them."""

    def __init__(self, events: SystemEvents) -> None:
        self._events = events

    def concerns(self, event: Event) -> bool:
        """Whether an event may change the rating by itself; an app's own events never do, whatever their names."""
        return event.type == SYSTEM and event.name in _CONCERNING

    def told(self, contact: Contact, event: Event, zone: str) -> Contact:
        """The contact with its rating after an event, which is stored already. Told again it is the same."""
        kept = None if STALE in contact.rating else Kept.of(contact.rating)
        if kept is not None and kept.zone != zone:
            kept = kept if kept == Kept(kept.zone) else None
        if kept is not None and self.concerns(event) and event.name in NAMES:
            kept = replace(kept, zone=zone).told(entry_of(event))
        if kept is None:
            kept = self.counted(contact, zone)
        rating = kept.rating(has_invalid_phone(contact))
        shown = {} if rating == NOT_YET else {"stars": rating.stars, "why": rating.why, "next": rating.next}
        stored = {**shown, **kept.as_dict()} if shown else {}
        return contact if stored == contact.rating else replace(contact, rating=stored)

    def counted(self, contact: Contact, zone: str) -> Kept:
        """What is kept of all of a contact's messages, read again."""
        return Kept.over(self.entries(contact), zone)

    def entries(self, contact: Contact) -> Iterator[Entry]:
        """Every message on a contact's timeline."""
        for one in contact.shown_ids:
            for event in self._events.of_system(contact.workspace, Identity(IdentityKind.CONTACT, one), NAMES):
                if contact.shows(one, event.received_at):
                    yield entry_of(event)


def entry_of(event: Event) -> Entry:
    """The entry that an event is. Its time is the provider's, where the provider told it."""
    return Entry.of(event.timestamp, NAMES[event.name], digest(event.message_id)[:ID_CHARACTERS])
