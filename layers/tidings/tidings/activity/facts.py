"""What conditions may ask about a contact, read when it is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tidings.activity.timeline import TimelineService
from tidings.conditions.facts import EventQuery, Occurrence
from tidings.contacts.model import Contact


class Engaging(Protocol):
    """Tells when a person first did something with what a component sent, of the kinds that are asked for; and whether
    it sent anything."""

    def __call__(self, component: str, kinds: Collection[str]) -> Mapping[str, datetime]: ...

    def has_sent(self, component: str) -> bool: ...


@dataclass(frozen=True)
class ContactFacts:
    """A contact at an instant. `trigger` is the event that is no occurrence since the enrolment that it caused.

    With `until`, what was received later than that did not happen yet.

    `answers` are what servers answered in the enrolment, by component, and `engaging` tells what became of what it
    sent; both are empty outside of one.

    What was read is kept, so that explaining a decision costs no second read.
    """

    contact: Contact
    now: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    timeline: TimelineService | None = None
    instants: Mapping[str, datetime] = field(default_factory=dict)
    trigger: tuple[str, str] = ("", "")
    until: datetime | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    engaging: Engaging | None = None
    _read: dict[EventQuery, list[Occurrence]] = field(default_factory=dict)

    @property
    def traits(self) -> Mapping[str, Any]:
        """Traits of the contact."""
        return self.contact.values

    @property
    def is_known(self) -> bool:
        """Whether the contact has a user id."""
        return self.contact.is_known

    def instant(self, name: str) -> datetime | None:
        """When the enrolment began or a step was last taken."""
        return self.instants.get(name)

    def engagements(self, component: str, kinds: Collection[str]) -> Mapping[str, datetime]:
        """When a person first did each of these kinds with what the component sent, if ever."""
        return self.engaging(component, kinds) if self.engaging else {}

    def has_sent(self, component: str) -> bool:
        """Whether the component sent anything."""
        return self.engaging is not None and self.engaging.has_sent(component)

    def occurrences(self, query: EventQuery) -> Iterable[Occurrence]:
        """The contact's events of a name: one query for each of its identities."""
        if query not in self._read:
            self._read[query] = list(self._occurrences(query))
        return self._read[query]

    def _occurrences(self, query: EventQuery) -> Iterator[Occurrence]:
        if self.until is not None and query.since is not None and query.since >= self.until:
            return
        began = self.instants.get("enrolment")
        since_enrolment = query.since is not None and began is not None and query.since >= began
        events = self.timeline.named_since(self.contact, query.since, query.event) if self.timeline else ()
        for event in events:
            if self.until is not None and event.received_at > self.until:
                continue
            if not since_enrolment or (str(event.identity), event.message_id) != self.trigger:
                yield Occurrence(event.received_at, event.properties)
