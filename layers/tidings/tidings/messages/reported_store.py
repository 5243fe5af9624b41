"""Reading messages by what ordered them, and those that need attention: from indexes, latest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tidings.core.ids import contact_of_message
from tidings.core.store import Database, faults
from tidings.messages.model import Message
from tidings.messages.rules import REPORT_SHARDS
from tidings.messages.store import DynamoMessageStore, MessageItem, reported

PAGE = 100

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
        streams = [self._keys(self._items.reported_index, place, first, last, before) for place in places]
        return heapq.merge(*streams, reverse=True)

    def unknown(self, workspace: str, before: Place | None) -> Iterator[Place]:
        """Where messages stand that ended as unknown, the latest first."""
        return self._keys(self._items.attention_index, f"{workspace}#unknown", "0", "~", before)

    def read(self, workspace: str, ids: Sequence[str]) -> dict[str, Message]:
        """The messages of these ids that are there: one batched read for each 100."""
        keys = {self._messages.key(workspace, contact_of_message(one), one): one for one in ids}
        found = self._database.batch_get(keys)
        return {keys[key]: self._messages.entity(item) for key, item in found.items()}

    def _keys(self, index: Any, place: str, first: str, last: str, before: Place | None) -> Iterator[Place]:
        """An index's entries, those of one instant by their ids: the index has no order of its own for them."""
        until = min(last, before[0]) if before else last
        if until < first:
            return
        between = self._items.claimed_at.between(first, until)
        with faults():
            entries = index.query(place, between, scan_index_forward=False, page_size=PAGE)
            for instant, group in groupby(entries, key=lambda item: str(item.claimed_at)):
                ids = sorted((str(item.sk) for item in group), reverse=True)
                yield from ((instant, one) for one in ids if before is None or (instant, one) < before)
