"""What a merge of contacts means for their conversations: who survives has those that are open.

A conversation stands where it stood, and what comes in goes on in it. Its copy in the head goes over to who survives,
and back if the merge is undone. The head of who is absorbed must be as it was read: so none begins there meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tidings.contacts.model import ADDRESS_KINDS, Contact
from tidings.conversations.model import Conversation
from tidings.conversations.store import DynamoConversationStore, Head
from tidings.core.store import Database, Part

# So many conversations go over, the latest: a transaction has 100 parts, and a merge others beside these. What is left
# stays open with who is absorbed, where agents find it; only what comes in does not go on in it.
MOVED_MOST = 10


class ConversationsMerged:
    """Lets open conversations follow their person. Contacts that never had an address have none, and cost nothing."""

    def __init__(self, database: Database, store: DynamoConversationStore) -> None:
        self._database = database
        self._store = store

    def merged(self, survivor: Contact, absorbed: Contact) -> list[Part]:
        """Who survives gets what the absorbed one has open: one batched read."""
        if not absorbed.of_kind(*ADDRESS_KINDS):
            return []
        theirs, own = self._heads(absorbed, survivor)
        if not theirs.open:
            return [self._store.unchanged(theirs)]
        latest = sorted(theirs.open.values(), key=lambda one: (one.last_at, one.id), reverse=True)
        return self._moved(theirs, own, {one.id: one for one in latest[:MOVED_MOST]})

    def undone(self, survivor: Contact, restored: Contact) -> list[Part]:
        """Who comes out again gets back what stands under their ids: one batched read."""
        if not restored.of_kind(*ADDRESS_KINDS):
            return []
        own, theirs = self._heads(survivor, restored)
        going = {name: one for name, one in own.open.items() if one.contact in restored.every_id}
        return self._moved(own, theirs, going) if going else []

    def _moved(self, giving: Head, taking: Head, going: Mapping[str, Conversation]) -> list[Part]:
        to = taking.contact
        moved = [
            (one, replace(one, holder="" if one.contact == to else to, revision=one.revision + 1))
            for one in going.values()
        ]
        stays = {name: one for name, one in giving.open.items() if name not in going}
        parts = [self._store.moving(before, after) for before, after in moved]
        parts.append(self._store.replaced(giving, stays))
        parts.append(self._store.replaced(taking, {**taking.open, **{after.id: after for _, after in moved}}))
        return parts

    def _heads(self, *contacts: Contact) -> Sequence[Head]:
        keys = [self._store.head_key(one.workspace, one.id) for one in contacts]
        found = self._database.batch_get(keys)
        return [
            self._store.head(one.workspace, one.id, found.get(key)) for one, key in zip(contacts, keys, strict=True)
        ]
