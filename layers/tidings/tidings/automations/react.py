"""What events mean: whose they are, what they change about a contact, and which automations they start.

A batch of the events table's stream costs one batched read for all its events; a second one for the contacts of those
events that say something about a contact or that somebody listens to; and at most one write for each contact. All of it
may be repeated: identities and contacts come out the same in any order, and enrolments are keyed by their event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore, from_stream
from tidings.automations.enrol import Enrolling
from tidings.automations.facts import ContactFacts
from tidings.automations.store import Automation, DynamoAutomationStore
from tidings.conditions.evaluate import evaluate
from tidings.contacts.model import Contact, Identity
from tidings.contacts.rules import seen, with_traits
from tidings.contacts.service import ContactDirectory, Sighting
from tidings.contacts.store import DynamoContactStore
from tidings.core.errors import Throttled, Unavailable
from tidings.core.logs import logger
from tidings.core.store import ConditionFailed, Database, Key

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sighted:
    """A stream record and the event in it."""

    record: Record
    event: Event

    @property
    def sequence(self) -> str:
        """The record's place in its shard."""
        return str(self.record["dynamodb"]["SequenceNumber"])


@dataclass
class Known:
    """What the batched read found: who identities lead to, which events are there twice, and what is out of date."""

    contacts: dict[tuple[str, Identity], str] = field(default_factory=dict)
    repeated: set[tuple[str, str, str]] = field(default_factory=set)
    stale: set[tuple[str, Identity]] = field(default_factory=set)

    def holds_twice(self, event: Event) -> bool:
        """Whether this is the second of two: the browser sent it before the person had a user id, and again after."""
        place = (event.workspace, event.anonymous_id, event.message_id)
        return event.user is not None and place in self.repeated


class Listeners:
    """The live automations of each workspace by the event that starts them; reloaded when the workspace's grew."""

    def __init__(self, automations: DynamoAutomationStore) -> None:
        self._automations = automations
        self._by_event: dict[str, tuple[int, dict[str, list[Automation]]]] = {}

    def refresh(self, workspace: Workspace) -> None:
        """Load a workspace's automations again if any was published since."""
        known = self._by_event.get(workspace.id)
        if known is not None and known[0] == workspace.generation:
            return
        by_event: dict[str, list[Automation]] = defaultdict(list)
        if workspace.generation:
            for automation in self._automations.all_live(workspace.id):
                by_event[automation.definition.trigger.event].append(automation)
        self._by_event[workspace.id] = (workspace.generation, dict(by_event))

    def to(self, event: Event) -> Sequence[Automation]:
        """The automations that an event may start."""
        if not event.name:
            return ()
        return self._by_event.get(event.workspace, (0, {}))[1].get(event.name, ())


class Reactor:
    """Reacts to batches of stream records."""

    def __init__(
        self,
        database: Database,
        workspaces: DynamoWorkspaceStore,
        contacts: DynamoContactStore,
        events: DynamoEventStore,
        directory: ContactDirectory,
        listeners: Listeners,
        enrolling: Enrolling,
        set_aside: Callable[[Record], None],
    ) -> None:
        self._database = database
        self._workspaces = workspaces
        self._contacts = contacts
        self._events = events
        self._directory = directory
        self._listeners = listeners
        self._enrolling = enrolling
        self._set_aside = set_aside

    def react(self, records: Sequence[Record]) -> list[str]:
        """React to a batch; the sequence numbers to repeat from. A record that fails by itself is set aside whole.

        Raises Throttled or Unavailable if the batch could not be read at all: then all of it is to be repeated.
        """
        batch = self._parse(records)
        known = self._read(batch)
        by_contact: dict[tuple[str, str], list[Sighted]] = defaultdict(list)
        failed: list[str] = []
        for sighted in batch:
            event = sighted.event
            contact = self._guarded([sighted], partial(self._contact_of_first, known), failed)
            if contact and not known.holds_twice(event):
                by_contact[event.workspace, contact].append(sighted)
        loaded = self._load(by_contact)
        for place, group in by_contact.items():
            self._guarded(group, partial(self._serve, place, loaded.get(place)), failed)
        return failed

    def _parse(self, records: Sequence[Record]) -> list[Sighted]:
        batch = []
        for record in records:
            try:
                batch.append(Sighted(record, from_stream(record["dynamodb"]["NewImage"])))
            except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
                self._put_aside(record, error)
        return batch

    def _read(self, batch: Sequence[Sighted]) -> Known:
        """One batched read: the generations of the workspaces, the identities, and events that may be there twice."""
        workspaces = {sighted.event.workspace for sighted in batch}
        identities: dict[Key, tuple[str, Identity]] = {}
        repeats: dict[Key, tuple[str, str, str]] = {}
        for event in (sighted.event for sighted in batch):
            for identity in (event.user, event.anonymous):
                if identity is not None:
                    key = self._contacts.identity_key(event.workspace, identity)
                    identities[key] = (event.workspace, identity)
            if event.user is not None and event.anonymous is not None:
                key = self._events.key(event.workspace, event.anonymous, event.message_id)
                repeats[key] = (event.workspace, event.anonymous_id, event.message_id)
        workspace_keys = [self._workspaces.key(workspace) for workspace in sorted(workspaces)]
        found = self._database.batch_get([*workspace_keys, *identities, *repeats])
        for key in workspace_keys:
            if key in found:
                self._listeners.refresh(self._workspaces.entity(found[key]))
        return Known(
            contacts={place: found[key].contact for key, place in identities.items() if key in found},
            repeated={place for key, place in repeats.items() if key in found},
        )

    def _contact_of_first(self, known: Known, group: Sequence[Sighted]) -> str:
        return self._contact_of(group[0].event, known)

    def _contact_of(self, event: Event, known: Known) -> str:
        if event.contact:
            return event.contact
        sighting = Sighting(event.workspace, event.message_id, event.received_at, event.user, event.anonymous)
        user_contact = self._lead(event.workspace, event.user, known)
        anonymous_contact = self._lead(event.workspace, event.anonymous, known)
        contact = self._directory.settle(sighting, user_contact, anonymous_contact)
        # An identity that did not lead here may have been linked just now, or belong to somebody else for good.
        places = {(event.workspace, identity) for identity in sighting.identities}
        known.stale |= {place for place in places if known.contacts.get(place) != contact}
        return contact

    def _lead(self, workspace: str, identity: Identity | None, known: Known) -> str | None:
        if identity is None:
            return None
        place = (workspace, identity)
        if place in known.stale:
            known.stale.discard(place)
            found = self._contacts.contact_with(workspace, identity)
            known.contacts.pop(place, None)
            if found is not None:
                known.contacts[place] = found
        return known.contacts.get(place)

    def _load(self, by_contact: Mapping[tuple[str, str], Sequence[Sighted]]) -> dict[tuple[str, str], Contact]:
        """The contacts whose events change them or may start something: one batched read, none if there are none."""
        places = [place for place, group in by_contact.items() if any(self._matters(one.event) for one in group)]
        keys = {self._contacts.contact_key(*place): place for place in places}
        found = self._database.batch_get(keys) if keys else {}
        return {keys[key]: self._contacts.entity(item) for key, item in found.items()}

    def _matters(self, event: Event) -> bool:
        return bool(event.traits) or bool(self._listeners.to(event))

    def _serve(self, place: tuple[str, str], before: Contact | None, group: Sequence[Sighted]) -> None:
        """Everything that a contact's events of a batch mean: one write, then the enrolments."""
        events = [sighted.event for sighted in group]
        if before is None or before.merged_into:
            if not any(self._matters(event) for event in events):
                self._touch(place, events)
                return
            before = self._directory.get(*place)
        contact = before
        enrolments = []
        for event in events:
            contact = _after(contact, event)
            facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
            for automation in self._listeners.to(event):
                where = automation.definition.trigger.where
                if where is None or evaluate(where, facts):
                    enrolments.append((automation, contact, event))
        self._keep(before, contact, events)
        for automation, enrolled, event in enrolments:
            self._enrolling.enrol(automation, enrolled, event)

    def _touch(self, place: tuple[str, str], events: Sequence[Event]) -> None:
        times = [event.received_at for event in events if not event.contact]
        if times:
            self._directory.touch(*place, max(times))

    def _keep(self, before: Contact, after: Contact, events: Sequence[Event]) -> None:
        if before == after:
            return
        try:
            self._contacts.change(before, after)
        except ConditionFailed:
            # Somebody else changed the contact since it was read: say it again to what it is now.
            self._directory.change(before.workspace, before.id, lambda contact: _after_all(contact, events))

    def _guarded(self, group: list[Sighted], serve: Callable[[list[Sighted]], Any], failed: list[str]) -> Any:
        """Serve a group of records; what AWS could not do now is repeated, a record that breaks us is set aside."""
        try:
            return serve(group)
        except (Throttled, Unavailable) as error:
            logger.warning("to be repeated", extra={"code": error.code, "records": len(group)})
            failed.append(group[0].sequence)
        except Exception as error:  # noqa: BLE001 - one record's fault, whatever it is, must not block those behind it
            if len(group) == 1:
                self._put_aside(group[0].record, error)
            else:
                for sighted in group:
                    self._guarded([sighted], serve, failed)
        return None

    def _put_aside(self, record: Record, error: Exception) -> None:
        sequence = record.get("dynamodb", {}).get("SequenceNumber", "")
        logger.error("set aside", extra={"error_type": type(error).__name__, "sequence": sequence})
        self._set_aside(record)


def _after(contact: Contact, event: Event) -> Contact:
    if event.traits:
        contact = with_traits(contact, event.traits, event.timestamp, event.message_id)
    return contact if event.contact else seen(contact, event.received_at)


def _after_all(contact: Contact, events: Sequence[Event]) -> Contact:
    for event in events:
        contact = _after(contact, event)
    return contact
