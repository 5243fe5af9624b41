"""Working off the agenda when a minute of it has come: who is there is told of their date, by an event.

Each entry is asked again: of the contact, their zone and the automation as they are now. Who is told, and when the date
comes round next, is written down first, and the entry taken out then: so whoever dies between does it again, and tells
the same. The event is what `react` sees; whether somebody enters is decided there, as for any other event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.automations.dates.agenda_store import DynamoAgendaStore, place
from tidings.automations.dates.agenda_waits import AgendaWaits
from tidings.automations.dates.arming import Arming
from tidings.automations.dates.rules import INSTANT, Entry, due, message_id, reached
from tidings.automations.definition.triggers import TraitDate
from tidings.automations.listening.listeners import Listeners
from tidings.automations.machines.calendar import zone_of
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import Waiting, from_text, ticks, to_text
from tidings.core.logs import logger
from tidings.core.store import Database, Key

PAGE = 100
# For how long one invocation turns pages.
SECONDS = 30
# A clock may be behind that of Step Functions by so much; what is earlier is a clock that runs otherwise.
EARLY = timedelta(seconds=5)
# What the machine does next.
AGENDA, REST, DOZE, DONE = "agenda", "rest", "doze", "done"
# How long a machine rests that woke too early, as those of the local system do; nearer to its time it dozes.
RESTS = timedelta(minutes=15)


@dataclass
class _Page:
    """What comes of the entries of a page."""

    told: list[tuple[TraitDate, Entry, Contact, Event]] = field(default_factory=list)
    again: dict[str, list[Contact]] = field(default_factory=dict)
    gone: list[Entry] = field(default_factory=list)


class Agenda:
    """Works off minutes of the agenda."""

    def __init__(
        self,
        database: Database,
        workspaces: DynamoWorkspaceStore,
        contacts: DynamoContactStore,
        events: DynamoEventStore,
        listeners: Listeners,
        agenda: DynamoAgendaStore,
        waits: AgendaWaits,
        clock: Waiting,
    ) -> None:
        self._database = database
        self._workspaces = workspaces
        self._contacts = contacts
        self._events = events
        self._listeners = listeners
        self._agenda = agenda
        self._waits = waits
        self._arming = Arming(agenda, waits, clock)
        self._clock = clock

    def work(self, call: Mapping[str, Any]) -> dict[str, str]:
        """Work off a minute, or as much of it as fits; what the machine does next, and from where.

        `rest` or `doze` where a machine woke too early. Raises Throttled or Unavailable, and
        KeyError or ValueError for a call of another shape.
        """
        name, bucket = str(call["workspace"]), from_text(call["bucket"])
        until, after = from_text(call["at"]["until"]), str(call["at"]["after"])
        early = until - self._clock.now()
        if early > EARLY:
            return _answer(REST if early > RESTS else DOZE, until)
        if early > timedelta():
            self._clock.sleep(early.total_seconds())
        if until < bucket:
            self._waits.begin(name, [bucket])
            return _answer(DONE, until)
        workspace = self._workspaces.get(name, consistent=True)
        if workspace is None:
            return _answer(DONE, until)
        self._listeners.refresh(workspace)
        ends = ticks() + SECONDS
        while entries := self._agenda.page(name, bucket, after, PAGE):
            self._turn(workspace, entries)
            after = place(entries[-1])
            if ticks() >= ends:
                return _answer(AGENDA, until, after)
        return _answer(DONE, until)

    def _turn(self, workspace: Workspace, entries: Sequence[Entry]) -> None:
        now, page = self._clock.now(), _Page()
        contacts = self._contacts_of(workspace.id, entries)
        for entry in entries:
            try:
                self._look(workspace, entry, contacts.get(entry.contact), now, page)
            except Exception as error:  # noqa: BLE001 - one entry's fault must not keep those behind it waiting
                logger.error("not told", extra={"error_type": type(error).__name__, "automation": entry.automation})
        dated = {one.name: one for one in self._listeners.with_dates(workspace.id)}
        for name, those in page.again.items():
            begins = max(now, max(entry.at for entry in entries)) + INSTANT
            self._arming.arm(those, [dated[name]], begins, workspace.time_zone)
        self._events.add_all(self._untold(page))
        self._agenda.remove(page.gone)

    def _look(self, workspace: Workspace, entry: Entry, contact: Contact | None, now: datetime, page: _Page) -> None:
        """What comes of an entry. Where the automation is paused or archived nobody is told, and nothing made up."""
        one = self._listeners.named(workspace.id, entry.automation)
        if one is not None and one.date is not None and contact is not None:
            page.again.setdefault(one.name, []).append(contact)
            found = due(one.date, entry, contact, zone_of(contact.time_zone, workspace.time_zone))
            if found is not None and one.state.admits:
                page.told.append((one.date, entry, contact, reached(one.date, entry, contact, found, now)))
        page.gone.append(entry)

    def _contacts_of(self, workspace: str, entries: Sequence[Entry]) -> dict[str, Contact]:
        """The contacts of entries, or those that they became part of; nobody who was erased."""
        keys = {self._contacts.contact_key(workspace, entry.contact): entry.contact for entry in entries}
        found = self._database.batch_get(keys)
        contacts: dict[str, Contact] = {}
        for key, item in found.items():
            contact: Contact | None = self._contacts.entity(item)
            if contact is not None and contact.merged_into:
                contact = self._contacts.current(workspace, contact.merged_into)
            if contact is not None and contact.erased_at is None:
                contacts[keys[key]] = contact
        return contacts

    def _untold(self, page: _Page) -> list[Event]:
        """The events of those who were not told of the same occasion as somebody who they absorbed."""
        earlier: dict[Key, tuple[str, str]] = {}
        for rule, entry, contact, event in page.told:
            for absorbed in contact.absorbed:
                identity = Identity(IdentityKind.CONTACT, absorbed)
                key = self._events.key(contact.workspace, identity, message_id(rule, entry))
                earlier[key] = (contact.id, event.message_id)
        had = {earlier[key] for key in self._database.batch_get(earlier)} if earlier else set()
        events = {(contact.id, event.message_id): event for _, _, contact, event in page.told}
        return [event for place, event in events.items() if place not in had]


def _answer(following: str, until: datetime, after: str = "") -> dict[str, str]:
    return {"next": following, "until": to_text(until), "after": after}
