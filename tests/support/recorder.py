"""Every AWS call that the code under test makes: recorded, counted, made to fail, and priced.

One place that all clients pass is patched: `BaseClient._make_api_call`, which boto3's and pynamodb's clients share.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore.client import BaseClient

Arguments = dict[str, Any]


class Killed(BaseException):
    """The process dies here: no handler code runs any more, not even `except Exception`."""


@dataclass
class Call:
    """One AWS call: `write_units` and `read_units` as DynamoDB bills them, from the sizes of the items."""

    service: str
    operation: str
    arguments: Arguments
    answer: dict[str, Any] | None = None
    write_units: float = 0
    read_units: float = 0

    @property
    def name(self) -> str:
        """`dynamodb:PutItem` and the like."""
        return f"{self.service}:{self.operation}"


Before = Callable[[Call], None]
Double = Callable[[Arguments], dict[str, Any]]


@dataclass
class Recorder:
    """What was called. `before` and `after` may raise; `doubles` stand in for services that moto lacks."""

    calls: list[Call] = field(default_factory=list)
    doubles: dict[str, Double] = field(default_factory=dict)
    before: Before | None = None
    after: Before | None = None
    paused: bool = False

    def names(self) -> list[str]:
        """The names of the calls in their order."""
        return [call.name for call in self.calls]

    def of(self, name: str) -> list[Call]:
        """The calls of a name."""
        return [call for call in self.calls if call.name == name]

    @property
    def write_units(self) -> float:
        """What all calls together wrote."""
        return sum(call.write_units for call in self.calls)

    @property
    def read_units(self) -> float:
        """What all calls together read."""
        return sum(call.read_units for call in self.calls)

    def clear(self) -> None:
        """Forget what was recorded."""
        self.calls.clear()

    @contextlib.contextmanager
    def unseen(self) -> Iterator[None]:
        """Calls of the test itself: neither recorded nor made to fail."""
        self.paused, paused = True, self.paused
        try:
            yield
        finally:
            self.paused = paused

    @contextlib.contextmanager
    def listening(self) -> Iterator[Recorder]:
        """Record the calls of all clients."""
        original = BaseClient._make_api_call

        def call(client: BaseClient, operation: str, arguments: Arguments) -> dict[str, Any]:
            service = client.meta.service_model.service_name
            double = self.doubles.get(f"{service}:{operation}")
            if self.paused:
                return double(arguments) if double else original(client, operation, arguments)
            made = Call(service, operation, arguments)
            if self.before:
                self.before(made)
            self.calls.append(made)
            made.write_units = write_units(made, client)
            made.answer = double(arguments) if double else original(client, operation, arguments)
            made.read_units = read_units(made)
            if self.after:
                self.after(made)
            return made.answer

        with mock.patch.object(BaseClient, "_make_api_call", call):
            yield self


# --- units -----------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html: a write costs one unit
# for each kilobyte or part of it, the same again for each index that holds the item; in a transaction twice that. A
# strongly consistent read costs one unit for each four kilobytes, also when it finds nothing.

INDEX_KEYS: dict[str, list[str]] = {}


def index_keys(tables: list[dict[str, Any]]) -> dict[str, list[str]]:
    """For each table the sort or hash attribute that puts an item into each of its indexes."""
    found = {}
    for table in tables:
        indexes = table.get("LocalSecondaryIndexes", []) + table.get("GlobalSecondaryIndexes", [])
        keys = [[k["AttributeName"] for k in index["KeySchema"] if k["AttributeName"] != "pk"] for index in indexes]
        found[table["TableName"]] = [names[0] for names in keys]
    return found


def item_bytes(item: dict[str, Any]) -> int:
    """An item's size: names and values in UTF-8; numbers a byte for two digits and one more; 3 for a container."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return math.ceil(len(content.strip("-0.").replace(".", "")) / 2) + 1
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "M":
        return 3 + sum(len(k.encode()) + 1 + _value_bytes(v) for k, v in content.items())
    return 3 + sum(1 + _value_bytes(v) for v in content) if kind == "L" else len(content)


def _put_units(table: str, item: dict[str, Any]) -> int:
    size = math.ceil(item_bytes(item) / 1024)
    return size * (1 + sum(key in item for key in INDEX_KEYS.get(table, [])))


def write_units(call: Call, client: Any = None) -> float:
    """Write units of a call, counted before it is made so that the items it replaces can be seen."""
    arguments = call.arguments
    if call.operation == "PutItem":
        return _put_units(arguments["TableName"], arguments["Item"])
    if call.operation == "TransactWriteItems":
        return 2 * sum(_transacted(entry) for entry in arguments["TransactItems"])
    if call.operation == "BatchExecuteStatement":
        return sum(_put_units(*read_insert(statement)) for statement in arguments["Statements"])
    if call.operation in ("UpdateItem", "DeleteItem"):
        return 1 + len(INDEX_KEYS.get(arguments["TableName"], []))
    return 0


def _transacted(entry: dict[str, Any]) -> float:
    kind, arguments = next(iter(entry.items()))
    if kind == "Put":
        return _put_units(arguments["TableName"], arguments["Item"])
    return 1 if kind == "ConditionCheck" else 1 + len(INDEX_KEYS.get(arguments["TableName"], []))


def read_units(call: Call) -> float:
    """Read units of a call, from what it found."""
    answer = call.answer or {}
    if call.operation == "GetItem":
        return max(1, math.ceil(item_bytes(answer.get("Item", {})) / 4096))
    if call.operation == "BatchGetItem":
        asked = sum(len(table["Keys"]) for table in call.arguments["RequestItems"].values())
        items = [item for found in answer.get("Responses", {}).values() for item in found]
        return sum(max(1, math.ceil(item_bytes(item) / 4096)) for item in items) + asked - len(items)
    if call.operation in ("Query", "Scan"):
        size = math.ceil(sum(item_bytes(item) for item in answer.get("Items", [])) / 4096)
        return max(1, size) * (1 if call.arguments.get("ConsistentRead") else 0.5)
    return 0


# --- PartiQL ----------------------------------------------------------------------------------------------------------

_INSERT = re.compile(r"INSERT INTO \"(?P<table>[^\"]+)\" VALUE \{(?P<fields>.*)\}$")


def read_insert(statement: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The table and the item of an INSERT with parameters."""
    match = _INSERT.match(statement["Statement"])
    assert match, statement["Statement"]
    names = re.findall(r"'([^']+)': \?", match["fields"])
    return match["table"], dict(zip(names, statement["Parameters"], strict=True))


def partiql_double(client: Any) -> Double:
    """BatchExecuteStatement as DynamoDB does it, by conditional puts: moto refuses parameters in an INSERT."""

    def execute(arguments: Arguments) -> dict[str, Any]:
        assert len(arguments["Statements"]) <= 25, "DynamoDB takes at most 25 statements"
        responses = []
        for statement in arguments["Statements"]:
            table, item = read_insert(statement)
            try:
                client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
                responses.append({"TableName": table})
            except client.exceptions.ConditionalCheckFailedException:
                responses.append({"TableName": table, "Error": {"Code": "DuplicateItem", "Message": "exists"}})
        return {"Responses": responses}

    return execute


def as_json(call: Call) -> str:
    """A call for a failure's message."""
    return json.dumps({"call": call.name, "arguments": call.arguments}, default=str)[:500]
