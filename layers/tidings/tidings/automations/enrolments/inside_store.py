"""Who is inside an automation, in the table of enrolments: page by page, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tidings.automations.enrolments.items import ENROLMENT_SHARDS, EnrolmentItem, entered_in
from tidings.automations.enrolments.model import INSIDE, Enrolment, EnrolmentState
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.core.store import Database, faults

# How many enrolments are counted at most while somebody waits for the answer: some 15 MB.
COUNTED = 20_000

After = dict[str, Any]


class DynamoInsideStore:
    """Everybody who entered an automation, by when they did. What was written in the last second may be missing."""

    def __init__(self, database: Database, enrolments: DynamoEnrolmentStore) -> None:
        self._enrolments = enrolments
        self._items = database.table(EnrolmentItem, "enrolments")

    def page(
        self, workspace: str, automation: str, shard: int, after: After | None, limit: int
    ) -> tuple[list[Enrolment], After | None]:
        """Up to `limit` enrolments of a shard, and where the next page begins; None at the shard's end.

        One query, and a batched read of the enrolments as they stand.
        """
        with faults():
            place = entered_in(workspace, automation, shard)
            found = self._items.entered_index.query(place, limit=limit, last_evaluated_key=after)
            keys = [(item.pk, item.sk) for item in found]
        return self._enrolments.listed(keys), found.last_evaluated_key

    def count(self, workspace: str, automation: str) -> tuple[dict[tuple[int, EnrolmentState], int], bool]:
        """How many are inside by version and state, and whether all who ever entered were looked at: some queries."""
        counted: Counter[tuple[int, EnrolmentState]] = Counter()
        left = COUNTED
        for number in range(ENROLMENT_SHARDS):
            place = entered_in(workspace, automation, number)
            with faults():
                for item in self._items.entered_index.query(
                    place, limit=left + 1, attributes_to_get=["state", "version"]
                ):
                    left -= 1
                    if left < 0:
                        return dict(counted), False
                    if (state := EnrolmentState(item.state)) in INSIDE:
                        counted[int(item.version), state] += 1
        return dict(counted), True


class Walk:
    """Goes over everybody who entered an automation, from a place on; `shard` and `after` say how far it came."""

    def __init__(
        self, inside: DynamoInsideStore, workspace: str, automation: str, shard: int, after: After | None
    ) -> None:
        self._inside = inside
        self._place = (workspace, automation)
        self.shard = shard
        self.after = after

    @property
    def is_over(self) -> bool:
        """Whether nobody is left."""
        return self.shard >= ENROLMENT_SHARDS

    def pages(self, size: int, most: int) -> Iterator[list[Enrolment]]:
        """The next `most` enrolments at most, by `size` at most; each page costs what `DynamoInsideStore.page` does."""
        while most > 0 and not self.is_over:
            found, self.after = self._inside.page(*self._place, self.shard, self.after, min(size, most))
            self.shard += self.after is None
            most -= len(found)
            yield found
