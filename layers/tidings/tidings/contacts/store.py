"""The tables of contacts and identities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from tidings.contacts.model import Contact, Identity, IdentityKind, Trait
from tidings.contacts.rules import email_identities
from tidings.core.clock import from_text, to_text
from tidings.core.store import (
    ConditionFailed,
    Database,
    Item,
    JsonAttribute,
    Key,
    Part,
    SingleItem,
    delete,
    faults,
    put,
    update,
)

UNIQUE = "."


class ContactItem(SingleItem):
    id = UnicodeAttribute()
    created_at = UnicodeAttribute()
    traits = JsonAttribute(default=dict)
    identities = JsonAttribute(default=list)
    absorbed = JsonAttribute(default=list)
    merged_into = UnicodeAttribute(null=True)
    last_seen_at = UnicodeAttribute(null=True)
    version = NumberAttribute(default=0)


class IdentityItem(Item):
    contact = UnicodeAttribute()


class DynamoContactStore:
    """Contacts and identities in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contacts = database.table(ContactItem, "contacts")
        self._identities = database.table(IdentityItem, "identities")

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

    def contact_with(self, workspace: str, identity: Identity) -> str | None:
        """The id of the contact that an identity leads to: one read; for an e-mail the oldest contact with it."""
        if identity.kind is IdentityKind.EMAIL:
            return next(iter(self.contacts_with(workspace, identity, 1)), None)
        with faults():
            try:
                return self._identities.get(f"{workspace}#{identity}", UNIQUE, consistent_read=True).contact
            except self._identities.DoesNotExist:
                return None

    def contacts_with(self, workspace: str, email: Identity, most: int) -> list[str]:
        """The ids of contacts with an e-mail address, the oldest first: one query."""
        with faults():
            found = self._identities.query(f"{workspace}#{email}", limit=most, consistent_read=True)
            return [item.contact for item in found]

    def add(self, contact: Contact) -> None:
        """Store a new contact and all its identities. Raises ConditionFailed if one of them is taken."""
        parts = [put("contact", self._item(contact), self._contacts.pk.does_not_exist())]
        parts += [self._claim(contact, identity) for identity in sorted(contact.identities)]
        self._database.transact(parts)

    def change(self, before: Contact, after: Contact) -> None:
        """Store a changed contact and the identities it won or lost: one write.

        Raises ConditionFailed if somebody else changed it first, or another contact holds a new identity.
        """
        gained, lost = after.identities - before.identities, before.identities - after.identities
        change = self._change(before, after)
        if not gained and not lost:
            with faults():
                change.model.update(list(change.actions or ()), condition=change.condition)
            return
        parts = [change]
        parts += [self._claim(after, identity) for identity in sorted(gained)]
        parts += [delete(f"lost {i}", self._identity(before, i)) for i in sorted(lost)]
        self._database.transact(parts)

    def merge(self, before: Contact, after: Contact, absorbed: Contact) -> None:
        """Store a contact that absorbed another, whose identities now lead here: one write."""
        parts = [self._change(before, after), self._retire(absorbed, after.id)]
        parts += [self._move(absorbed, after, i) for i in sorted(after.identities - before.identities)]
        parts += [delete(f"lost {i}", self._identity(before, i)) for i in sorted(before.identities - after.identities)]
        parts += [delete(f"old {i}", self._identity(absorbed, i)) for i in sorted(email_identities(absorbed))]
        self._database.transact(parts)

    def touch(self, workspace: str, contact: str, at: datetime) -> bool:
        """Remember when a contact was last seen: one write, without reading.

        False if a later time is remembered, or the contact became part of another.
        """
        seen_at, merged = self._contacts.last_seen_at, self._contacts.merged_into
        earlier = seen_at.does_not_exist() | (seen_at < to_text(at))
        condition = self._contacts.pk.exists() & merged.does_not_exist() & earlier
        # The version grows, so that nobody who read the contact before writes an earlier time over this one.
        actions: list[Action] = [seen_at.set(to_text(at)), self._contacts.version.add(1)]
        try:
            with faults():
                self._contacts(f"{workspace}#{contact}").update(actions, condition=condition)
        except ConditionFailed:
            return False
        return True

    def entity(self, item: ContactItem) -> Contact:
        """The contact that a read item is."""
        return Contact(
            workspace=item.pk.partition("#")[0],
            id=item.id,
            created_at=from_text(item.created_at),
            traits={name: Trait(t["v"], from_text(t["at"]), t["by"]) for name, t in item.traits.items()},
            identities=frozenset(Identity.parse(text) for text in item.identities),
            absorbed=tuple(item.absorbed),
            merged_into=item.merged_into or "",
            last_seen_at=from_text(item.last_seen_at) if item.last_seen_at else None,
            version=int(item.version),
        )

    def _item(self, contact: Contact) -> ContactItem:
        return self._contacts(f"{contact.workspace}#{contact.id}", id=contact.id, **_attributes(contact))

    def _change(self, before: Contact, after: Contact) -> Part:
        item, table = self._item(after), self._contacts
        actions = [
            table.traits.set(item.traits),
            table.identities.set(item.identities),
            table.absorbed.set(item.absorbed),
            table.version.set(before.version + 1),
        ]
        if item.last_seen_at:
            actions.append(table.last_seen_at.set(item.last_seen_at))
        return update("contact", item, actions, table.version == before.version)

    def _retire(self, contact: Contact, into: str) -> Part:
        table = self._contacts
        actions = [table.merged_into.set(into), table.identities.set([]), table.version.set(contact.version + 1)]
        return update("absorbed", self._item(contact), actions, table.version == contact.version)

    def _identity(self, contact: Contact, identity: Identity) -> IdentityItem:
        sk = f"{to_text(contact.created_at)}#{contact.id}" if identity.kind is IdentityKind.EMAIL else UNIQUE
        return self._identities(f"{contact.workspace}#{identity}", sk, contact=contact.id)

    def _claim(self, contact: Contact, identity: Identity) -> Part:
        # A repeat of the same claim is fine; another contact's user or anonymous id is not.
        table = self._identities
        free = table.pk.does_not_exist() | (table.contact == contact.id)
        return put(f"identity {identity.kind}", self._identity(contact, identity), free)

    def _move(self, absorbed: Contact, after: Contact, identity: Identity) -> Part:
        if identity.kind is IdentityKind.EMAIL:
            return put(f"move {identity.kind}", self._identity(after, identity))
        return put(f"move {identity.kind}", self._identity(after, identity), self._identities.contact == absorbed.id)


def _attributes(contact: Contact) -> dict[str, Any]:
    return {
        "created_at": to_text(contact.created_at),
        "traits": _traits(contact.traits),
        "identities": sorted(str(identity) for identity in contact.identities),
        "absorbed": list(contact.absorbed),
        "merged_into": contact.merged_into or None,
        "last_seen_at": to_text(contact.last_seen_at) if contact.last_seen_at else None,
        "version": contact.version,
    }


def _traits(traits: Mapping[str, Trait]) -> dict[str, Any]:
    return {name: {"v": t.value, "at": to_text(t.at), "by": t.by} for name, t in traits.items()}


def identities_among(found: Mapping[Key, Any], keys: Iterable[Key]) -> dict[Key, str]:
    """Which contact each identity key of a batched read leads to."""
    return {key: found[key].contact for key in keys if key in found}
