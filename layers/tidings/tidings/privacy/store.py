"""Where erasures write: the tombstones of contacts, and what keeps late news from bringing anybody back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.erased import ErasedItem
from tidings.contacts.model import ADDRESS_KINDS, UNIQUE_KINDS, Contact, Identity, Window
from tidings.contacts.store import UNIQUE, ContactItem, DynamoContactStore
from tidings.core.clock import from_text, to_text
from tidings.core.store import ConditionFailed, Database, Key, Part, faults, put
from tidings.privacy.model import Clearing, Tombstone
from tidings.privacy.rules import REMEMBERED, addresses_of

# A transaction of DynamoDB has at most 100 items.
AT_ONCE = 100


class DynamoErasureStore:
    """Tombstones in DynamoDB, in the place of the contacts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(ContactItem, "contacts")
        self._identities = database.table(ErasedItem, "identities")
        self._contacts = DynamoContactStore(database)
        self._consents = DynamoConsentStore(database)

    def tombstone(self, workspace: str, contact: str) -> Tombstone | None:
        """The tombstone of an erased contact: one consistent read. None for one that lives, or never was."""
        with faults():
            try:
                item = self._items.get(f"{workspace}#{contact}", consistent_read=True)
            except self._items.DoesNotExist:
                return None
        return _entity(item)

    def related(self, contact: Contact) -> tuple[str, ...]:
        """The contacts that a merge with this one was taken back: one batched read, none if there are none."""
        keys = [self._contacts.identity_key(contact.workspace, identity) for identity in sorted(contact.apart)]
        found = self._database.batch_get(keys)
        return tuple(sorted({found[key].contact for key in keys if key in found} - set(contact.every_id)))

    def remember(self, workspace: Workspace, contact: Contact, at: datetime) -> None:
        """Remember for a while that whoever had these identities was erased: 25 a call. To be done before `bury`.

        While the identities still lead to the contact nobody asks, so it harms nothing if `bury` is not done after all.
        """
        kinds = (*UNIQUE_KINDS, *ADDRESS_KINDS)
        self._database.batch_write(
            puts=[
                self._contacts.erased.item(workspace.id, workspace.secret, identity, contact.id, at, at + REMEMBERED)
                for identity in sorted(contact.of_kind(*kinds))
            ]
        )

    def bury(self, workspace: Workspace, before: Contact, clearing: Clearing, at: datetime) -> Tombstone:
        """Put a tombstone in a contact's place, and take it out of identities, index, counts and lists: one write.

        Its addresses are suppressed in the same stroke. What is too much for one transaction, for somebody with very
        many devices, is left to be cleared. Raises ConditionFailed if somebody changed the contact since it was read.
        """
        keeping = addresses_of(before) if clearing.keep_out else []
        parts = [self._consents.keep_out(workspace, channel, address, at) for channel, address in keeping]
        leaving = self._contacts.leaving(before, at, workspace.identifiers)
        room = AT_ONCE - 1 - len(parts)
        # Identities are freed one by one as long as they lead here: whoever has one since is somebody new.
        overflow = tuple(place for part in leaving[room:] if (place := _place(part))[1] != UNIQUE)
        tombstone = Tombstone(before.workspace, before.id, before.created_at, at, replace(clearing, entries=overflow))
        grave = self._grave(tombstone, before.version + 1)
        same = self._items.version == before.version
        self._database.transact([put("contact", grave, same), *parts, *leaving[:room]])
        return tombstone

    def clear_absorbed(self, tombstone: Tombstone) -> None:
        """Leave nothing in the contacts that became part of this one, but the way to it."""
        clearing = tombstone.clearing
        contacts = [contact for contact in clearing.contacts if contact != tombstone.contact] if clearing else []
        keys = [self._contacts.contact_key(tombstone.workspace, contact) for contact in contacts]
        found = self._database.batch_get(keys)
        for key in keys:
            item = found.get(key)
            if item is not None and not item.erased_at:
                left = Tombstone(tombstone.workspace, item.id, from_text(item.created_at), tombstone.erased_at)
                grave = self._grave(left, int(item.version) + 1)
                grave.merged_into = tombstone.contact
                with faults():
                    grave.save()

    def clear_entries(self, tombstone: Tombstone, most: int) -> int:
        """Free identities and index entries that found no room in the transaction; how many it took."""
        clearing = tombstone.clearing
        identities = [i for i in clearing.identities if i.kind in UNIQUE_KINDS] if clearing else []
        keys = [self._contacts.identity_key(tombstone.workspace, identity) for identity in identities]
        found = self._database.batch_get(keys)
        left = [key for key in keys if key in found and found[key].contact == tombstone.contact][:most]
        for key in left:
            self._contacts.free(key, tombstone.contact)
        places = clearing.entries if clearing else ()
        self._database.batch_write(deletes=[Key(self._identities, pk, sk) for pk, sk in places])
        return len(left)

    def finish(self, tombstone: Tombstone) -> None:
        """Forget what was to be cleared: the end of an erasure."""
        item = self._items(f"{tombstone.workspace}#{tombstone.contact}")
        try:
            with faults():
                item.update([self._items.clearing.remove()], condition=self._items.erased_at.exists())
        except ConditionFailed:
            return

    def _grave(self, tombstone: Tombstone, version: int) -> ContactItem:
        clearing = tombstone.clearing
        return self._items(
            f"{tombstone.workspace}#{tombstone.contact}",
            id=tombstone.contact,
            created_at=to_text(tombstone.created_at),
            erased_at=to_text(tombstone.erased_at),
            clearing=_clearing_text(clearing) if clearing else None,
            version=version,
        )


def _place(part: Part) -> tuple[str, str]:
    keys = part.model.serialize(null_check=False)
    return str(keys["pk"]["S"]), str(keys["sk"]["S"])


def _entity(item: ContactItem) -> Tombstone | None:
    if not item.erased_at:
        return None
    return Tombstone(
        workspace=item.pk.partition("#")[0],
        contact=item.id,
        created_at=from_text(item.created_at),
        erased_at=from_text(item.erased_at),
        clearing=_read_clearing(item.clearing) if item.clearing else None,
    )


def _clearing_text(clearing: Clearing) -> dict[str, Any]:
    return {
        "identities": [str(identity) for identity in clearing.identities],
        "contacts": list(clearing.contacts),
        "keep_out": clearing.keep_out,
        "kept": _windows(clearing.kept),
        "lent": _windows(clearing.lent),
        "related": list(clearing.related),
        "entries": [list(place) for place in clearing.entries],
    }


def _read_clearing(kept: Any) -> Clearing:
    return Clearing(
        identities=tuple(Identity.parse(text) for text in kept["identities"]),
        contacts=tuple(kept["contacts"]),
        keep_out=bool(kept["keep_out"]),
        kept=_read_windows(kept["kept"]),
        lent=_read_windows(kept["lent"]),
        related=tuple(kept["related"]),
        entries=tuple((pk, sk) for pk, sk in kept["entries"]),
    )


def _windows(windows: Sequence[Window]) -> list[list[str]]:
    return [[window.contact, to_text(window.since), to_text(window.until)] for window in windows]


def _read_windows(kept: Sequence[Sequence[str]]) -> tuple[Window, ...]:
    return tuple(Window(contact, from_text(since), from_text(until)) for contact, since, until in kept)
