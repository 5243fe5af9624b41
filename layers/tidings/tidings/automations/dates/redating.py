"""Dates that change: what `react` writes down anew when an event sets one, or moves somebody into another zone.

An entry is written before the contact is, so that whoever is interrupted between does both again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tidings.activity.changes import CONTACT_UPDATED
from tidings.activity.merged import MERGED, UNMERGED
from tidings.activity.model import SYSTEM, Event
from tidings.automations.dates.arming import NOT_BACK, Arming
from tidings.automations.dates.rules import ZONES_APART, touches
from tidings.automations.listening.index import Listener
from tidings.conditions.values import lookup
from tidings.contacts.context import FIELD_CODES, Stored
from tidings.contacts.model import Contact

# After these a contact is another one than before, though the event does not say in what.
RETOLD = frozenset({MERGED, UNMERGED, CONTACT_UPDATED})
FORM = "form"
# The traits that say where somebody is, and so in which time zone.
PLACING = frozenset({"time_zone", "timezone", "timeZone", "country", "address"})
_PLACING_FIELDS = frozenset({FIELD_CODES["time_zone"], FIELD_CODES["country"]})


class DateListeners(Protocol):
    """Which automations a date starts; kept in memory."""

    def with_dates(self, workspace: str) -> Sequence[Listener]: ...


class Redating:
    """Knows which events may change a date, and writes down what comes of them."""

    def __init__(self, listeners: DateListeners, arming: Arming) -> None:
        self._listeners = listeners
        self._arming = arming

    def concerns(self, event: Event, context_of: Callable[[Event], Stored]) -> bool:
        """Whether an event may change when a date comes round: never where no automation has one. No read.

        `context_of` tells what it says of the person's surroundings, which may be another time zone.
        """
        dated = self._listeners.with_dates(event.workspace)
        if not dated:
            return False
        traits = event.contact_traits
        if _is_retold(event) or any(one.date is not None and touches(traits, one.date.trait) for one in dated):
            return True
        return any(not _PLACING_FIELDS.isdisjoint(fields) for fields in context_of(event).values())

    def redate(self, before: Contact, after: Contact, events: Sequence[Event], zone: str) -> None:
        """Write down what comes round anew because of some events: at most one call for each twelve automations.

        `zone` is the workspace's time zone. Raises Throttled or Unavailable; a repeat writes the same.
        """
        dated = self._listeners.with_dates(after.workspace)
        if not dated or not events:
            return
        whole = any(_is_retold(event) for event in events)
        moved = before.time_zone != after.time_zone or any(not PLACING.isdisjoint(e.contact_traits) for e in events)
        changed = [one for one in dated if whole or moved or _is_set(one, before, after, events)]
        if changed:
            begins = min(event.received_at for event in events)
            self._arming.arm([after], changed, begins, zone, ZONES_APART if whole or moved else NOT_BACK)


def _is_retold(event: Event) -> bool:
    return event.type == FORM or (event.type == SYSTEM and event.name in RETOLD)


def _is_set(one: Listener, before: Contact, after: Contact, events: Sequence[Event]) -> bool:
    """Whether an event sets an automation's date. A repeat finds the contact changed: so the events say it."""
    if one.date is None:
        return False
    trait = one.date.trait
    if any(touches(event.contact_traits, trait) for event in events):
        return True
    return bool(lookup(before.values, trait) != lookup(after.values, trait))
