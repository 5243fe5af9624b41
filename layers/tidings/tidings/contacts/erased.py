"""Who was erased, remembered for a while by a keyed hash, so that news from before does not bring them back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.contacts.model import Identity
from tidings.core.clock import epoch, from_text, to_text
from tidings.core.errors import NotFound
from tidings.core.ids import digest
from tidings.core.keys import keyed_hash
from tidings.core.store import Database, Item, Key, SingleItem

PLACE = "."


class PersonErased(NotFound):
    """Whoever this was has been erased; to callers there is no such contact."""

    def __init__(self, erased_at: datetime) -> None:
        super().__init__("unknown_contact", "There is no such contact.", "contact")
        self.erased_at = erased_at


class ErasedItem(Item):
    contact = UnicodeAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class ErasedPeople:
    """Looks up whether identities are those of somebody who was erased, and keeps their contact ids from new ones."""

    def __init__(self, database: Database, contacts: type[SingleItem]) -> None:
        self._database = database
        self._contacts = contacts
        self._items = database.table(ErasedItem, "identities")

    def look(
        self, workspace: str, secret: str, identities: Iterable[Identity], contact: str
    ) -> tuple[datetime | None, bool]:
        """When the last who had one of the identities was erased, and whether an erased contact had the id.

        One batched read.
        """
        keys = [Key(self._items, place(workspace, secret, identity), PLACE) for identity in sorted(identities)]
        own = Key(self._contacts, f"{workspace}#{contact}")
        found = self._database.batch_get([*keys, own])
        instants = [from_text(found[key].erased_at) for key in keys if key in found]
        return max(instants, default=None), _is_erased(found.get(own))

    def had(self, workspace: str, secret: str, identity: Identity) -> str:
        """The contact id of the last erased person who had an identity; empty if there was none. One read."""
        key = Key(self._items, place(workspace, secret, identity), PLACE)
        item = self._database.batch_get([key]).get(key)
        return "" if item is None else str(item.contact)

    def unused(self, workspace: str, contact: str) -> str:
        """The id for a new contact: this one, or one made from it if it was an erased contact's. A read for each."""
        while True:
            key = Key(self._contacts, f"{workspace}#{contact}")
            if not _is_erased(self._database.batch_get([key]).get(key)):
                return contact
            contact = another(workspace, contact)

    def key(self, workspace: str, secret: str, identity: Identity) -> Key:
        """Where it is remembered that somebody with an identity was erased, for a batched read."""
        return Key(self._items, place(workspace, secret, identity), PLACE)

    def item(
        self, workspace: str, secret: str, identity: Identity, contact: str, at: datetime, until: datetime
    ) -> ErasedItem:
        """What is remembered of an identity, without saying which."""
        where = place(workspace, secret, identity)
        return self._items(where, PLACE, contact=contact, erased_at=to_text(at), expires_at=epoch(until))


def another(workspace: str, contact: str) -> str:
    """The id that is made from one that an erased contact had."""
    return f"c{digest('contact again', workspace, contact)}"


def place(workspace: str, secret: str, identity: Identity) -> str:
    """Where it is remembered that somebody with an identity was erased."""
    return f"{workspace}#erased#{keyed_hash(secret, str(identity))}"


def _is_erased(item: Any) -> bool:
    return item is not None and bool(item.erased_at)
