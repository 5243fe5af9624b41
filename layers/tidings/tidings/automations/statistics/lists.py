"""Lists of an automation's enrolments and steps, page by page, merged from the shards of an index.

A page costs a bounded number of reads. One that asks for few of many may therefore be short, or empty, and still have
a next one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidings.automations.enrolments.items import ENROLMENT_SHARDS
from tidings.core.store import Database

# How often, and how far each time, a shard is gone through for those that a page is to show.
READS = 3
AT_ONCE = 300
# All keys begin with a printable character, and go on with one less than this.
_FIRST, _LAST = " ", "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of an index: its sort key, which no other has, the key of its item, and what the index holds of it."""

    at: str
    pk: str
    sk: str
    version: int
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def until(self) -> dict[str, str]:
        """When the waits end that somebody is in, where the index holds it; none elsewhere."""
        found: dict[str, str] = json.loads(self.values.get("until", {"S": "{}"})["S"])
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is about: an index of a table, the entries whose sort key begins so, and what they are to say.

    `place` is the index's key without its shard; `forward` lists in the order of the sort key, else in the opposite.
    """

    table: str
    index: str
    key: str
    sort: str
    place: str
    begins: str = ""
    forward: bool = False
    wanted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def standing_at(workspace: str, automation: str, state: str, forward: bool = False) -> Asked:
    """The list of who is inside and came to a state last, by when their first wait ends."""
    place = f"{workspace}#{automation}#{state}"
    return Asked("enrolments", "standing", "standing", "stands_until", place, forward=forward)


class DynamoLists:
    """Reads indexes whose keys end with the number of a shard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, asked: Asked, limit: int, after: str = "") -> tuple[list[Listed], str]:
        """Up to `limit` entries behind a sort key, and that behind which the next page begins, empty at the end.

        Four queries at least, twelve at most.
        """
        found: list[Listed] = []
        reached: list[str] = []
        for number in range(ENROLMENT_SHARDS):
            entries, stopped = self._shard(asked, number, limit, after)
            found += entries
            reached += [stopped] if stopped else []
        # Beyond where a shard was left there may be more of it, which would come between.
        safe = (min if asked.forward else max)(reached, default="")
        inside = [one for one in found if not safe or (one.at <= safe if asked.forward else one.at >= safe)]
        inside.sort(key=lambda one: one.at, reverse=not asked.forward)
        page = inside[:limit]
        if len(inside) > limit:
            return page, page[-1].at
        return page, safe

    def between(self, asked: Asked, first: str, last: str, most: int) -> list[Listed] | None:
        """All entries from one sort key to another (empty: from the first, to the last); None if more than `most`."""
        found: list[Listed] = []
        bounds = (first or _FIRST, last or _LAST)
        for number in range(ENROLMENT_SHARDS):
            start: Any = {}
            while start is not None:
                answer = self._database.dispatch(
                    "Query", _request(asked, self._table(asked), number, bounds, 1000, start)
                )
                found += [_listed(asked, item) for item in answer["Items"]]
                if len(found) > most:
                    return None
                start = answer.get("LastEvaluatedKey")
        return found

    def _shard(self, asked: Asked, number: int, limit: int, after: str) -> tuple[list[Listed], str]:
        """The next entries of a shard, and the sort key up to which it was read, empty if that is all of it."""
        low, high = asked.begins or _FIRST, asked.begins + _LAST
        bounds = (after or low, high) if asked.forward else (low, after or high)
        found: list[Listed] = []
        start: Any = {}
        for _ in range(READS if asked.wanted else 1):
            at_once = AT_ONCE if asked.wanted else limit + 2
            answer = self._database.dispatch(
                "Query", _request(asked, self._table(asked), number, bounds, at_once, start)
            )
            found += [_listed(asked, item) for item in answer["Items"] if item[asked.sort]["S"] != after]
            start = answer.get("LastEvaluatedKey")
            if start is None or len(found) > limit:
                break
        return found, "" if start is None else start[asked.sort]["S"]

    def _table(self, asked: Asked) -> str:
        return self._database.name_of(asked.table)


def _request(
    asked: Asked, table: str, number: int, bounds: tuple[str, str], at_once: int, start: Mapping[str, Any]
) -> dict[str, Any]:
    values = {":k": {"S": f"{asked.place}#{number}"}, ":a": {"S": bounds[0]}, ":z": {"S": bounds[1]}}
    names = {"#k": asked.key, "#s": asked.sort}
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": asked.index,
        "KeyConditionExpression": "#k = :k AND #s BETWEEN :a AND :z",
        "ScanIndexForward": asked.forward,
        "Limit": at_once,
        **({"ExclusiveStartKey": start} if start else {}),
    }
    if asked.wanted:
        request["FilterExpression"] = " AND ".join(f"#w{n} = :w{n}" for n in range(len(asked.wanted)))
        names |= {f"#w{n}": name for n, name in enumerate(asked.wanted)}
        values |= {f":w{n}": dict(value) for n, value in enumerate(asked.wanted.values())}
    return {**request, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}


def _listed(asked: Asked, item: Mapping[str, Any]) -> Listed:
    version = int(item.get("version", {"N": "0"})["N"])
    return Listed(item[asked.sort]["S"], item["pk"]["S"], item["sk"]["S"], version, item)
