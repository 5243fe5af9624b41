"""Every AWS call that the code under test makes: recorded, counted, made to fail, and priced.

One place that all clients pass is patched: `BaseClient._make_api_call`, which boto3's and pynamodb's clients share.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.support.meter import Ask, Meter, read_insert

Arguments = dict[str, Any]

REFUSALS = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


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
    """What was called. `before` and `after` may raise; `doubles` stand in for services that moto lacks.

    Units are only counted while `priced`: that takes reads of its own, which most tests need not wait for.
    """

    calls: list[Call] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    priced: bool = False
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
        return self._counted("write_units")

    @property
    def read_units(self) -> float:
        """What all calls together read."""
        return self._counted("read_units")

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

            def answer() -> dict[str, Any]:
                return double(arguments) if double else original(client, operation, arguments)

            def ask(operation: str, arguments: Arguments) -> dict[str, Any]:
                found: dict[str, Any] = original(client, operation, arguments)
                return found

            if self.paused:
                return answer()
            made = Call(service, operation, arguments)
            if self.before:
                self.before(made)
            self.calls.append(made)
            made.answer = self._price(made, answer, ask) if self.priced and service == "dynamodb" else answer()
            if self.after:
                self.after(made)
            return made.answer

        with mock.patch.object(BaseClient, "_make_api_call", call):
            yield self

    def _price(self, made: Call, answer: Callable[[], dict[str, Any]], ask: Ask) -> dict[str, Any]:
        before = self.meter.images(made.operation, made.arguments, ask)
        try:
            answered = answer()
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            made.write_units = self.meter.write_units(made.operation, made.arguments, None, before, ask)
            raise
        made.write_units = self.meter.write_units(made.operation, made.arguments, answered, before, ask)
        made.read_units = self.meter.read_units(made.operation, made.arguments, answered, ask)
        return answered

    def _counted(self, units: str) -> float:
        assert self.priced, "units are only counted by a recorder that is priced"
        return float(sum(getattr(call, units) for call in self.calls))


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
