"""Conversations of a workspace by inbox and state, latest first, page by page."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from math import inf
from operator import itemgetter
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
# The index knows inboxes and states, and no agents and channels. Who asks for those of one looks through all; a page
# looks through so many, up to so many at once, and says where to go on.
READ_MOST, AT_ONCE = 2_000, 250
_FIRST = "~"  # sorts behind every id: the place above all conversations of an instant


@dataclass(slots=True)
class _Reading:
    """How much a page reads at once and at most, and how much it read."""

    size: int
    most: float
    read: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether there is no room for another query."""
        return self.read + self.size > self.most

    @classmethod
    def of(cls, asked: Asked, limit: int, parts: int) -> _Reading:
        """A page of all that is there reads as much of each part; one that leaves some out shares READ_MOST."""
        if not (asked.agent or asked.channel):
            return cls(limit + 1, inf)
        return cls(max(1, min(AT_ONCE, READ_MOST // max(1, parts))), READ_MOST)


class ConversationListing:
    """Reads what agents look at."""

    def __init__(self, store: DynamoConversationStore) -> None:
        self._store = store

    def page(self, workspace: str, asked: Asked, limit: int, cursor: str) -> tuple[list[Conversation], str]:
        """A page of conversations, and the cursor of the next one, empty at the end. Raises InvalidInput.

        One read of the counts, and a query for each part of each inbox and state that has any. Where an agent or a
        channel is asked for there may be more queries, which look through READ_MOST conversations together at most: so
        the page may be short or empty before the end. More are read only where a query's worth is of one instant.
        """
        scope = ("conversations", workspace, asked.inbox, ",".join(asked.states), asked.agent, asked.channel)
        place = cursors.read(scope, cursor, str, str)
        before = None if place is None else (str(place[0]), str(place[1]))
        places = [one for one in sorted(self._store.counts(workspace)) if _is_asked(asked, one)]
        parts = [(one, number) for one in places for number in range(LISTED_SHARDS)]
        reading = _Reading.of(asked, limit, len(parts))
        streams = [self._stream(workspace, *part, asked, reading, before) for part in parts]
        page: list[Conversation] = []
        for order, one in heapq.merge(*streams, key=itemgetter(0), reverse=True):
            if len(page) == limit:
                return page, cursors.write(scope, _order(page[-1]) if one else order)
            if one is not None:
                page.append(one)
            elif reading.is_enough and (before is None or order < before):
                return page, cursors.write(scope, order)
        return page, ""

    def _stream(
        self, workspace: str, place: Place, number: int, asked: Asked, reading: _Reading, before: Order | None
    ) -> Iterator[tuple[Order, Conversation | None]]:
        """One part of the index, in order; where it would have to read on, the place that it came to, without one.

        Of those of one instant the index keeps no order: they come when all of them are read.
        """
        only = {name: value for name, value in (("agent", asked.agent), ("channel", asked.channel)) if value}
        held: list[Conversation] = []
        for stretch in self._store.listed(workspace, place, number, before[0] if before else "", reading.size, **only):
            reading.read += stretch.read
            known = sorted((*held, *stretch.found), key=_order, reverse=True)
            held = [one for one in known if to_text(one.last_at) == stretch.until]
            for one in known[: len(known) - len(held)]:
                if before is None or _order(one) < before:
                    yield _order(one), one
            if stretch.until:
                yield (stretch.until, _FIRST), None

    def entries(
        self, conversation: Conversation, limit: int, cursor: str, until: datetime | None = None
    ) -> tuple[list[Entry], str]:
        """A page of what stands in a conversation, by time, and the cursor of the next one. Raises InvalidInput.

        With `until` what stood in it by then. It is shorter than `limit` where the texts are long: an answer of Lambda
        has 6 MB at most.
        """
        scope = ("entries", conversation.workspace, conversation.id, *([to_text(until)] if until else []))
        place = cursors.read(scope, cursor, str)
        found = self._store.entries(conversation.workspace, conversation.id, str(place[0]) if place else "", limit + 1)
        found = [one for one in found if until is None or one.at <= until]
        ends = accumulate(len(one.text.encode()) for one in found)
        page = found[: min(limit, max(1, bisect_right(list(ends), PAGE_BYTES)))]
        return page, cursors.write(scope, [order_of(page[-1])]) if len(found) > len(page) else ""

    def show(self, workspace: str, conversation: str, limit: int, cursor: str) -> dict[str, Any]:
        """A conversation with a page of what stands in it: two reads. Raises NotFound, InvalidInput."""
        found = self.get(workspace, conversation)
        page, following = self.entries(found, limit, cursor)
        return {**found.as_dict(), "entries": [one.as_dict() for one in page], "cursor": following}

    def get(self, workspace: str, conversation: str) -> Conversation:
        """A conversation: one read. Raises NotFound."""
        found = self._store.get(workspace, conversation)
        if found is None:
            raise NotFound("unknown_conversation", "There is no such conversation.", "conversation")
        return found

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
