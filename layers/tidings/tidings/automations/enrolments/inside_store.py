"""Who entered an automation, in the table of enrolments: page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tidings.automations.enrolments.items import ENROLMENT_SHARDS, EnrolmentItem, entered_in
from tidings.automations.enrolments.model import OVER, Enrolment, EnrolmentState
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.core.store import Database, faults

After = dict[str, Any]


class DynamoInsideStore:
    """Everybody who entered an automation, by when they did. What was written in the last second may be missing."""

    def __init__(self, database: Database, enrolments: DynamoEnrolmentStore) -> None:
        self._enrolments = enrolments
        self._items = database.table(EnrolmentItem, "enrolments")

    def page(
        self, workspace: str, automation: str, shard: int, after: After | None, limit: int
    ) -> tuple[list[Enrolment], int, After | None]:
        """Of up to `limit` enrolments of a shard those that are not over, how many were looked at, and where the next
        page begins; None at the shard's end.

        One query, and a batched read of the enrolments as they stand. Whoever has come to an end stays there, so of
        them the index says enough: most of those who ever entered.
        """
        with faults():
            place = entered_in(workspace, automation, shard)
            found = self._items.entered_index.query(place, limit=limit, last_evaluated_key=after)
            items = list(found)
        keys = [(item.pk, item.sk) for item in items if EnrolmentState(item.state) not in OVER]
        return self._enrolments.listed(keys), len(items), found.last_evaluated_key


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
        """Those of the next `most` enrolments at most that are not over, by `size` at most.

        Each page costs what `DynamoInsideStore.page` does.
        """
        while most > 0 and not self.is_over:
            found, looked_at, self.after = self._inside.page(*self._place, self.shard, self.after, min(size, most))
            self.shard += self.after is None
            most -= looked_at
            yield found
