"""The table of what reports count. A row changes only in the transaction of the write that it counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import NumberAttribute

from tidings.core.ids import shard
from tidings.core.store import Database, Item, Part, faults, update
from tidings.messages.model import Message
from tidings.messages.reports import COUNTED, Row, row_of

# Of one row at most that many transactions can count at once without waiting for each other.
SHARDS = 16


class ReportItem(Item):
    sent = NumberAttribute(null=True)
    delivered = NumberAttribute(null=True)
    delayed = NumberAttribute(null=True)
    opened = NumberAttribute(null=True)
    machine_opened = NumberAttribute(null=True)
    clicked = NumberAttribute(null=True)
    machine_clicked = NumberAttribute(null=True)
    hard_bounced = NumberAttribute(null=True)
    soft_bounced = NumberAttribute(null=True)
    spam_bounced = NumberAttribute(null=True)
    complained = NumberAttribute(null=True)
    unsubscribed = NumberAttribute(null=True)
    rejected = NumberAttribute(null=True)
    refused = NumberAttribute(null=True)
    skipped = NumberAttribute(null=True)
    unknown = NumberAttribute(null=True)
    opens = NumberAttribute(null=True)
    machine_opens = NumberAttribute(null=True)
    clicks = NumberAttribute(null=True)
    machine_clicks = NumberAttribute(null=True)


class DynamoReportStore:
    """Rows of reports in DynamoDB."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(ReportItem, "reports")

    def part(self, message: Message, **changes: int) -> Part:
        """Count something of a message, such as `sent=1`, as part of the transaction that makes it so."""
        row = row_of(message)
        sk = "#".join((row.day, row.kind, row.source, row.name, row.component, row.template, str(row.version)))
        item = self._items(_pk(message.workspace, shard(message.id, SHARDS)), sk)
        return update("report", item, [getattr(self._items, name).add(number) for name, number in changes.items()])

    def rows(self, workspace: str, first: str, last: str) -> Iterator[Row]:
        """All rows of these days (`YYYY-MM-DD`, both inclusive), in 16 queries; one row may come in 16 pieces."""
        for number in range(SHARDS):
            # Letters and digits stand before a tilde: all that begins with the last day is in.
            between = self._items.sk.between(first, f"{last}~")
            with faults():
                yield from (_row(item) for item in self._items.query(_pk(workspace, number), between))


def _pk(workspace: str, number: int) -> str:
    return f"{workspace}#{number}"


def _row(item: Any) -> Row:
    day, kind, source, name, component, template, version = item.sk.split("#")
    counts = {counted: int(getattr(item, counted)) for counted in COUNTED if getattr(item, counted) is not None}
    return Row(day, kind, source, name, component, template, int(version), counts)
