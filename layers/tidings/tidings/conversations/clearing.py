"""Deleting the conversations of people who were erased."""

from __future__ import annotations

from contextlib import suppress

from tidings.conversations.store import DynamoConversationStore
from tidings.core.store import ConditionFailed, Database


class ConversationClearing:
    """Deletes what stands under a contact's id, some at a time; a repeat goes on where it was interrupted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = DynamoConversationStore(database)

    def clear(self, workspace: str, contact: str, most: int) -> int:
        """Delete up to `most` of it: first what people wrote, then conversations, each with its count, then the head.

        How many items that took; none when nothing was left.
        """
        entries = self._store.entry_keys(workspace, contact, most)
        self._database.batch_write(deletes=entries)
        cleared = len(entries)
        if cleared >= most:
            return cleared
        for conversation in self._store.of_contacts(workspace, [contact])[: most - cleared]:
            with suppress(ConditionFailed):  # where an agent just changed it, the next look finds it again
                self._database.transact(self._store.deleting(conversation))
            cleared += 1
        # It has copies of what is open, the person's address among them.
        if cleared < most and self._store.read_head(workspace, contact).version:
            self._database.batch_write(deletes=[self._store.head_key(workspace, contact)])
            cleared += 1
        return cleared
