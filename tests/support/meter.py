"""What recorded DynamoDB calls cost: looks at the items around a call and prices it by the rules in `units`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.units import Item, Table, get_units, query_units, refused_units, write_units

Arguments = dict[str, Any]
Answer = dict[str, Any]
Ask = Callable[[str, Arguments], Answer]

# Operations on items that nothing of ours calls; whoever does first adds their price here.
UNPRICED = frozenset({"TransactGetItems", "ExecuteStatement", "ExecuteTransaction"})


@dataclass(frozen=True)
class Write:
    """One item that a call writes or checks; `wanted` is what is to be there, where the call says all of it."""

    table: str
    key: dict[str, Any]
    kind: str
    wanted: Item | None = None

    @property
    def place(self) -> str:
        """Table and key as text."""
        return json.dumps([self.table, self.key], sort_keys=True)


Images = Mapping[str, Item]


@dataclass
class Meter:
    """Prices calls on the tables it knows."""

    tables: dict[str, Table] = field(default_factory=dict)

    def images(self, operation: str, arguments: Arguments, ask: Ask) -> Images:
        """The items as they stand that a call writes or checks; asked for before it is made, and again after."""
        return self._read(self._writes(operation, arguments), ask)

    def write_units(
        self, operation: str, arguments: Arguments, answer: Answer | None, before: Images, ask: Ask
    ) -> float:
        """The write units of a call that was made; without an answer it was refused."""
        writes = self._writes(operation, arguments)
        updates = [write for write in writes if write.kind == "Update"] if answer is not None else []
        after = self._read(updates, ask)
        errors = _errors(answer, len(writes))
        whole = operation == "TransactWriteItems"
        return sum(
            self._units(write, before.get(write.place), after.get(write.place), error, whole)
            for write, error in zip(writes, errors, strict=True)
        )

    def read_units(self, operation: str, arguments: Arguments, answer: Answer, ask: Ask) -> float:
        """The read units of a call that was answered."""
        consistent = bool(arguments.get("ConsistentRead"))
        if operation == "GetItem":
            return get_units(answer.get("Item"), consistent)
        if operation == "BatchGetItem":
            return sum(
                _batch_units(arguments["RequestItems"], answer["Responses"], name) for name in answer["Responses"]
            )
        if operation in ("Query", "Scan"):
            return query_units(_gone_through(operation, arguments, answer, ask), consistent)
        return 0

    def _writes(self, operation: str, arguments: Arguments) -> list[Write]:
        if operation in UNPRICED:
            raise NotImplementedError(f"{operation} has no price yet")
        if operation in ("PutItem", "UpdateItem", "DeleteItem"):
            return [self._write(operation.removesuffix("Item"), arguments)]
        if operation == "TransactWriteItems":
            return [self._write(*entry) for parts in arguments["TransactItems"] for entry in parts.items()]
        if operation == "BatchExecuteStatement":
            inserts = (read_insert(statement) for statement in arguments["Statements"])
            return [self._write("Put", {"TableName": table, "Item": item}) for table, item in inserts]
        if operation == "BatchWriteItem":
            return [
                self._write(kind.removesuffix("Request"), {"TableName": table, **told})
                for table, requests in arguments["RequestItems"].items()
                for request in requests
                for kind, told in request.items()
            ]
        return []

    def _write(self, kind: str, arguments: Arguments) -> Write:
        table, wanted = arguments["TableName"], arguments.get("Item")
        return Write(table, arguments.get("Key") or self.tables[table].key_of(wanted or {}), kind, wanted)

    def _read(self, writes: list[Write], ask: Ask) -> Images:
        if not writes:
            return {}
        request: dict[str, Any] = {}
        for write in writes:
            keys = request.setdefault(write.table, {"Keys": [], "ConsistentRead": True})["Keys"]
            keys += [write.key] if write.key not in keys else []
        found = ask("BatchGetItem", {"RequestItems": request})["Responses"]
        images = [
            Write(name, self.tables[name].key_of(item), "", item) for name, items in found.items() for item in items
        ]
        return {image.place: image.wanted for image in images if image.wanted is not None}

    def _units(self, write: Write, before: Item | None, updated: Item | None, refused: bool, whole: bool) -> float:
        if refused:
            # Of a transaction that was called off AWS does not say what it costs: this is the most it can be.
            return refused_units(before, write.wanted) * (2 if whole else 1)
        after = {"Put": write.wanted, "Update": updated, "ConditionCheck": before}.get(write.kind)
        return write_units(self.tables[write.table], before, after, in_transaction=whole)


def _errors(answer: Answer | None, count: int) -> list[bool]:
    """Which of a call's writes were refused."""
    if answer is None:
        return [True] * count
    responses = answer.get("Responses") if isinstance(answer.get("Responses"), list) else None
    return ["Error" in response for response in responses] if responses else [False] * count


def _batch_units(asked: Mapping[str, Any], found: Mapping[str, Any], table: str) -> float:
    consistent, items = bool(asked[table].get("ConsistentRead")), found[table]
    missing = len(asked[table]["Keys"]) - len(items)
    return sum(get_units(item, consistent) for item in items) + missing * get_units(None, consistent)


def _gone_through(operation: str, arguments: Arguments, answer: Answer, ask: Ask) -> list[Item]:
    """The items that a query read, also those that its filter then left out."""
    if answer["ScannedCount"] == len(answer.get("Items", [])) and "ProjectionExpression" not in arguments:
        return list(answer["Items"])
    plain = {
        name: value for name, value in arguments.items() if name not in ("FilterExpression", "ProjectionExpression")
    }
    used = set(re.findall(r"[#:]\w+", str(plain.get("KeyConditionExpression", ""))))
    for names in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        plain[names] = {name: value for name, value in plain.pop(names, {}).items() if name in used}
    return list(ask(operation, {name: value for name, value in plain.items() if value != {}})["Items"])


# --- PartiQL ----------------------------------------------------------------------------------------------------------

_INSERT = re.compile(r"INSERT INTO \"(?P<table>[^\"]+)\" VALUE \{(?P<fields>.*)\}$")


def read_insert(statement: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The table and the item of an INSERT with parameters."""
    match = _INSERT.match(statement["Statement"])
    assert match, statement["Statement"]
    names = re.findall(r"'([^']+)': \?", match["fields"])
    return match["table"], dict(zip(names, statement["Parameters"], strict=True))
