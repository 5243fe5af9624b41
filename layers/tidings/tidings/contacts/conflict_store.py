"""Conflicts of forms, in the table of merges: each is answered by merging two contacts, or by leaving them apart."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from tidings.contacts.conflicts import MatchConflict
from tidings.core.clock import from_text, to_text
from tidings.core.store import ConditionFailed, Database, Item, Part, faults, update


class ConflictItem(Item):
    contact = UnicodeAttribute()
    other = UnicodeAttribute()
    address = UnicodeAttribute()
    form = UnicodeAttribute(null=True)
    event = UnicodeAttribute()
    at = UnicodeAttribute()


class DynamoConflictStore:
    """Conflicts in DynamoDB, all of a workspace in one partition."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(ConflictItem, "merges")

    def part(self, conflict: MatchConflict) -> Part:
        """Storing a conflict as part of the form's transaction; of a known one the first form stays."""
        table = self._items
        told = (
            (table.contact, conflict.contact),
            (table.other, conflict.other),
            (table.address, conflict.address),
            (table.form, conflict.form),
            (table.event, conflict.event),
            (table.at, to_text(conflict.at)),
        )
        actions = [attribute.set(attribute | value) for attribute, value in told]
        return update("conflict", table(_place(conflict.workspace), conflict.id), actions)

    def page(self, workspace: str, after: str, most: int) -> list[MatchConflict]:
        """Conflicts after one in the order of their ids: one query."""
        condition = self._items.sk > after if after else None
        with faults():
            found = self._items.query(_place(workspace), condition, limit=most, consistent_read=True)
            return [_entity(item) for item in found]

    def remove(self, workspace: str, conflict: str) -> bool:
        """Forget a conflict: one write. False if there is none."""
        try:
            with faults():
                self._items(_place(workspace), conflict).delete(condition=self._items.pk.exists())
        except ConditionFailed:
            return False
        return True


def _place(workspace: str) -> str:
    return f"{workspace}#conflicts"


def _entity(item: ConflictItem) -> MatchConflict:
    return MatchConflict(
        workspace=item.pk.partition("#")[0],
        id=item.sk,
        contact=item.contact,
        other=item.other,
        address=item.address,
        form=item.form or "",
        event=item.event,
        at=from_text(item.at),
    )
