"""What agents do with conversations: look at them, take them, pass them on, put them off, and bring them to an end.

Who asks is named by each change. Inboxes and categories are asked of the workspace as it is at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.conversations import rules
from tidings.conversations.changes import Changes
from tidings.conversations.inboxes import require_category, require_inbox
from tidings.conversations.model import Conversation, Direction, Entry
from tidings.conversations.requests import (
    HoldInput,
    NoteInput,
    ResolveInput,
    ResumeInput,
    TakeInput,
    TransferInput,
    read_until,
)
from tidings.conversations.telling import HELD, NOTED, RESOLVED, RESUMED, TAKEN, TRANSFERRED
from tidings.core.clock import Clock, to_text
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.ids import digest, new_id


class Later(Protocol):
    """What waits for an instant."""

    def start(self, name: str, told: Mapping[str, str]) -> None: ...


class ConversationService:
    """Changes conversations in the name of somebody: `who` is an agent, or what else has the key."""

    def __init__(
        self,
        changes: Changes,
        workspaces: DynamoWorkspaceStore,
        later: Later,
        clock: Clock,
    ) -> None:
        self._changes = changes
        self._workspaces = workspaces
        self._later = later
        self._clock = clock

    def take(self, workspace: str, conversation: str, who: str, asked: TakeInput) -> Conversation:
        """Let an agent have it. Raises NotFound, Conflict."""
        agent = asked.agent or who
        told = {"agent": agent, "by": who}
        return self._changes.make(
            workspace, conversation, asked.revision, lambda one: rules.taken(one, agent), TAKEN, told
        )

    def transfer(self, workspace: str, conversation: str, who: str, asked: TransferInput) -> Conversation:
        """Pass it on, with a note if there is one. Raises NotFound, for an unknown inbox too, and Conflict."""
        if asked.inbox is None and asked.agent is None:
            raise InvalidInput("missing_field", "agent or inbox says where it goes.", "agent")
        if asked.inbox is not None:
            require_inbox(self._workspace(workspace), asked.inbox)
        note = self._note(asked.note, new_id(), who) if asked.note else None

        def edit(one: Conversation) -> Conversation:
            return rules.transferred(one, asked.agent, asked.inbox)

        return self._changes.make(workspace, conversation, asked.revision, edit, TRANSFERRED, {"by": who}, note)

    def hold(self, workspace: str, conversation: str, who: str, asked: HoldInput) -> Conversation:
        """Put it off. The execution that ends the hold starts first: it wakes only what waits for its instant.

        Raises NotFound, Conflict, InvalidInput, and Throttled or Unavailable where nothing could be let wait.
        """
        until = read_until(asked.until)

        def edit(one: Conversation) -> Conversation:
            return rules.held(one, until, self._clock.now())

        if until is not None:
            before = self._changes.seen(workspace, conversation, asked.revision)
            edit(before)
            told = {"workspace": workspace, "conversation": conversation, "at": to_text(until)}
            self._later.start(f"wake-{digest('wake', *sorted(told.values()))}", told)
        more = {"until": to_text(until) if until else None, "by": who}
        return self._changes.make(workspace, conversation, asked.revision, edit, HELD, more)

    def resume(self, workspace: str, conversation: str, who: str, asked: ResumeInput) -> Conversation:
        """End a hold. Raises NotFound, Conflict."""
        return self._changes.make(workspace, conversation, asked.revision, rules.resumed, RESUMED, {"by": who})

    def resolve(self, workspace: str, conversation: str, who: str, asked: ResolveInput) -> Conversation:
        """Bring it to an end. Raises NotFound, also for an unknown category, and Conflict."""
        require_category(self._workspace(workspace), asked.category)
        said = {"type": asked.type.value, "category": asked.category, "key_message": asked.key_message, "by": who}
        resolution = {**said, "at": to_text(self._clock.now())}

        def edit(one: Conversation) -> Conversation:
            return rules.resolved(one, resolution)

        return self._changes.make(workspace, conversation, asked.revision, edit, RESOLVED, said)

    def note(self, workspace: str, conversation: str, who: str, asked: NoteInput) -> Entry:
        """Write a note, which the person never sees: one read and one write. Raises NotFound."""
        found = self._changes.get(workspace, conversation)
        key = asked.idempotency_key or new_id()
        entry = self._note(asked.text, digest("note", conversation, who, key), who)
        if asked.idempotency_key:
            known = self._changes.entry_with(found, entry.id)
            if known is not None:
                return known
        return self._changes.add(found, entry, NOTED, {"by": who, "entry": entry.id})

    def _note(self, text: str, name: str, who: str) -> Entry:
        return Entry(name, self._clock.now(), Direction.NOTE, text, who=who)

    def _workspace(self, workspace: str) -> Workspace:
        found = self._workspaces.get(workspace, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found
