"""Writing down when dates of contacts come round, and seeing to it that somebody waits for them.

What stands in the agenda and holds no more is harmless: an entry is asked again when its minute comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tidings.automations.dates.agenda_store import DynamoAgendaStore
from tidings.automations.dates.agenda_waits import AgendaWaits
from tidings.automations.dates.rules import Entry, entry_of, upcoming
from tidings.automations.listening.index import Listener
from tidings.automations.machines.calendar import zone_of
from tidings.contacts.model import Contact
from tidings.core.clock import Clock

NOT_BACK = timedelta()


class Arming:
    """Writes entries of the agenda."""

    def __init__(self, agenda: DynamoAgendaStore, waits: AgendaWaits, clock: Clock) -> None:
        self._agenda = agenda
        self._waits = waits
        self._clock = clock

    def arm(
        self,
        contacts: Sequence[Contact],
        dated: Sequence[Listener],
        begins: datetime,
        zone: str,
        back: timedelta = NOT_BACK,
    ) -> None:
        """Write down the next occasion of each contact for each automation, from an instant on.

        What came up to `back` before is told late, if it was known then. Raises Throttled or Unavailable; a repeat
        writes the same.
        """
        now, entries = self._clock.now(), list[Entry]()
        for contact in contacts:
            there = zone_of(contact.time_zone, zone)
            for one in dated:
                found = upcoming(one, contact, begins, there, back)
                if found is not None:
                    entries.append(entry_of(one, contact, found, now))
        self._agenda.add(entries)
        for workspace in {entry.workspace for entry in entries}:
            self._waits.begin(workspace, {entry.bucket for entry in entries if entry.workspace == workspace})
