"""Which request an idempotency key stands for."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from tidings.core.errors import Conflict
from tidings.core.ids import digest
from tidings.core.store import ConditionFailed, Database, Item, faults


class CallItem(Item):
    request = UnicodeAttribute()


class DynamoCallStore:
    """Which request an idempotency key stands for, in the table of sends."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(CallItem, "sends")

    def bind(self, workspace: str, key: str, request: str, *place: str) -> None:
        """Let a key of a workspace stand for a request from now on: one write. Raises Conflict if it does for another.

        `request` is a hash of all that was asked. A key that has a `place` is another than one without.
        """
        item = self._items(f"{workspace}#call#{digest('call', *place, key)}", "call")
        ours = self._items.pk.does_not_exist() | (self._items.request == request)
        try:
            with faults():
                item.update([self._items.request.set(request)], condition=ours)
        except ConditionFailed as error:
            raise other_body() from error


def other_body() -> Conflict:
    """That a key was used with another body."""
    return Conflict("idempotency_conflict", "This idempotency key was used with another body.")
