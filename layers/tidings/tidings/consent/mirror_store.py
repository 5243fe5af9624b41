"""How far each workspace has mirrored the account's suppression list."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from tidings.core.clock import from_text, to_text
from tidings.core.store import Database, SingleItem, faults


class MirrorItem(SingleItem):
    mirrored_at = UnicodeAttribute(null=True)


class DynamoMirrorStore:
    """Marks in DynamoDB, beside the counters."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(MirrorItem, "counters")

    def get(self, workspace: str) -> datetime | None:
        """Until when a workspace has taken the list over; None for never: one read."""
        with faults():
            try:
                item = self._items.get(f"{workspace}#mirror", consistent_read=True)
            except self._items.DoesNotExist:
                return None
        return from_text(item.mirrored_at) if item.mirrored_at else None

    def set(self, workspace: str, at: datetime) -> None:
        """Remember it."""
        with faults():
            self._items(f"{workspace}#mirror").update([self._items.mirrored_at.set(to_text(at))])
