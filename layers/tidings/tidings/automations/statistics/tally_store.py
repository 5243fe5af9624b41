"""The table of what is counted of automations. A row changes only in the transaction of the write that it counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pynamodb.attributes import NumberAttribute

from tidings.core.ids import shard
from tidings.core.store import Database, Item, Part, update

# Of one row at most that many transactions can count at once without waiting for each other.
SHARDS = 16
TALLY = "tally"


class TallyItem(Item):
    """A row of one shard; what was counted is attributes, one for each count that ever occurred."""


class DynamoTallyStore:
    """Counts in DynamoDB, by automation and shard, and beneath by version and component."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table(TallyItem, "tallies")

    def parts(
        self, workspace: str, automation: str, version: int, contact: str, changes: Mapping[str, Mapping[str, int]]
    ) -> list[Part]:
        """Count what is about a contact, as parts of the transaction that makes it so: two write units each."""
        table = self._table
        pk = _pk(workspace, automation, shard(contact, SHARDS))
        return [
            update(TALLY, table(pk, f"{version:06d}#{component}"), [_number(name).add(n) for name, n in counts.items()])
            for component, counts in changes.items()
        ]

    def rows(self, workspace: str, automation: str, version: int | None) -> dict[int, dict[str, Counter[str]]]:
        """What was counted, by version and component: 16 queries, read consistently."""
        found: dict[int, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for number in range(SHARDS):
            for item in self._items(_pk(workspace, automation, number), version):
                of_version, _, component = item["sk"]["S"].partition("#")
                counts = {name: int(value["N"]) for name, value in item.items() if "N" in value}
                found[int(of_version)][component].update(counts)
        return found

    def _items(self, pk: str, version: int | None) -> Iterator[Mapping[str, Any]]:
        start: Any = {}
        while start is not None:
            # Not by the model, which knows no attribute that is named by what occurred.
            answer = self._database.dispatch(
                "Query",
                {
                    "TableName": self._table.Meta.table_name,
                    **_asked(pk, version),
                    "ConsistentRead": True,
                    **({"ExclusiveStartKey": start} if start else {}),
                },
            )
            yield from answer.get("Items", ())
            start = answer.get("LastEvaluatedKey")


def _asked(pk: str, version: int | None) -> dict[str, Any]:
    if version is None:
        return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
    values = {":pk": {"S": pk}, ":sk": {"S": f"{version:06d}#"}}
    return {"KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)", "ExpressionAttributeValues": values}


def _number(name: str) -> NumberAttribute:
    return NumberAttribute(attr_name=name)


def _pk(workspace: str, automation: str, number: int) -> str:
    return f"{workspace}#{automation}#{number}"
