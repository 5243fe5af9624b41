"""Conversations of a workspace by inbox and state, latest first, page by page."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, groupby, islice
from typing import Any

from tidings.conversations.model import Conversation, Entry, State
from tidings.conversations.requests import Asked
from tidings.conversations.store import LISTED_SHARDS, DynamoConversationStore, Place, order_of
from tidings.core import cursors
from tidings.core.clock import to_text
from tidings.core.errors import NotFound

Order = tuple[str, str]

# Of the texts of a page: quotes in them are escaped in JSON, and that once more as a function answers.
PAGE_BYTES = 1_500_000


class ConversationListing:
    """Reads what agents look at."""

    def __init__(self, store: DynamoConversationStore) -> None:
        self._store = store

    def page(self, workspace: str, asked: Asked, limit: int, cursor: str) -> tuple[list[Conversation], str]:
        """A page of conversations, and the cursor of the next one, empty at the end. Raises InvalidInput.

        One read of the counts, and a query for each part of each inbox and state that has any.
        """
        scope = ("conversations", workspace, asked.inbox, ",".join(asked.states), asked.agent, asked.channel)
        place = cursors.read(scope, cursor, str, str)
        before = None if place is None else (str(place[0]), str(place[1]))
        places = [one for one in sorted(self._store.counts(workspace)) if _is_asked(asked, one)]
        streams = [
            self._stream(workspace, one, number, asked, limit + 1, before)
            for one in places
            for number in range(LISTED_SHARDS)
        ]
        found = list(islice(heapq.merge(*streams, key=_order, reverse=True), limit + 1))
        page = found[:limit]
        return page, cursors.write(scope, _order(page[-1])) if len(found) > limit else ""

    def _stream(
        self, workspace: str, place: Place, number: int, asked: Asked, size: int, before: Order | None
    ) -> Iterator[Conversation]:
        """One part of the index, in order: of those of one instant the index keeps none."""
        only = {name: value for name, value in (("agent", asked.agent), ("channel", asked.channel)) if value}
        until = before[0] if before else ""
        found = self._store.listed(workspace, place, number, until, size, **only)
        for _, together in groupby(found, key=lambda one: one.last_at):
            for one in sorted(together, key=_order, reverse=True):
                if before is None or _order(one) < before:
                    yield one

    def entries(self, conversation: Conversation, limit: int, cursor: str) -> tuple[list[Entry], str]:
        """A page of what stands in a conversation, by time, and the cursor of the next one. Raises InvalidInput.

        It is shorter than `limit` where the texts are long: an answer of Lambda has 6 MB at most.
        """
        scope = ("entries", conversation.workspace, conversation.id)
        place = cursors.read(scope, cursor, str)
        found = self._store.entries(conversation.workspace, conversation.id, str(place[0]) if place else "", limit + 1)
        ends = accumulate(len(one.text.encode()) for one in found)
        page = found[: min(limit, max(1, bisect_right(list(ends), PAGE_BYTES)))]
        return page, cursors.write(scope, [order_of(page[-1])]) if len(found) > len(page) else ""

    def show(self, workspace: str, conversation: str, limit: int, cursor: str) -> dict[str, Any]:
        """A conversation with a page of what stands in it: two reads. Raises NotFound, InvalidInput."""
        found = self._store.get(workspace, conversation)
        if found is None:
            raise NotFound("unknown_conversation", "There is no such conversation.", "conversation")
        page, following = self.entries(found, limit, cursor)
        return {**found.as_dict(), "entries": [one.as_dict() for one in page], "cursor": following}

    def counts(self, workspace: str) -> dict[str, Any]:
        """How many conversations each inbox has in each state, and all of them together: one batched read."""
        counted = self._store.counts(workspace)
        names = sorted({inbox for inbox, _ in counted})
        inboxes = {name: {one.value: counted.get((name, one.value), 0) for one in State} for name in names}
        total = {one.value: sum(by_state[one.value] for by_state in inboxes.values()) for one in State}
        return {"inboxes": inboxes, "total": total}


def _is_asked(asked: Asked, place: Place) -> bool:
    return asked.inbox in ("", place[0]) and place[1] in asked.states


def _order(conversation: Conversation) -> Order:
    return to_text(conversation.last_at), conversation.id
