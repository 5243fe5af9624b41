"""Calls of DynamoDB straight to moto's store, past the HTTP that botocore and moto would speak with each other.

Three quarters of such a call's processor time go there. Nothing is modelled anew: the store is the same, and whatever
it refuses goes the long way after all, so that the error is the one that botocore raises.
"""

from __future__ import annotations

from typing import Any

from botocore import xform_name
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from tests.support.recorder import Recorder
from tests.support.world import ACCOUNT, REGION

OPERATIONS = ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "TransactWriteItems")


class _Handler(DynamoHandler):  # type: ignore[misc]
    """What moto does with a request, given one that was read already."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__()
        self.body = self.params = arguments

    @property
    def dynamodb_backend(self) -> DynamoDBBackend:
        return dynamodb_backends[ACCOUNT][REGION]


def shorten(recorder: Recorder, client: Any) -> None:
    """Let the recorder's calls of DynamoDB go this way."""
    for operation in OPERATIONS:
        recorder.doubles[f"dynamodb:{operation}"] = _double(recorder, client, operation)


def _double(recorder: Recorder, client: Any, operation: str) -> Any:
    name = f"dynamodb:{operation}"

    def call(arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(_Handler(arguments), xform_name(operation))().result
        except Exception:  # noqa: BLE001 - it was undone; the long way says what is wrong
            double = recorder.doubles.pop(name)
            try:
                with recorder.unseen():
                    found: dict[str, Any] = getattr(client, xform_name(operation))(**arguments)
                return found
            finally:
                recorder.doubles[name] = double
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}

    return call
