"""The table of what reports count. A row changes only in the transaction of the write that it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pynamodb.attributes import NumberAttribute

from tidings.consent.model import Channel
from tidings.core.ids import shard
from tidings.core.store import Database, Item, Part, update
from tidings.messages.costs import PARTS
from tidings.messages.model import Message
from tidings.messages.reports import COUNTED, PROBLEMS, Row, reason_of, row_of

# Of one row at most that many transactions can count at once without waiting for each other.
SHARDS = 16
_WHY = "why "


class ReportItem(Item):
    sent = NumberAttribute(null=True)
    delivered = NumberAttribute(null=True)
    delayed = NumberAttribute(null=True)
    undelivered = NumberAttribute(null=True)
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
    parts = NumberAttribute(null=True)
    cost_micro_usd = NumberAttribute(null=True)
    carrier_fee_micro_usd = NumberAttribute(null=True)


class DynamoReportStore:
    """Rows of reports in DynamoDB.

    The reasons of problems are attributes of the row too, one for each that ever occurred (`why skipped consent`): to
    count one costs nothing beside the count itself.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(ReportItem, "reports")

    def part(self, message: Message, reason: str = "", **changes: int) -> Part:
        """Count something of a message, such as `sent=1`, as part of the transaction that makes it so.

        `reason` is what the provider told of a problem; left out, the message's error or decision tells it. With a
        text message that was sent, its parts are counted.
        """
        row = row_of(message)
        if "sent" in changes and (parts := int(message.transport.get(PARTS) or 0)):
            changes = {**changes, PARTS: changes.get(PARTS, 0) + parts * changes["sent"]}
        sk = "#".join((row.day, row.kind, row.source, row.name, row.component, row.template, str(row.version)))
        if row.channel != Channel.EMAIL:
            sk = f"{sk}#{row.channel}"  # rows of mails name no channel: when they began there was no other
        item = self._items(_pk(message.workspace, shard(message.id, SHARDS)), sk)
        actions = [getattr(self._items, name).add(number) for name, number in changes.items()]
        for problem in sorted(changes.keys() & set(PROBLEMS)):
            name = f"{_WHY}{problem} {reason_of(message, problem, reason)}"
            actions.append(NumberAttribute(attr_name=name).add(changes[problem]))
        return update("report", item, actions)

    def rows(self, workspace: str, first: str, last: str) -> Iterator[Row]:
        """All rows of these days (`YYYY-MM-DD`, both inclusive), in 16 queries; one row may come in 16 pieces."""
        for number in range(SHARDS):
            start: Any = {}
            while start is not None:
                answer = self._database.dispatch("Query", self._asked(_pk(workspace, number), first, last, start))
                yield from (_row(item) for item in answer.get("Items", ()))
                start = answer.get("LastEvaluatedKey")

    def _asked(self, pk: str, first: str, last: str, start: Any) -> dict[str, Any]:
        # Not by the model, which knows no attribute that is named by what occurred.
        return {
            "TableName": self._items.Meta.table_name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            # Letters and digits stand before a tilde: all that begins with the last day is in.
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": f"{last}~"}},
            **({"ExclusiveStartKey": start} if start else {}),
        }


def _pk(workspace: str, number: int) -> str:
    return f"{workspace}#{number}"


def _row(item: Mapping[str, Any]) -> Row:
    day, kind, source, name, component, template, version, *channel = item["sk"]["S"].split("#")
    numbers = {attribute: int(value["N"]) for attribute, value in item.items() if "N" in value}
    counts = {name: number for name, number in numbers.items() if name in COUNTED}
    reasons = {_reason(name): number for name, number in numbers.items() if name.startswith(_WHY) and number}
    in_channel = channel[0] if channel else Channel.EMAIL.value
    return Row(day, kind, source, name, component, template, int(version), counts, reasons, in_channel)


def _reason(attribute: str) -> tuple[str, str]:
    problem, _, reason = attribute.removeprefix(_WHY).partition(" ")
    return problem, reason
