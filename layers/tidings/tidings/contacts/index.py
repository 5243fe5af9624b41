"""Reading the index of contacts in stretches: who stands under an address or a name, and who is there at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidings.contacts.items import LISTED_SHARDS
from tidings.contacts.model import Contact
from tidings.contacts.store import ContactItem, DynamoContactStore, IdentityItem
from tidings.core.store import Database, faults

# The most that an index entry's sort key can hold.
KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Found:
    """An index entry: its sort key, the contact, and whether the address is one that the contact had earlier."""

    order: str
    contact: str
    former: bool = False


class DynamoContactIndex:
    """The index entries beside identities, and the sparse index of the contacts table."""

    def __init__(self, database: Database, contacts: DynamoContactStore) -> None:
        self._database = database
        self._store = contacts
        self._contacts = database.table(ContactItem, "contacts")
        self._identities = database.table(IdentityItem, "identities")

    def entries(self, workspace: str, place: str, prefix: str, after: str, most: int) -> list[Found]:
        """Up to `most` entries of a place beyond one, those whose sort key begins so: one query, consistent."""
        pk = f"{workspace}#{place}"
        start = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
        condition = self._identities.sk.startswith(prefix) if prefix else None
        with faults():
            found = self._identities.query(pk, condition, limit=most, last_evaluated_key=start, consistent_read=True)
            return [Found(item.sk, item.contact, bool(item.former)) for item in found]

    def listed(self, workspace: str, number: int, after: tuple[str, str] | None, most: int) -> list[Found]:
        """Up to `most` contacts of one of the list's parts beyond one, by when they were made: one query.

        A new contact stands in it within moments. `after` is when the last one was made, and its id.
        """
        place = f"{workspace}#{number}"
        start = None
        if after is not None:
            start = {"pk": f"{workspace}#{after[1]}", "listed": place, "created_at": after[0]}
        with faults():
            found = self._contacts.by_listed.query(
                place,
                limit=most,
                last_evaluated_key={name: {"S": text} for name, text in start.items()} if start else None,
            )
            return [Found(item.created_at, item.pk.partition("#")[2]) for item in found]

    def read(self, workspace: str, contacts: Sequence[str]) -> dict[str, Contact]:
        """Contacts by their ids, those that are there: one batched read for each 100."""
        keys = {self._store.contact_key(workspace, contact): contact for contact in contacts}
        found = self._database.batch_get(keys) if keys else {}
        return {keys[key]: self._store.entity(item) for key, item in found.items()}


def parts() -> range:
    """The numbers of the parts that the list of contacts is kept in."""
    return range(LISTED_SHARDS)
