"""Reading messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Protocol

from tidings.core import cursors
from tidings.core.errors import NotFound
from tidings.messages.decisions import as_of
from tidings.messages.model import Message
from tidings.messages.reported_store import Place, place_of, read_place


class MessageStore(Protocol):
    """Where messages are kept."""

    def get(self, workspace: str, message: str) -> Message | None: ...


class UnknownStore(Protocol):
    """Where messages that ended as unknown are found."""

    def unknown(self, workspace: str, before: Place | None) -> Iterator[Message]: ...


class MessageService:
    """Reads messages of a workspace."""

    def __init__(self, store: MessageStore, index: UnknownStore) -> None:
        self._store = store
        self._index = index

    def get(self, workspace: str, message: str, at: datetime | None = None) -> Message:
        """A message by its id, as it stood at an instant if one is given. Raises NotFound."""
        found = self._store.get(workspace, message)
        if found is None:
            raise NotFound("unknown_message", "There is no such message.", "message")
        if at is None:
            return found
        seen = as_of(found, at)
        if seen is None:
            raise NotFound("not_yet", "Nothing was decided about this message at that time.", "at")
        return seen

    def unknown(self, workspace: str, limit: int, cursor: str) -> tuple[list[Message], str]:
        """Up to `limit` messages that ended as unknown, those tried last first, and the cursor of the next page.

        One query, seldom more. Raises InvalidInput for a bad cursor.
        """
        scope = (workspace, "unknown")
        found = list(islice(self._index.unknown(workspace, read_place(scope, cursor)), limit + 1))
        page = found[:limit]
        return page, cursors.write(scope, place_of(page[-1])) if len(found) > limit else ""
