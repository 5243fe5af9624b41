"""PartiQL INSERTs that reach the stream: the engine carries them out but puts no record into the table's stream.

Functions that insert batches of events by PartiQL would so never wake those who read the stream. Here each INSERT
becomes what it is to DynamoDB too, a put of an item whose key must be new; everything else is passed on as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tidings_cli.local.exchange import Handler, Request, Response

TARGET = "x-amz-target"
BATCH = "DynamoDB_20120810.BatchExecuteStatement"
PUT = "DynamoDB_20120810.PutItem"

_INSERT = re.compile(r"""INSERT\s+INTO\s+"(?P<table>[^"]+)"\s+VALUE\s+\{(?P<fields>[^{}]*)\}\s*""", re.IGNORECASE)
_FIELD = re.compile(r"\s*'(?P<name>[^']+)'\s*:\s*\?\s*")


class Inserts:
    """A handler in front of the engine's DynamoDB."""

    def __init__(self, engine: Handler) -> None:
        self._engine = engine

    def handle(self, request: Request) -> Response:
        """Pass the request on; a batch of INSERTs with parameters as one put each."""
        if request.header(TARGET) != BATCH:
            return self._engine(request)
        statements = json.loads(request.body)["Statements"]
        puts = [_put(statement) for statement in statements]
        if not all(puts):
            return self._engine(request)
        responses = [self._insert(request, put) for put in puts if put]
        headers = [("content-type", "application/x-amz-json-1.0")]
        return Response(200, headers, json.dumps({"Responses": responses}).encode())

    def _insert(self, request: Request, put: Mapping[str, Any]) -> dict[str, Any]:
        headers = [(name, PUT if name == TARGET else value) for name, value in request.headers]
        answer = self._engine(replace(request, headers=headers, body=json.dumps(put).encode()))
        if answer.status == 200:
            return {"TableName": put["TableName"]}
        code = str(json.loads(answer.body).get("__type", "")).rpartition("#")[2]
        if code == "ConditionalCheckFailedException":
            code = "DuplicateItem"
        return {"TableName": put["TableName"], "Error": {"Code": code.removesuffix("Exception"), "Message": code}}


def _put(statement: Mapping[str, Any]) -> dict[str, Any] | None:
    """The put that an INSERT is; None for any other statement."""
    match = _INSERT.fullmatch(statement["Statement"])
    if match is None:
        return None
    fields = [_FIELD.fullmatch(field) for field in match["fields"].split(",")]
    parameters = statement.get("Parameters", [])
    if len(fields) != len(parameters):
        return None
    item = {field["name"]: value for field, value in zip(fields, parameters, strict=True) if field}
    if len(item) != len(parameters):
        return None
    return {"TableName": match["table"], "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
