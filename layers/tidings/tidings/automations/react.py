"""What events mean: whose they are, what they change about a contact, and which automations they start.

A batch of the events table's stream costs one batched read for all its events; a second one for the contacts of those
events that say something about a contact or that somebody listens to; and at most one write for each contact. All of it
may be repeated: identities and contacts come out the same in any order, and enrolments are keyed by their event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.changes import CONTACT_UPDATED
from tidings.activity.folding import Folding
from tidings.activity.model import COMPANY_CALLS, SYSTEM, Event
from tidings.activity.refusing import Refusals
from tidings.activity.store import DynamoEventStore, from_stream
from tidings.automations.dates.redating import Redating
from tidings.automations.entering.admitting import Admitting, Asked
from tidings.automations.exits.leaving import Leaving
from tidings.automations.goals.reaching import Reaching
from tidings.automations.listening.changes import told_of
from tidings.automations.listening.listeners import Listeners
from tidings.automations.listening.merged import Offering
from tidings.automations.owners import Owners
from tidings.automations.sightings import Known, Record, Sighted, identities_of
from tidings.automations.telling.visits import Traced, Visits, is_visit
from tidings.automations.waits.waking import Waking
from tidings.contacts.companies import CompanyService
from tidings.contacts.context import merged
from tidings.contacts.erased import PersonErased
from tidings.contacts.model import Contact, Context, Identity, Stamp
from tidings.contacts.rules import Refusal, external_ids
from tidings.contacts.service import ContactDirectory
from tidings.contacts.settling import Settlement
from tidings.contacts.store import Change, DynamoContactStore
from tidings.contacts.visits import with_visit
from tidings.conversations.rated import Ratings
from tidings.core.errors import Throttled, Unavailable
from tidings.core.logs import logger
from tidings.core.store import ConditionFailed, Database, Key

# An event, and the contact that it belonged to when it was settled.
Placed = tuple[Sighted, str]


class Reactor:
    """Reacts to batches of stream records."""

    def __init__(
        self,
        database: Database,
        workspaces: DynamoWorkspaceStore,
        contacts: DynamoContactStore,
        events: DynamoEventStore,
        settlement: Settlement,
        directory: ContactDirectory,
        companies: CompanyService,
        folding: Folding,
        listeners: Listeners,
        admitting: Admitting,
        waking: Waking,
        leaving: Leaving,
        reaching: Reaching,
        redating: Redating,
        visits: Visits,
        ratings: Ratings,
        set_aside: Callable[[Record], None],
    ) -> None:
        self._database = database
        self._workspaces = workspaces
        self._contacts = contacts
        self._events = events
        self._directory = directory
        self._companies = companies
        self._folding = folding
        self._listeners = listeners
        self._admitting = admitting
        self._waking = waking
        self._leaving = leaving
        self._reaching = reaching
        self._redating = redating
        self._offering = Offering(listeners, events, admitting)
        self._visits = visits
        self._ratings = ratings
        self._set_aside = set_aside
        self._refusals = Refusals(events)
        self._owners = Owners(contacts, settlement, folding, self._refusals)

    def react(self, records: Sequence[Record]) -> list[str]:
        """React to a batch; the sequence numbers to repeat from. A record that fails by itself is set aside whole.

        Raises Throttled or Unavailable if the batch could not be read at all: then all of it is to be repeated.
        """
        batch = self._parse(records)
        known = self._read(batch)
        failed: list[str] = []
        settled: list[Placed] = []
        for one in batch:
            contact = self._guarded([one], partial(self._contact_of_first, known, settled, failed), failed)
            if contact:
                settled.append((one, contact))
        self._serve_all(settled, known, failed)
        return failed

    def _serve_all(self, settled: Sequence[Placed], known: Known, failed: list[str]) -> None:
        """Serve events whose contacts are settled, each contact's together; what fails goes to `failed`."""
        by_contact: dict[tuple[str, str], list[Sighted]] = defaultdict(list)
        for one in settled:  # as it is now: a later message of the batch may have said whose a device was
            by_contact[_stands_at(one, known)].append(one[0])
        loaded = self._load(by_contact, known)
        for place, group in by_contact.items():
            once = [sighted for sighted in group if not known.came_before(sighted.event)]
            if once:
                self._guarded(once, partial(self._serve, place, loaded.get(place), known), failed)

    def _serve_first(
        self, known: Known, settled: list[Placed], failed: list[str], workspace: str, contacts: frozenset[str]
    ) -> None:
        """Serve what came before contacts become others, as it would be if a batch had ended there.

        Raises Unavailable if that fails: then it all is repeated, and they are to be as they were.
        """
        theirs = [one for one in settled if _stands_at(one, known) in {(workspace, contact) for contact in contacts}]
        if not any(self._matters(sighted.event, known) for sighted, _ in theirs):
            return
        before = len(failed)
        self._serve_all(theirs, known, failed)
        if len(failed) > before:
            raise Unavailable("identity_contended", "What came before a message is to be repeated first.")
        settled[:] = [one for one in settled if one not in theirs]

    def _parse(self, records: Sequence[Record]) -> list[Sighted]:
        batch = []
        for record in records:
            try:
                batch.append(Sighted(record, from_stream(record["dynamodb"]["NewImage"])))
            except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
                self._put_aside(record, error)
        return batch

    def _read(self, batch: Sequence[Sighted]) -> Known:
        """One batched read: the workspaces, where identities lead, events that may be there twice, messages named."""
        places: dict[Key, tuple[str, Identity]] = {}
        twins: dict[Key, tuple[str, Identity, str]] = {}
        for event in (sighted.event for sighted in batch):
            for identity in identities_of(event):
                places[self._contacts.identity_key(event.workspace, identity)] = (event.workspace, identity)
            if event.user is not None and event.anonymous is not None:
                key = self._events.key(event.workspace, event.anonymous, event.message_id)
                twins[key] = (event.workspace, event.anonymous, event.message_id)
        workspaces = [self._workspaces.key(name) for name in sorted({sighted.event.workspace for sighted in batch})]
        messages = self._visits.keys(sighted.event for sighted in batch)
        found = self._database.batch_get([*workspaces, *places, *twins, *messages])
        known = Known()
        for key in workspaces:
            if key in found:
                workspace = self._workspaces.entity(found[key])
                known.workspaces[workspace.id] = workspace
                self._listeners.refresh(workspace)
        known.roots = self._visits.roots(messages, found)
        known.leads = {place: self._contacts.lead_in(found[key]) for key, place in places.items() if key in found}
        known.twins = {place: self._events.entity(found[key]) for key, place in twins.items() if key in found}
        return known

    def _contact_of_first(
        self, known: Known, settled: list[Placed], failed: list[str], group: Sequence[Sighted]
    ) -> str:
        event = group[0].event
        return self._owners.contact_of(
            event, known, partial(self._serve_first, known, settled, failed, event.workspace)
        )

    def _load(
        self, by_contact: Mapping[tuple[str, str], Sequence[Sighted]], known: Known
    ) -> dict[tuple[str, str], Contact]:
        """The contacts whose events change them or may start something: one batched read, none if there are none.

        With them, events that came without the user id that their device belongs to, and may have come with it before.
        """
        places = [place for place, group in by_contact.items() if any(self._matters(one.event, known) for one in group)]
        keys = {self._contacts.contact_key(*place): place for place in places if place not in known.born}
        twins = {}
        for event in (sighted.event for group in by_contact.values() for sighted in group):
            owner = known.owner(event)
            if owner is not None:
                place = (event.workspace, owner, event.message_id)
                twins[self._events.key(*place)] = place
        found = self._database.batch_get([*keys, *twins]) if keys or twins else {}
        known.twins |= {place: self._events.entity(found[key]) for key, place in twins.items() if key in found}
        return known.born | {keys[key]: self._contacts.entity(item) for key, item in found.items() if key in keys}

    def _matters(self, event: Event, known: Known) -> bool:
        """Whether the contact must be read for an event, and not only be told when it was seen."""
        changes = event.contact_traits or event.type in COMPANY_CALLS or external_ids(event.context)
        heard = self._admitting.concerns(event) or self._offering.concerns(event) or self._waking.concerns(event)
        heard = heard or self._leaving.concerns(event) or self._redating.concerns(event, self._folding.context_of)
        heard = heard or self._reaching.concerns(event)
        heard = heard or (_may_make_known(event, known) and self._leaving.concerns_change(event.workspace))
        return bool(changes) or is_visit(event, known.roots) or heard or self._ratings.concerns(event)

    def _serve(self, place: tuple[str, str], before: Contact | None, known: Known, group: Sequence[Sighted]) -> None:
        """Everything that a contact's events of a batch mean: one write, then causes, companies and enrolments."""
        events = [sighted.event for sighted in group]
        if before is None or before.merged_into or before.erased_at:
            if not any(self._matters(event, known) for event in events):
                self._touch(place, events, known)
                return
            before = self._directory.get(*place)
        traced = self._visits.trace(events, known.roots, before)
        contact = before
        asked: list[Asked] = []
        changes: list[Event] = []
        for one in traced:
            earlier = contact
            contact, refused = self._tell(contact, one, known)
            changes += self._changes(earlier, contact, one.event)
            self._refusals.keep(one.event, contact.id, refused)
            asked += filter(None, [self._admitting.ask(contact, one.event)])
        self._redating.redate(before, contact, events, known.time_zone(place[0]))
        self._keep(before, contact, traced, changes, known)
        self._visits.keep(contact, traced)
        for event in events:
            self._tell_company(event)
        self._let_out(contact, events, known)
        for event in filter(self._waking.concerns, events):
            self._waking.wake(contact, event)
        for said in asked:
            self._admitting.admit(said, zone=known.time_zone(place[0]))
        if any(said.admitting for said in asked):  # what lets out may have come right after what enrolled
            self._let_out(contact, events, known)
        for event in filter(self._reaching.concerns, events):  # at last: they may have come right after what enrolled
            self._reaching.reach(contact, event)
        for event in filter(self._offering.concerns, events):
            self._offering.offer(contact, event, known.time_zone(place[0]))

    def _tell(self, contact: Contact, one: Traced, known: Known) -> tuple[Contact, list[Refusal]]:
        event = one.event
        first = event.user or event.anonymous
        if not event.contact and first not in contact.identities:
            # It went to somebody else since it was looked up: a merge was taken back, or a device was another's.
            raise Unavailable("identity_contended", "The identities of a message kept changing.")
        told, refused = self._folding.tell(contact, event, known.identifiers(event.workspace), known.introduces(event))
        told = self._ratings.told(told, event, known.time_zone(event.workspace))
        return (with_visit(told, one.is_visit) if one.is_visit else told), refused

    def _let_out(self, contact: Contact, events: Sequence[Event], known: Known) -> None:
        """Whoever has to leave an automation leaves before anything else comes of the events there."""
        for event in filter(self._leaving.concerns, events):
            self._leaving.let_out(contact, event)
        # An edit changed the contact before its event came here, and a repeat finds the change made: events tell.
        changed = any(event.contact_traits or _may_make_known(event, known) for event in events)
        if changed and self._leaving.concerns_change(contact.workspace):
            self._leaving.let_out(contact, None)

    def _tell_company(self, event: Event) -> None:
        if event.type == "group":
            stamp = Stamp(event.timestamp, event.message_id)
            self._companies.tell(event.workspace, event.group_id, event.traits, stamp, event.received_at)

    def _touch(self, place: tuple[str, str], events: Sequence[Event], known: Known) -> None:
        """Tell when a contact was seen, and its context then; read it only if it was seen later than that."""
        acts = [event for event in events if not event.contact]
        if not acts:
            return
        context: Context = {}
        for event in acts:
            context = merged(context, self._folding.context_of(event))
        times = [event.received_at for event in acts]
        contact = self._contacts.touch(*place, min(times), max(times), context)
        if contact is None:
            unvisited = [Traced(event, event) for event in acts]
            contact = self._change(*place, unvisited, known)
        self._visits.keep(contact, self._visits.trace(acts, known.roots, contact))

    def _changes(self, before: Contact, after: Contact, event: Event) -> list[Event]:
        """What tells of the change that an event made, if an automation listens to that."""
        if not self._listeners.hears(event.workspace, CONTACT_UPDATED):
            return []
        return [told for told in [told_of(before, after, event)] if told is not None]

    def _keep(
        self, before: Contact, after: Contact, traced: Sequence[Traced], changes: Sequence[Event], known: Known
    ) -> None:
        if before == after:  # a form's contact was kept when it came, and one that an event made as it was made
            for told in changes:
                self._events.add(told)
            return
        parts = [self._events.part(told) for told in changes]
        try:
            self._contacts.commit([Change(before, after)], parts=parts, identifiers=known.identifiers(before.workspace))
        except ConditionFailed:
            # Somebody else changed the contact since it was read: say it again to what it is now.
            self._change(before.workspace, before.id, traced, known)

    def _change(self, workspace: str, contact: str, traced: Sequence[Traced], known: Known) -> Contact:
        """Tell events to a contact as it is now, and keep what was refused of them."""
        refused: list[tuple[Event, list[Refusal]]] = []
        changes: list[Event] = []

        def told(found: Contact) -> Contact:
            first = found
            refused.clear()
            changes.clear()
            for one in traced:
                earlier = found
                found, refusals = self._tell(found, one, known)
                refused.append((one.event, refusals))
                changes.extend(self._changes(earlier, found, one.event))
            self._redating.redate(first, found, [one.event for one in traced], known.time_zone(workspace))
            return found

        changed = self._directory.change(
            workspace, contact, told, parts=lambda _: [self._events.part(one) for one in changes]
        )
        for event, refusals in refused:
            self._refusals.keep(event, changed.id, refusals)
        return changed

    def _guarded(self, group: list[Sighted], serve: Callable[[list[Sighted]], Any], failed: list[str]) -> Any:
        """Serve a group of records; what AWS could not do now is repeated, a record that breaks us is set aside."""
        try:
            return serve(group)
        except PersonErased as error:
            # Told before: let go. Told since: the identities are free in a moment, and it begins somebody new.
            if any(not one.event.contact and one.event.received_at > error.erased_at for one in group):
                logger.warning("to be repeated", extra={"code": error.code, "records": len(group)})
                failed.append(group[0].sequence)
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


def _stands_at(one: Placed, known: Known) -> tuple[str, str]:
    sighted, contact = one
    return sighted.event.workspace, known.now(sighted.event, contact)


def _may_make_known(event: Event, known: Known) -> bool:
    """Whether an event may say who somebody is, also without any traits: any call may, by the user id that it has."""
    return known.introduces(event) or (event.type == SYSTEM and event.name == CONTACT_UPDATED)
