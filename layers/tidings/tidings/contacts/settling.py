"""Making the identities of a message lead to one contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tidings.accounts.model import Identifiers
from tidings.contacts.erased import PersonErased
from tidings.contacts.linking import Act, Plan, Sighting, plan
from tidings.contacts.merges import MergeService, Surroundings
from tidings.contacts.merging import absorb, are_apart, merge_record, without
from tidings.contacts.model import UNIQUE_KINDS, Contact, Identity, IdentityKind, Lead
from tidings.contacts.rules import has_room_for
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.errors import Conflict, Unavailable
from tidings.core.ids import contact_id
from tidings.core.store import ConditionFailed

TRIES = 5
# What may make a contact of identities that led to somebody before: only then it is asked whether they were erased.
MAKING = frozenset({Act.ADD, Act.PROMOTE, Act.MOVE})

# What takes something from contacts that are there, or makes other people of them.
CHANGING = frozenset({Act.PROMOTE, Act.MERGE, Act.MOVE})

First = Callable[[Contact], Contact]
# Told of the contacts that are about to become others.
AboutTo = Callable[[frozenset[str]], None]


@dataclass(frozen=True, slots=True)
class Settled:
    """The contact that a message belongs to; the contact itself where the message just made it.

    `leads` are where identities lead that this changed, `gone` a contact that became part of another by it.
    """

    contact: str
    born: Contact | None = None
    leads: Mapping[Identity, Lead] = field(default_factory=dict)
    gone: str = ""


class Settlement:
    """Does what `linking.plan` decides, in one write each, and plans again where somebody was faster."""

    def __init__(
        self,
        contacts: DynamoContactStore,
        directory: ContactDirectory,
        merges: MergeService,
        surroundings: Surroundings,
    ) -> None:
        self._contacts = contacts
        self._directory = directory
        self._merges = merges
        self._surroundings = surroundings

    def settle(
        self,
        sighting: Sighting,
        user: Lead | None,
        anonymous: Lead | None,
        identifiers: Identifiers,
        first: First,
        about_to: AboutTo,
    ) -> Settled:
        """The contact that a message belongs to, after making its identities lead there.

        `user` and `anonymous` are where the identities lead already, `first` what the message says of a new contact.
        `about_to` hears of contacts that it makes known, merges or takes a device from, before that; what it raises
        keeps it from happening. Nothing is written where they lead to one contact. Raises PersonErased for a message
        from before the person was erased, and Unavailable if the identities kept changing.
        """
        for _ in range(TRIES):
            planned = plan(sighting, user, anonymous)
            if planned.act is Act.NOTHING:
                return Settled(planned.contact)
            if planned.act in MAKING:
                sighting = self._with_new_id(sighting)
            if planned.act in CHANGING:
                about_to(frozenset(lead.contact for lead in (user, anonymous) if lead is not None))
            try:
                return self._do(planned, sighting, user, anonymous, identifiers, first)
            except ConditionFailed:
                user = self._lookup(sighting, sighting.user)
                anonymous = self._lookup(sighting, sighting.anonymous)
        raise Unavailable("identity_contended", "The identities of a message kept changing.")

    def _with_new_id(self, sighting: Sighting) -> Sighting:
        """The sighting with the id of the contact it may make; no erased contact's, though the message be the same."""
        contact = contact_id(sighting.workspace, str(sighting.first), sighting.message_id)
        erased = self._contacts.erased
        erased_at, taken = erased.look(sighting.workspace, sighting.secret, sighting.identities, contact)
        if erased_at is not None and sighting.at <= erased_at:
            raise PersonErased(erased_at)
        return replace(sighting, new_id=erased.unused(sighting.workspace, contact) if taken else contact)

    def _lookup(self, sighting: Sighting, identity: Identity | None) -> Lead | None:
        return None if identity is None else self._contacts.lead(sighting.workspace, identity)

    def _do(
        self,
        planned: Plan,
        sighting: Sighting,
        user: Lead | None,
        anonymous: Lead | None,
        identifiers: Identifiers,
        first: First,
    ) -> Settled:
        if planned.act is Act.ADD:
            return self._add(sighting, user, anonymous, first)
        if planned.act is Act.EARLIER and sighting.user and sighting.anonymous:
            self._contacts.earlier(sighting.workspace, sighting.anonymous, sighting.user.value, sighting.stamp)
            lead = Lead(planned.contact, sighting.user.value, sighting.stamp)
            return Settled(planned.contact, leads={sighting.anonymous: lead})
        if planned.act is Act.LINK:
            return self._link(sighting, planned.contact, anonymous, identifiers)
        if planned.act is Act.PROMOTE:
            return self._promote(sighting, planned.contact, identifiers)
        if planned.act is Act.MERGE and anonymous is not None:
            return self._merge(sighting, planned.contact, anonymous, identifiers)
        if anonymous is not None:
            return self._move(sighting, user, anonymous, identifiers, first)
        raise ValueError(f"nothing can be done about {planned.act}")

    def _add(self, sighting: Sighting, user: Lead | None, anonymous: Lead | None, first: First) -> Settled:
        """A new contact, with those identities that lead nowhere yet."""
        free = {sighting.user: user, sighting.anonymous: anonymous}
        identities = frozenset(i for i, lead in free.items() if i is not None and lead is None)
        born = first(Contact(sighting.workspace, sighting.new_id, sighting.at, identities=identities))
        leads = _leads(sighting, born, identities)
        self._contacts.commit([Change(None, born)], leads)
        return Settled(born.id, born, leads)

    def _link(self, sighting: Sighting, contact: str, anonymous: Lead | None, identifiers: Identifiers) -> Settled:
        before = self._directory.get(sighting.workspace, contact)
        if sighting.anonymous in before.identities and self._lookup(sighting, sighting.anonymous) != anonymous:
            raise ConditionFailed({"identity"})  # somebody linked it just now, maybe as of an earlier time
        if sighting.anonymous is not None and not has_room_for(before, {sighting.anonymous}, identifiers):
            return Settled(before.id)  # the workspace keeps no more of them: what the device did alone stays apart
        after = replace(before, identities=before.identities | sighting.identities)
        leads = _leads(sighting, after, frozenset(i for i in (sighting.anonymous,) if i))
        self._contacts.commit([Change(before, after)], leads, identifiers=identifiers)
        return Settled(before.id, leads=leads)

    def _promote(self, sighting: Sighting, contact: str, identifiers: Identifiers) -> Settled:
        before = self._directory.get(sighting.workspace, contact)
        if before.is_known:
            raise ConditionFailed({"contact"})
        after = replace(before, identities=before.identities | sighting.identities)
        leads = _leads(sighting, after, after.of_kind(*UNIQUE_KINDS))
        self._contacts.commit([Change(before, after)], leads, identifiers=identifiers)
        return Settled(before.id, leads=leads)

    def _merge(self, sighting: Sighting, user: str, anonymous: Lead, identifiers: Identifiers) -> Settled:
        survivor = self._directory.get(sighting.workspace, user)
        absorbed = self._directory.get(sighting.workspace, anonymous.contact)
        if survivor.id == absorbed.id:
            raise ConditionFailed({"contact"})
        if absorbed.is_known and self._lookup(sighting, sighting.anonymous) != anonymous:
            raise ConditionFailed({"identity"})  # it became another's just now, maybe by a later link than this
        if are_apart(survivor, absorbed):
            return Settled(survivor.id)  # they were merged before, and somebody took it back
        rule = "aliased" if sighting.by_alias else "identified"
        try:
            prepared = self._merges.prepare(survivor, absorbed, rule, sighting.call, sighting.stamp, identifiers)
        except Conflict:
            return Settled(survivor.id)
        self._merges.write(prepared, identifiers)
        return Settled(survivor.id, leads=prepared.leads, gone=absorbed.id)

    def _move(
        self, sighting: Sighting, user: Lead | None, anonymous: Lead, identifiers: Identifiers, first: First
    ) -> Settled:
        """The device was this user's before it was another's: what it did alone goes with it.

        Both contacts are told again from their own events, since what was said of one cannot be taken out of the other.
        """
        moved = frozenset(i for i in (sighting.anonymous,) if i)
        loser = self._directory.get(sighting.workspace, anonymous.contact)
        if not moved <= loser.identities or (user is not None and user.contact == loser.id):
            raise ConditionFailed({"contact"})
        left = self._surroundings.told(without(loser, moved), identifiers)
        alone = Contact(sighting.workspace, "", sighting.at, identities=moved)
        alone = self._surroundings.told(alone, identifiers)
        if user is None:
            new = Contact(sighting.workspace, sighting.new_id, sighting.at, identities=sighting.identities)
            before, own = None, new
            own = first(own)
        else:
            before = own = self._directory.get(sighting.workspace, user.contact)
            if not has_room_for(own, moved, identifiers):
                return Settled(own.id)
        after = replace(absorb(own, alone, identifiers), absorbed=own.absorbed)
        record = merge_record(after, replace(loser, identities=moved, absorbed=()), "moved", sighting.call, sighting.at)
        parts = self._merges.moved(record, after, alone)
        leads = _leads(sighting, after, moved | (sighting.identities if user is None else frozenset()))
        was = dict.fromkeys(moved, anonymous)  # a link that was learnt since may be earlier than this
        self._contacts.commit([Change(loser, left), Change(before, after)], leads, parts, identifiers, was)
        return Settled(after.id, after if before is None else None, leads)


def _leads(sighting: Sighting, contact: Contact, identities: frozenset[Identity]) -> dict[Identity, Lead]:
    """What is kept beside identities that this message brought to a contact: whose they are, and since when."""
    owner = sighting.user.value if sighting.user else ""
    return {
        i: Lead(contact.id, owner if i.kind is IdentityKind.ANONYMOUS else "", sighting.stamp if owner else None)
        for i in identities
    }
