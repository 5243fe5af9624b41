"""Reading messages by what ordered them, and those that need attention: from indexes, latest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from tidings.core import cursors
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput
from tidings.core.ids import contact_of_message
from tidings.core.store import Database, faults
from tidings.messages.model import Message
from tidings.messages.rules import REPORT_SHARDS
from tidings.messages.store import DynamoMessageStore, MessageItem, reported

PAGE = 100
_EARLIEST, _LATEST = "0", "~"  # before and after all instants, as text

# When somebody last took up a message, and its id: where it stands among others.
Place = tuple[str, str]


class DynamoReportedStore:
    """Messages in DynamoDB, by its indexes: what was written moments ago may not be there yet."""

    def __init__(self, database: Database, messages: DynamoMessageStore) -> None:
        self._database = database
        self._messages = messages
        self._items = database.table(MessageItem, "messages")

    def latest(
        self, workspace: str, sources: Sequence[tuple[str, str]], first: str, last: str, before: Place | None
    ) -> Iterator[Place]:
        """Where messages stand that these ordered between two instants, the latest first.

        Lazily, with one query at first for each of four parts of each source, and more as they are used up.
        """
        places = [reported(workspace, *one, number) for one in sources for number in range(REPORT_SHARDS)]
        streams = [self._entries(self._items.reported_index, place, first, last, before) for place in places]
        return heapq.merge(*(map(itemgetter(0), stream) for stream in streams), reverse=True)

    def unknown(self, workspace: str, before: Place | None) -> Iterator[Message]:
        """The messages that ended as unknown, the latest first."""
        index = self._items.attention_index
        found = self._entries(index, f"{workspace}#unknown", _EARLIEST, _LATEST, before)
        return (self._messages.entity(item) for _, item in found)

    def read(self, workspace: str, ids: Sequence[str]) -> dict[str, Message]:
        """The messages of these ids that are there: one batched read for each 100."""
        keys = {self._messages.key(workspace, contact_of_message(one), one): one for one in ids}
        found = self._database.batch_get(keys)
        return {keys[key]: self._messages.entity(item) for key, item in found.items()}

    def _entries(
        self, index: Any, place: str, first: str, last: str, before: Place | None
    ) -> Iterator[tuple[Place, MessageItem]]:
        """An index's entries, those of one instant by their ids: the index has no order of its own for them."""
        until = min(last, before[0]) if before else last
        if until < first:
            return
        between = self._items.claimed_at.between(first, until)
        with faults():
            entries = index.query(place, between, scan_index_forward=False, page_size=PAGE)
            for instant, group in groupby(entries, key=lambda item: str(item.claimed_at)):
                placed = sorted((((instant, str(item.sk)), item) for item in group), key=itemgetter(0), reverse=True)
                yield from (one for one in placed if before is None or one[0] < before)


def place_of(message: Message) -> Place:
    """Where a message stands among others: when somebody took it up last, and its id."""
    return to_text(message.claimed_at) if message.claimed_at else message.decided_at, message.id


def read_place(scope: Sequence[str], cursor: str) -> Place | None:
    """The place that a cursor names, of an instant and an id. Raises InvalidInput if it can be none."""
    place = cursors.read(scope, cursor, str, str)
    if place is None:
        return None
    try:
        if to_text(from_text(place[0])) == place[0]:
            return place[0], place[1]
    except ValueError:
        pass
    raise InvalidInput("invalid_cursor", "This cursor was made for no such question.", "cursor")
