"""Events that came to a contact through a merge: they start only automations that ask for it (product rule 1.4).

An automation whose trigger says `merged: true` is offered them once the merge is told: what the absorbed contact did
before, since the automation was first published, the oldest first, as if the person did it now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from tidings.activity.merged import tells_of_merge
from tidings.activity.model import Event
from tidings.activity.own_events import is_pretended
from tidings.automations.entering.admitting import Admitting, asked
from tidings.automations.listening.index import Listener
from tidings.contacts.merges import MOVED
from tidings.contacts.model import Contact, Identity, IdentityKind


class MergeListeners(Protocol):
    """Which automations ask for the events of whoever was merged."""

    def to_merges_in(self, workspace: str) -> list[Listener]: ...
    def first_published(self, one: Listener) -> datetime: ...


class EventReader(Protocol):
    """Where events are read."""

    def named_since(
        self, workspace: str, identity: Identity, since: datetime | None, *names: str
    ) -> Iterator[Event]: ...


class Offering:
    """Offers what an absorbed contact did to the automations that ask for it."""

    def __init__(self, listeners: MergeListeners, events: EventReader, admitting: Admitting) -> None:
        self._listeners = listeners
        self._events = events
        self._admitting = admitting

    def concerns(self, event: Event) -> bool:
        """Whether an event tells of a merge that an automation wants to hear of: costs nothing where none does."""
        return tells_of_merge(event) and bool(self._listeners.to_merges_in(event.workspace))

    def offer(self, contact: Contact, merge: Event, zone: str = "") -> None:
        """Enrol who survived a merge, by what the absorbed one did: a query for each of its identities and automation.

        What the absorbed contact was enrolled by before counts as had. May be repeated.
        """
        had = (str(merge.properties["absorbed"]),)
        asking: dict[str, list[Listener]] = defaultdict(list)
        events: dict[str, Event] = {}
        for listener in self._listeners.to_merges_in(merge.workspace):
            first = self._listeners.first_published(listener)
            for event in self._before(contact, merge, first, *sorted(listener.trigger.events)):
                known = events.setdefault(event.message_id, event)
                events[event.message_id] = min(known, event, key=lambda event: event.place)
                asking[event.message_id].append(listener)
        for event in sorted(events.values(), key=lambda event: event.place):
            said = asked(contact, event, merge.received_at, asking[event.message_id])
            self._admitting.admit(said, merge.received_at, had, zone)

    def _before(self, contact: Contact, merge: Event, since: datetime, *names: str) -> list[Event]:
        """What came with the merge, in the order in which it was received; not what has left the contact since."""
        found: dict[str, Event] = {}
        for identity in _came(contact, merge):
            for event in self._events.named_since(merge.workspace, identity, since, *names):
                here = not event.contact or contact.shows(event.contact, event.received_at)
                if here and not is_pretended(event) and event.received_at < merge.received_at:
                    known = found.setdefault(event.message_id, event)
                    found[event.message_id] = min(known, event, key=lambda event: event.place)
        return sorted(found.values(), key=lambda event: event.place)


def _came(contact: Contact, merge: Event) -> list[Identity]:
    said = merge.properties
    sent = [Identity.parse(text) for text in said["identities"]]
    # A contact that an anonymous id moved away from goes on by itself.
    ids = [] if said["rule"] == MOVED else [said["absorbed"], *said["absorbed_ids"]]
    own = [Identity(IdentityKind.CONTACT, one) for one in ids if one in contact.every_id]
    return own + [identity for identity in sent if identity in contact.identities]
