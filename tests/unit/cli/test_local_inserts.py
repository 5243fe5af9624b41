"""PartiQL INSERTs become conditional puts on their way to the local engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli.local.exchange import Request, Response
from tidings_cli.local.inserts import BATCH, PUT, TARGET, Inserts


class Engine:
    """Answers puts as told and remembers what reached it."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else Response(200, [], b"{}")


def batch(*statements: dict[str, Any]) -> Request:
    body = json.dumps({"Statements": statements}).encode()
    return Request("POST", "/", [("host", "x"), (TARGET, BATCH)], body)


INSERT = {
    "Statement": "INSERT INTO \"Events\" VALUE {'pk': ?, 'sk': ?}",
    "Parameters": [{"S": "ws#user#ada"}, {"S": "m-1"}],
}


def test_an_insert_is_a_put_of_a_new_key() -> None:
    engine = Engine()
    answer = Inserts(engine).handle(batch(INSERT))
    (request,) = engine.requests
    assert request.header(TARGET) == PUT
    assert json.loads(request.body) == {
        "TableName": "Events",
        "Item": {"pk": {"S": "ws#user#ada"}, "sk": {"S": "m-1"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    assert json.loads(answer.body) == {"Responses": [{"TableName": "Events"}]}


def test_a_key_that_exists_is_a_duplicate_and_the_others_are_stored() -> None:
    refused = Response(400, [], json.dumps({"__type": "x#ConditionalCheckFailedException"}).encode())
    answer = Inserts(Engine(refused)).handle(batch(INSERT, INSERT))
    first, second = json.loads(answer.body)["Responses"]
    assert first["Error"]["Code"] == "DuplicateItem"
    assert "Error" not in second


@pytest.mark.parametrize(
    "statement",
    [
        {"Statement": 'SELECT * FROM "Events"'},
        {"Statement": "INSERT INTO \"Events\" VALUE {'pk': 'literal'}", "Parameters": []},
        {"Statement": "INSERT INTO \"Events\" VALUE {'pk': ?, 'sk': ?}", "Parameters": [{"S": "a"}]},
    ],
)
def test_any_other_statement_is_passed_on_untouched(statement: dict[str, Any]) -> None:
    engine, request = Engine(), batch(INSERT, statement)
    Inserts(engine).handle(request)
    assert engine.requests == [request]
