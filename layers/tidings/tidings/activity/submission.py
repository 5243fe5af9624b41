"""Taking forms in: whom each is from, what it changes, and the event that tells it; in one write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidings.activity.changes import changes_between
from tidings.activity.folding import Folding
from tidings.activity.forms import Form, read_form
from tidings.activity.rules import Reporter
from tidings.activity.store import DynamoEventStore
from tidings.contacts.conflict_store import DynamoConflictStore
from tidings.contacts.conflicts import MatchConflict, conflict_id
from tidings.contacts.erased import PersonErased
from tidings.contacts.matching import EMAIL, PHONE, Decision, Outcome, match
from tidings.contacts.model import ADDRESS_KINDS, Contact, Identity, IdentityKind, Lead
from tidings.contacts.service import SHARING, TRIES, ContactDirectory
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Database


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a form did, to whom, and the conflict that it left for review."""

    outcome: Outcome
    contact: str = ""
    conflict: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The outcome as the API tells whoever may know it."""
        told = {"outcome": self.outcome.value, "contact": self.contact, "conflict": self.conflict}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a form is about to do. `before` is the contact as it was read, None for a new one, which is `contact`."""

    decision: Decision
    contact: Contact
    before: Contact | None = None
    leads: Mapping[Identity, Lead] = field(default_factory=dict)


class FormService:
    """Matches forms to contacts (product rule 1.6)."""

    def __init__(
        self,
        database: Database,
        contacts: DynamoContactStore,
        directory: ContactDirectory,
        events: DynamoEventStore,
        conflicts: DynamoConflictStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._contacts = contacts
        self._directory = directory
        self._events = events
        self._conflicts = conflicts
        self._clock = clock
        self._folding = Folding()

    def submit(self, reporter: Reporter, secret: str, body: Mapping[str, Any]) -> Submitted:
        """Do what a form says: contact, event and conflict in one write, or nothing at all.

        A repeat (the same message id, or the same content without one) changes nothing. `secret` is the workspace's.
        Raises InvalidInput, or Unavailable if too many changed the same contacts at once.
        """
        form = read_form(reporter, secret, body, self._clock.now())
        if not form.names_somebody:
            return Submitted(Outcome.NOTHING)
        taken: set[str] = set()
        for _ in range(TRIES):
            try:
                return self._attempt(form, taken)
            except ConditionFailed:
                continue
        raise Unavailable("contact_contended", "The contacts of a form kept changing.")

    def _attempt(self, form: Form, taken: set[str]) -> Submitted:
        """Do it with what is known now. Raises ConditionFailed, with new ids that are `taken`, to be tried again."""
        planned = self._plan(form, taken)
        if planned is None:
            # Both contacts that it could make are there: it made one, which has moved on since.
            return Submitted(Outcome.NOTHING, form.new_ids()[-1])
        contact = planned.contact.id
        conflict = _conflict(form, planned)
        repeated = Submitted(Outcome.NOTHING, contact, conflict.id if conflict else "")
        if self._was_told_to_another(form, planned.contact):
            return repeated
        try:
            self._write(form, planned, conflict)
        except ConditionFailed as error:
            if "event" in error.labels:
                return repeated
            if planned.before is None and "contact" in error.labels:
                taken.add(contact)
            raise
        return replace(repeated, outcome=planned.decision.outcome)

    def _was_told_to_another(self, form: Form, contact: Contact) -> bool:
        """Whether the form came before, when its contact was still one that has become part of this one."""
        return self._told_to(form, contact.absorbed)

    def _told_to(self, form: Form, contacts: Iterable[str]) -> bool:
        """Whether the form came before, as one of these contacts'."""
        own = (Identity(IdentityKind.CONTACT, contact) for contact in contacts)
        keys = [self._events.key(form.reporter.workspace, identity, form.message_id) for identity in own]
        return bool(keys and self._database.batch_get(keys))

    def _plan(self, form: Form, taken: set[str]) -> Plan | None:
        if form.user_id:
            return self._logged_in(form, taken)
        by_email, by_phone, earlier = self._holders(form)
        first = next(kind for kind in form.reporter.identifiers.priority if kind in (EMAIL, PHONE))
        decision = match(form.email, form.phone, None, by_email, by_phone, first)
        if decision.outcome is Outcome.CREATE:
            moved = self._told_to(form, earlier)  # a repeat of when somebody else still had the address
            return None if moved else self._somebody_new(form, decision, taken)
        found = next(one for one in (*by_email, *by_phone) if one.id == decision.contact)
        return Plan(decision, found, found)

    def _logged_in(self, form: Form, taken: set[str]) -> Plan | None:
        workspace, user = form.reporter.workspace, Identity(IdentityKind.USER, form.user_id)
        lead = self._contacts.lead(workspace, user)
        if lead is None:
            return self._new(form, Decision(Outcome.CREATE), user, taken)
        found = self._get(workspace, lead.contact)
        return Plan(match(form.email, form.phone, found, (), ()), found, found)

    def _get(self, workspace: str, contact: str) -> Contact:
        try:
            return self._directory.get(workspace, contact)
        except PersonErased as error:
            raise ConditionFailed({"contact"}) from error  # the identities are free in a moment

    def _holders(self, form: Form) -> tuple[list[Contact], list[Contact], list[str]]:
        """Whose the e-mail is and whose the phone, as far as they can be meant, and the ids of who had one earlier.

        A query for each and a batched read. Who had an address earlier is not meant by it: it may be a stranger's now.
        """
        workspace = form.reporter.workspace
        given = zip(ADDRESS_KINDS, (form.email, form.phone), strict=True)
        (by_email, had_email), (by_phone, had_phone) = (
            self._contacts.sharing(workspace, Identity(kind, value), SHARING) if value else ([], [])
            for kind, value in given
        )
        both = [contact for contact in by_email if contact in by_phone]
        read = self._read(workspace, {*by_email[:1], *by_phone[:1], *both[:1]})
        emails, phones = ([read[one] for one in ids if one in read] for ids in (by_email, by_phone))
        return emails, phones, had_email + had_phone

    def _read(self, workspace: str, contacts: set[str]) -> dict[str, Contact]:
        keys = {self._contacts.contact_key(workspace, contact): contact for contact in sorted(contacts)}
        found = self._database.batch_get(keys) if keys else {}
        read = {keys[key]: self._contacts.entity(item) for key, item in found.items()}
        if len(read) < len(keys) or any(contact.merged_into or contact.erased_at for contact in read.values()):
            raise ConditionFailed({"contact"})  # between the two reads somebody merged or erased one
        return read

    def _somebody_new(self, form: Form, decision: Decision, taken: set[str]) -> Plan | None:
        """A new contact; or the visitor's own, if nobody's address is known of it yet."""
        if not form.anonymous_id:
            return self._new(form, decision, None, taken)
        visitor = Identity(IdentityKind.ANONYMOUS, form.anonymous_id)
        lead = self._contacts.lead(form.reporter.workspace, visitor)
        if lead is None:
            return self._new(form, decision, visitor, taken)
        found = self._get(form.reporter.workspace, lead.contact)
        if found.is_known or found.of_kind(*ADDRESS_KINDS) or found.email or found.phone:
            return self._new(form, decision, None, taken)
        return Plan(decision, found, found)

    def _new(self, form: Form, decision: Decision, identity: Identity | None, taken: set[str]) -> Plan | None:
        ids = form.new_ids()
        if taken:  # perhaps by somebody who was erased: then another is made from it
            ids = tuple(self._contacts.erased.unused(form.reporter.workspace, one) for one in ids)
        contact_id = next((one for one in ids if one not in taken), None)
        if contact_id is None:
            return None
        identities = frozenset(one for one in (identity,) if one)
        contact = Contact(form.reporter.workspace, contact_id, form.received_at, identities=identities)
        return Plan(decision, contact, leads={one: Lead(contact_id) for one in identities})

    def _write(self, form: Form, planned: Plan, conflict: MatchConflict | None) -> None:
        identifiers = form.reporter.identifiers
        event = form.event(planned.contact, planned.decision.withheld)
        after, _ = self._folding.tell(planned.contact, event, identifiers)
        event = replace(event, properties={**event.properties, **changes_between(planned.contact, after)})
        parts = [self._events.new_part(event)]
        if conflict is not None:
            parts.append(self._conflicts.part(conflict))
        self._contacts.commit([Change(planned.before, after)], planned.leads, parts, identifiers)


def _conflict(form: Form, planned: Plan) -> MatchConflict | None:
    decision = planned.decision
    if not decision.conflict:
        return None
    event = form.event(planned.contact, decision.withheld)
    return MatchConflict(
        workspace=form.reporter.workspace,
        id=conflict_id(form.secret, decision.contact, decision.conflict, form.email, form.phone),
        contact=decision.contact,
        other=decision.conflict,
        address=decision.disputed,
        form=form.name,
        event=str(event.node),
        at=form.received_at,
    )
