"""The tables of contacts and of the identities and index entries that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

from pynamodb.attributes import BooleanAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from tidings.accounts.model import Identifiers
from tidings.contacts import items
from tidings.contacts.erased import ErasedPeople
from tidings.contacts.merging import Entry, entries
from tidings.contacts.model import UNIQUE_KINDS, Contact, Context, Identity, Lead, Stamp
from tidings.contacts.rules import EVERYWHERE
from tidings.core.clock import to_text
from tidings.core.ids import shard
from tidings.core.store import (
    ConditionFailed,
    Database,
    Item,
    JsonAttribute,
    Key,
    Part,
    SingleItem,
    check,
    delete,
    faults,
    put,
    update,
)

UNIQUE = "."
# Over how many items the counts of people are spread.
SHARDS = 8


class ListedIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The contacts of a workspace, by when they were created."""

    class Meta:
        index_name = "listed"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ContactItem(SingleItem):
    id = UnicodeAttribute()
    created_at = UnicodeAttribute()
    listed = UnicodeAttribute(null=True)
    said = JsonAttribute(null=True)
    identities = JsonAttribute(default=list)
    absorbed = JsonAttribute(null=True)
    merged_into = UnicodeAttribute(null=True)
    last_seen_at = UnicodeAttribute(null=True)
    version = NumberAttribute(default=0)
    context: MapAttribute[str, Any] = MapAttribute(null=True)  # type: ignore[no-untyped-call]
    visit = JsonAttribute(null=True)
    apart = JsonAttribute(null=True)
    kept = JsonAttribute(null=True)
    lent = JsonAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)
    rating = JsonAttribute(null=True)
    clearing = JsonAttribute(null=True)
    by_listed = ListedIndex()


class IdentityItem(Item):
    contact = UnicodeAttribute()
    owner = UnicodeAttribute(null=True)
    since = UnicodeAttribute(null=True)
    former = BooleanAttribute(null=True)


class CounterItem(SingleItem):
    identified = NumberAttribute(default=0)
    anonymous = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Change:
    """A contact as it was read, None if it is new, and as it is to be."""

    before: Contact | None
    after: Contact


@dataclass(frozen=True, slots=True)
class People:
    """How many people a workspace has."""

    identified: int
    anonymous: int

    def as_dict(self) -> dict[str, int]:
        """The counts as the API shows them."""
        return {
            "people": self.identified + self.anonymous,
            "identified": self.identified,
            "anonymous": self.anonymous,
        }


class DynamoContactStore:
    """Contacts and identities in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contacts = database.table(ContactItem, "contacts")
        self._identities = database.table(IdentityItem, "identities")

    @cached_property
    def _counters(self) -> type[CounterItem]:
        return self._database.table(CounterItem, "counters")

    # ---- reading ----------------------------------------------------------------------------------------------------

    def contact_key(self, workspace: str, contact: str) -> Key:
        """Where a contact stands, for a batched read."""
        return Key(self._contacts, f"{workspace}#{contact}")

    def identity_key(self, workspace: str, identity: Identity) -> Key:
        """Where a user or anonymous id stands, for a batched read."""
        return Key(self._identities, f"{workspace}#{identity}", UNIQUE)

    def get(self, workspace: str, contact: str) -> Contact | None:
        """A contact by its id: one consistent read."""
        with faults():
            try:
                return self.entity(self._contacts.get(f"{workspace}#{contact}", consistent_read=True))
            except self._contacts.DoesNotExist:
                return None

    def current(self, workspace: str, contact: str) -> Contact | None:
        """A contact by its id, or the one that it became part of: a consistent read, and one for each such merge."""
        found = self.get(workspace, contact)
        while found is not None and found.merged_into:
            found = self.get(workspace, found.merged_into)
        return found

    def lead(self, workspace: str, identity: Identity) -> Lead | None:
        """Where a user or anonymous id leads: one consistent read."""
        with faults():
            try:
                found = self._identities.get(f"{workspace}#{identity}", UNIQUE, consistent_read=True)
            except self._identities.DoesNotExist:
                return None
        return self.lead_in(found)

    def lead_in(self, item: IdentityItem) -> Lead:
        """Where a read identity item leads."""
        return Lead(item.contact, item.owner or "", items.stamp(item.since) if item.since else None)

    def contact_with(self, workspace: str, identity: Identity) -> str | None:
        """The id of the contact that an identity leads to: one read; of those that share it the oldest."""
        if identity.kind not in UNIQUE_KINDS:
            return next(iter(self.contacts_with(workspace, identity, 1)), None)
        lead = self.lead(workspace, identity)
        return None if lead is None else lead.contact

    def contacts_with(self, workspace: str, identity: Identity, most: int) -> list[str]:
        """The ids of contacts that share an address or external id, the oldest first: one query.

        Those that have it now stand before those that had it earlier.
        """
        now, earlier = self.sharing(workspace, identity, max(most, 25))
        return [*now, *earlier][:most]

    def holders(self, workspace: str, identity: Identity, most: int) -> list[str]:
        """The ids of contacts whose address this is now, the oldest first: one query."""
        return self.sharing(workspace, identity, most)[0]

    def sharing(self, workspace: str, identity: Identity, most: int) -> tuple[list[str], list[str]]:
        """The ids of contacts whose address this is now, and of those that had it earlier, oldest first: one query."""
        with faults():
            found = list(self._identities.query(f"{workspace}#{identity}", limit=most, consistent_read=True))
        return [i.contact for i in found if not i.former], [i.contact for i in found if i.former]

    def unused_id(self, workspace: str, candidates: Iterable[Sequence[str]]) -> str:
        """The first id that no contact has or had: a batched read for each group of candidates until there is one."""
        return next(chain.from_iterable(self._unused(workspace, ids) for ids in candidates))

    def _unused(self, workspace: str, ids: Sequence[str]) -> Iterator[str]:
        keys = {one: self.contact_key(workspace, one) for one in ids}
        found = self._database.batch_get(keys.values())
        return (one for one, key in keys.items() if key not in found)

    def people(self, workspace: str) -> People:
        """How many people there are: one batched read."""
        keys = [Key(self._counters, f"{workspace}#people#{number}") for number in range(SHARDS)]
        found = self._database.batch_get(keys).values()
        return People(sum(int(i.identified) for i in found), sum(int(i.anonymous) for i in found))

    # ---- writing ----------------------------------------------------------------------------------------------------

    def commit(
        self,
        changes: Sequence[Change],
        leads: Mapping[Identity, Lead] | None = None,
        parts: Iterable[Part] = (),
        identifiers: Identifiers = EVERYWHERE,
        was: Mapping[Identity, Lead] | None = None,
    ) -> None:
        """Store new and changed contacts, with every identity, index entry and count that follows: one write.

        `leads` says what is to be kept beside an identity: who owns it, and since when; `was` what was kept there as it
        was decided, where that must be so still. Raises ConditionFailed if somebody else changed one of them first, or
        another contact holds a new identity.
        """
        written = [*self._parts(changes, leads or {}, identifiers, was), *parts]
        if len(written) == 1 and written[0].kind == "update":
            with faults():
                written[0].model.update(list(written[0].actions or ()), condition=written[0].condition)
        else:
            self._database.transact(written)

    def writes(
        self, changes: Sequence[Change], leads: Mapping[Identity, Lead], identifiers: Identifiers = EVERYWHERE
    ) -> int:
        """How many items a commit writes; a transaction takes 100."""
        return len(self._parts(changes, leads, identifiers))

    def made(self, new: Contact, identifiers: Identifiers = EVERYWHERE) -> list[Part]:
        """Storing a new contact as part of a transaction: refused if there is one with its id."""
        return self._parts([Change(None, new)], {}, identifiers)

    def present(self, contact: Contact) -> Part:
        """That a contact is still there as itself: refused if it was merged into another, or erased."""
        table = self._contacts
        itself = table.pk.exists() & table.merged_into.does_not_exist() & table.erased_at.does_not_exist()
        return check("contact", table(f"{contact.workspace}#{contact.id}"), itself)

    def change(self, before: Contact, after: Contact, identifiers: Identifiers = EVERYWHERE) -> None:
        """Store a changed contact. Raises ConditionFailed if somebody else changed it first."""
        self.commit([Change(before, after)], identifiers=identifiers)

    @cached_property
    def erased(self) -> ErasedPeople:
        """Who was erased."""
        return ErasedPeople(self._database, self._contacts)

    def leaving(self, before: Contact, at: datetime, identifiers: Identifiers) -> list[Part]:
        """What takes a contact out of counts, index and identities as it is erased, in the order of importance."""
        change = Change(before, Contact(before.workspace, before.id, before.created_at, erased_at=at))
        parts = self._counter_parts([change]) + self._entry_parts([change], identifiers)
        return parts + self._identity_parts([change], {})

    def free(self, key: Key, contact: str) -> None:
        """Delete an identity that leads to a contact: one write. Nothing happens if it leads to another by now."""
        try:
            with faults():
                self._identities(key.pk, key.sk).delete(condition=self._identities.contact == contact)
        except ConditionFailed:
            return

    def earlier(self, workspace: str, anonymous: Identity, owner: str, since: Stamp) -> None:
        """Remember that a link was made earlier than was known: one write.

        Raises ConditionFailed if that or an earlier one is known by now, or the identity is another's.
        """
        item = self._identities
        condition = (item.owner == owner) & (item.since > items.stamp_text(since))
        with faults():
            item(f"{workspace}#{anonymous}", UNIQUE).update(
                [item.since.set(items.stamp_text(since))], condition=condition
            )

    def touch(
        self, workspace: str, contact: str, first: datetime, last: datetime, context: Context | None = None
    ) -> Contact | None:
        """Remember that a contact was seen from `first` until `last`, and its context then: one write, no reading.

        The contact as it then is; None if it was seen after `first` already, so that what is remembered may be later
        than what is told here, or if it became part of another.
        """
        table = self._contacts
        earlier = table.last_seen_at.does_not_exist() | (table.last_seen_at < to_text(first))
        condition = table.pk.exists() & table.merged_into.does_not_exist() & table.erased_at.does_not_exist() & earlier
        # The version grows, so that nobody who read the contact before writes an earlier time over this one.
        actions: list[Action] = [table.last_seen_at.set(to_text(last)), table.version.add(1)]
        for source, fields in (context or {}).items():
            actions += [table.context[source][name].set(items.leaf(value)) for name, value in fields.items()]
        item = table(f"{workspace}#{contact}")
        try:
            with faults():
                item.update(actions, condition=condition)
        except ConditionFailed:
            return None
        return self.entity(item)

    # ---- items ------------------------------------------------------------------------------------------------------

    def entity(self, item: ContactItem) -> Contact:
        """The contact that a read item is."""
        return items.contact(item)

    def _parts(
        self,
        changes: Sequence[Change],
        leads: Mapping[Identity, Lead],
        identifiers: Identifiers,
        was: Mapping[Identity, Lead] | None = None,
    ) -> list[Part]:
        parts = [self._contact_part(change) for change in changes]
        parts += self._identity_parts(changes, leads, was)
        parts += self._entry_parts(changes, identifiers)
        return parts + self._counter_parts(changes)

    def _contact_part(self, change: Change) -> Part:
        table, before, after = self._contacts, change.before, change.after
        values = items.attributes(after)
        item = table(f"{after.workspace}#{after.id}", id=after.id)
        if before is None:
            for name, value in values.items():
                setattr(item, name, value)
            return put("contact", item, table.pk.does_not_exist())
        actions: list[Action] = [table.version.set(before.version + 1)]
        for name, value in values.items():
            attribute = getattr(table, name)
            if name not in ("version", "created_at"):
                actions.append(attribute.remove() if value is None else attribute.set(value))
        return update("contact", item, actions, table.version == before.version)

    def _identity_parts(
        self, changes: Sequence[Change], leads: Mapping[Identity, Lead], was: Mapping[Identity, Lead] | None = None
    ) -> list[Part]:
        held = {i: c.before for c in changes if c.before for i in c.before.of_kind(*UNIQUE_KINDS)}
        holds = {i: c.after for c in changes for i in c.after.of_kind(*UNIQUE_KINDS)}
        parts = []
        for identity, holder in sorted(holds.items(), key=lambda pair: pair[0]):
            before = held.get(identity)
            if before is None or before.id != holder.id or identity in leads:
                parts.append(self._claim(identity, holder, before, leads.get(identity), (was or {}).get(identity)))
        for identity in sorted(held.keys() - holds.keys()):
            parts.append(delete(f"lost {identity.kind}", self._identity(held[identity].workspace, identity)))
        return parts

    def _claim(
        self, identity: Identity, holder: Contact, before: Contact | None, lead: Lead | None, was: Lead | None
    ) -> Part:
        # A repeat of the same claim is fine; another contact's user or anonymous id is not.
        table = self._identities
        item = self._identity(holder.workspace, identity)
        item.contact = holder.id
        item.owner = lead.owner or None if lead else None
        item.since = items.stamp_text(lead.since) if lead and lead.since else None
        free = table.pk.does_not_exist() | (table.contact == holder.id)
        condition = free if before is None else table.contact == before.id
        if was is not None:
            condition &= table.since == items.stamp_text(was.since) if was.since else table.since.does_not_exist()
        return put(f"identity {identity.kind}", item, condition)

    def _identity(self, workspace: str, identity: Identity) -> IdentityItem:
        return self._identities(f"{workspace}#{identity}", UNIQUE)

    def _entry_parts(self, changes: Sequence[Change], identifiers: Identifiers) -> list[Part]:
        gone, new = [], []
        for change in changes:
            after = entries(change.after, to_text(change.after.created_at), identifiers)
            before: frozenset[Entry] = frozenset()
            if change.before is not None:
                before = entries(change.before, to_text(change.before.created_at), identifiers)
            places = {(entry.place, entry.order) for entry in after}
            workspace, contact = change.after.workspace, change.after.id
            for entry in sorted(after - before):
                item = self._identities(f"{workspace}#{entry.place}", entry.order, contact=contact)
                item.former = True if entry.former else None
                new.append(put(f"entry {entry.place.partition('#')[0]}", item))
            for entry in sorted(before - after):
                if (entry.place, entry.order) not in places:
                    gone.append(delete("old entry", self._identities(f"{workspace}#{entry.place}", entry.order)))
        return new + gone

    def _counter_parts(self, changes: Sequence[Change]) -> list[Part]:
        parts = []
        by_item: dict[str, dict[str, int]] = {}
        for change in changes:
            place = f"{change.after.workspace}#people#{shard(change.after.id, SHARDS)}"
            deltas = by_item.setdefault(place, {"identified": 0, "anonymous": 0})
            for contact, by in ((change.before, -1), (change.after, 1)):
                if contact is not None and not contact.merged_into and contact.erased_at is None:
                    deltas["identified" if contact.is_identified else "anonymous"] += by
        for place, deltas in sorted(by_item.items()):
            actions = [getattr(self._counters, name).add(by) for name, by in deltas.items() if by]
            if actions:
                parts.append(update("people", self._counters(place), actions))
        return parts
