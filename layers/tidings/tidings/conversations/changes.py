"""Changing conversations: each change is written over what was read, with its event and the counts, or not at all.

Whoever says which revision they saw is refused if it is another by now; everybody else's change is made to what stands
there, as often as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.conversations import rules
from tidings.conversations.model import Conversation, ConversationChanged, Entry
from tidings.conversations.store import DynamoConversationStore
from tidings.conversations.telling import NOTED, RESUMED, changed
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, Unavailable
from tidings.core.store import ConditionFailed, Database

TRIES = 5

Edit = Callable[[Conversation], Conversation]


class Changes:
    """Reads conversations and writes them changed."""

    def __init__(
        self, database: Database, store: DynamoConversationStore, events: DynamoEventStore, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._events = events
        self._clock = clock

    def get(self, workspace: str, conversation: str) -> Conversation:
        """A conversation: one read. Raises NotFound."""
        found = self._store.get(workspace, conversation)
        if found is None:
            raise _unknown()
        return found

    def wake(self, workspace: str, conversation: str, at: datetime) -> None:
        """End a hold whose time has come; nothing happens if it is not on hold until then any more, or not there."""
        try:
            self.make(workspace, conversation, None, lambda one: rules.woken(one, at), RESUMED, {"by": "time"})
        except (NotFound, ConversationChanged):
            return

    def seen(self, workspace: str, conversation: str, revision: int | None) -> Conversation:
        """A conversation as it is, if that is the revision that somebody saw. Raises NotFound, ConversationChanged."""
        found = self.get(workspace, conversation)
        if revision is not None and revision != found.revision:
            raise ConversationChanged("conversation_changed", "Somebody else changed the conversation.", found)
        return found

    def make(
        self,
        workspace: str,
        conversation: str,
        revision: int | None,
        edit: Edit,
        event: str,
        told: Mapping[str, Any],
        note: Entry | None = None,
    ) -> Conversation:
        """Change it unless it is so already: one read, and one transaction. `event` tells of it with `told`.

        Raises NotFound, what `edit` raises, and ConversationChanged where another `revision` was seen.
        """
        for _ in range(TRIES):
            before = self.seen(workspace, conversation, revision)
            after = edit(before)
            if after == before:
                if note is not None:
                    self.add(before, note, NOTED, {**told, "entry": note.id})
                return before
            now = self._clock.now()
            properties = {**told, **moved(before, after), **({"note": note.id} if note else {})}
            parts = self._store.changing(before, after)
            parts.append(self._events.part(changed(after, event, properties, now)))
            if note is not None:
                parts.append(self._store.entry_part(workspace, conversation, note))
            try:
                self._database.transact(parts)
            except ConditionFailed:
                continue
            return after
        raise Unavailable("conversation_contended", "The conversation kept changing.")

    def entry_with(self, conversation: Conversation, entry: str) -> Entry | None:
        """The entry of an id, if it is among the latest of a conversation."""
        return self._store.entry_with(conversation.workspace, conversation.id, entry)

    def add(self, conversation: Conversation, entry: Entry, event: str, told: Mapping[str, Any]) -> Entry:
        """Write an entry that changes nothing of the conversation, and its event: one transaction.

        What was written under its id meanwhile stands, and is returned. Raises NotFound.
        """
        happened = changed(conversation, event, told, entry.at, of=entry.id)
        part = self._store.entry_part(conversation.workspace, conversation.id, entry)
        there = self._store.present(conversation)
        try:
            self._database.transact([there, part, self._events.new_part(happened)])
        except ConditionFailed as error:
            known = self.entry_with(conversation, entry.id)
            if known is None:
                raise _unknown() from error
            return known
        return entry


def moved(before: Conversation, after: Conversation) -> dict[str, Any]:
    """What changed of who has it and where it is."""
    found: dict[str, Any] = {"from_state": before.state.value, "state": after.state.value}
    if before.inbox != after.inbox:
        found |= {"from_inbox": before.inbox, "inbox": after.inbox}
    if before.agent != after.agent:
        found |= {"from_agent": before.agent, "agent": after.agent}
    return found


def _unknown() -> NotFound:
    return NotFound("unknown_conversation", "There is no such conversation.", "conversation")
