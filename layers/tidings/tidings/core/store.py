"""How every room's store talks to DynamoDB: one connection, keyed batches and labelled transactions.

pynamodb models stay inside the stores. A `Part` is one write of a transaction that a room hands to another without
showing what is in it: so the claim of a message can check an enrolment that its room knows nothing about.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError
from botocore.session import Session
from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tidings.core import aws
from tidings.core.errors import Throttled, TidingsError, Unavailable
from tidings.core.settings import Settings

CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0
RETRIES = 3
BATCH_GET_KEYS = 100
TRANSACTION_PARTS = 100
BATCH_WRITE_ITEMS = 25

# Also where one identity's events, or one contact's, have no more room beside a local index: for now it is full.
THROTTLES = frozenset(
    {
        "ItemCollectionSizeLimitExceeded",
        "ItemCollectionSizeLimitExceededException",
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "ThrottlingException",
        "ThrottlingError",
        "RequestLimitExceeded",
    }
)


class SingleItem(Model):
    """An item with a partition key alone."""

    pk = UnicodeAttribute(hash_key=True)


class Item(Model):
    """An item with a partition and a sort key."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class JsonAttribute(JSONAttribute):
    """JSON in as few bytes as it takes, in which units are counted: no spaces, and letters as they are."""

    def serialize(self, value: Any) -> str | None:
        """The compact text."""
        return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


M = TypeVar("M", bound=Model)


# What DynamoDB refuses however often it is asked: an item over 400 KB, a malformed request.
REFUSALS = frozenset({"ValidationException", "ValidationError"})


class WriteRefused(TidingsError):
    """DynamoDB will never take this write; trying again is of no use."""


class ConditionFailed(TidingsError):
    """A conditional write found another state; `labels` names the parts that refused.

    `items` holds by label, where a single update was refused, the item as it stands; empty if there is none.
    """

    status = 409

    def __init__(self, labels: Iterable[str] = (), items: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.labels = frozenset(labels)
        self.items = dict(items or {})
        super().__init__("condition_failed", "A conditional write was refused.")


@dataclass(frozen=True)
class Key:
    """The whole key of an item in a model's table."""

    model: type[Model]
    pk: str
    sk: str | None = None

    def serialized(self) -> dict[str, dict[str, str]]:
        """The key as DynamoDB's API writes it."""
        key = {"pk": {"S": self.pk}}
        return key if self.sk is None else key | {"sk": {"S": self.sk}}


@dataclass(frozen=True)
class Part:
    """One write of a transaction; `label` names it when it refuses."""

    label: str
    model: Model
    actions: Sequence[Action] | None = None
    condition: Condition | None = None
    kind: str = "put"


def put(label: str, model: Model, condition: Condition | None = None) -> Part:
    """Write the whole item."""
    return Part(label, model, condition=condition, kind="put")


def update(label: str, model: Model, actions: Sequence[Action], condition: Condition | None = None) -> Part:
    """Change some attributes of the item."""
    return Part(label, model, actions, condition, "update")


def delete(label: str, model: Model, condition: Condition | None = None) -> Part:
    """Delete the item."""
    return Part(label, model, condition=condition, kind="delete")


def check(label: str, model: Model, condition: Condition) -> Part:
    """Only check the condition."""
    return Part(label, model, condition=condition, kind="check")


# pynamodb sends the parts of a transaction grouped in this order; the reasons of a refusal come in the same.
_ORDER = {"check": 0, "delete": 1, "put": 2, "update": 3}


class _Connection(Connection):
    @property
    def session(self) -> Session:
        """The session of all clients, instead of one for each thread."""
        return aws.session()

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Call again where another transaction held the item: then nothing was written, and it takes milliseconds.

        botocore does not repeat this. A repeat by a queue or a machine would come seconds or minutes later.

        Whoever is refused a change is told what stands there instead: it costs nothing, and saves asking.
        """
        if operation_name == "UpdateItem" and "ConditionExpression" in operation_kwargs:
            operation_kwargs = {**operation_kwargs, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        for attempt in range(RETRIES):
            try:
                return dict(super()._make_api_call(operation_name, operation_kwargs))
            except VerboseClientError as error:
                if not _is_conflict(error):
                    raise
            time.sleep(_pause(attempt))
        return dict(super()._make_api_call(operation_name, operation_kwargs))


class Database:
    """The process's one connection, and each model bound to the table that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bound: dict[type[Model], type[Model]] = {}
        self._connection = _Connection(
            connect_timeout_seconds=CONNECT_SECONDS, read_timeout_seconds=READ_SECONDS, max_retry_attempts=RETRIES
        )
        _ = self._connection.client  # made at the start, so that the first call is like all others

    def table(self, model: type[M], name: str) -> type[M]:
        """`model` bound to the table of the setting TABLE_`name`. Raises MissingSetting."""
        if model not in self._bound:
            table_name = self._settings.table(name)
            meta = type("Meta", (), {"table_name": table_name})
            bound = type(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})
            table = bound._get_connection()  # type: ignore[attr-defined]
            # One connection for all tables: a client of its own for each would cost start-up time and sockets.
            if table_name not in self._connection._tables:  # two kinds of items may stand in one table
                self._connection.add_meta_table(table.get_meta_table())
            table.connection = self._connection
            self._bound[model] = bound
        return self._bound[model]  # type: ignore[return-value]

    def name_of(self, table: str) -> str:
        """The name of the table that the setting TABLE_`table` says. Raises MissingSetting."""
        return self._settings.table(table)

    def dispatch(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call an operation of DynamoDB that pynamodb has no method for."""
        with faults():
            return dict(self._connection.dispatch(operation, arguments))

    def batch_get(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The items that exist, read consistently, over all tables in one call per 100 keys."""
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Any] = {}
        for start in range(0, len(wanted), BATCH_GET_KEYS):
            found |= self._batch_get(wanted[start : start + BATCH_GET_KEYS])
        return found

    def _batch_get(self, keys: Sequence[Key]) -> dict[Key, Any]:
        by_place = {(key.model.Meta.table_name, key.pk, key.sk): key for key in keys}
        request: dict[str, Any] = {}
        for key in keys:
            table = request.setdefault(key.model.Meta.table_name, {"Keys": [], "ConsistentRead": True})
            table["Keys"].append(key.serialized())
        found: dict[Key, Any] = {}
        for attempt in range(1 + RETRIES):
            answer = self.dispatch("BatchGetItem", {"RequestItems": request})
            for table_name, items in answer.get("Responses", {}).items():
                for raw in items:
                    key = by_place[table_name, raw["pk"]["S"], raw["sk"]["S"] if "sk" in raw else None]
                    found[key] = key.model.from_raw_data(raw)
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return found
            time.sleep(_pause(attempt))
        raise Throttled("read_throttled", "The database is busy.")

    def batch_write(self, puts: Iterable[Model] = (), deletes: Iterable[Key] = ()) -> None:
        """Write and delete items without any condition, 25 a call; a repeat does the same. Raises Throttled."""
        requests = [(m.Meta.table_name, {"PutRequest": {"Item": m.serialize(null_check=False)}}) for m in puts]
        requests += [
            (key.model.Meta.table_name, {"DeleteRequest": {"Key": key.serialized()}}) for key in dict.fromkeys(deletes)
        ]
        for start in range(0, len(requests), BATCH_WRITE_ITEMS):
            self._batch_write(requests[start : start + BATCH_WRITE_ITEMS])

    def _batch_write(self, requests: Sequence[tuple[str, dict[str, Any]]]) -> None:
        left: dict[str, list[dict[str, Any]]] = {}
        for table, request in requests:
            left.setdefault(table, []).append(request)
        for attempt in range(1 + RETRIES):
            left = self.dispatch("BatchWriteItem", {"RequestItems": left}).get("UnprocessedItems") or {}
            if not left:
                return
            time.sleep(_pause(attempt))
        raise Throttled("write_throttled", "The database is busy.")

    def transact(self, parts: Sequence[Part], token: str | None = None) -> None:
        """Write all parts or none. Raises ConditionFailed with the labels that refused.

        Every item counts twice its write units, as DynamoDB bills transactions. `token` makes a repeat within ten
        minutes idempotent.
        """
        ordered = sorted(parts, key=lambda part: _ORDER[part.kind])
        with faults(ordered), TransactWrite(connection=self._connection, client_request_token=token) as transaction:
            for part in ordered:
                _add(transaction, part)


def _pause(attempt: int) -> float:
    seconds: float = random.uniform(0.02, 0.05) * 2**attempt  # noqa: S311 - jitter, not a secret
    return seconds


def _is_conflict(error: VerboseClientError) -> bool:
    """Whether all that stood in the way of a write was another one of the same item."""
    if _code_of(error) == "TransactionConflictException":
        return True
    return {reason.code for reason in error.cancellation_reasons if reason} == {"TransactionConflict"}


def _add(transaction: TransactWrite, part: Part) -> None:
    if part.kind == "put":
        transaction.save(part.model, condition=part.condition)
    elif part.kind == "update":
        transaction.update(part.model, list(part.actions or ()), condition=part.condition)
    elif part.kind == "delete":
        transaction.delete(part.model, condition=part.condition)
    else:
        keys = part.model.serialize(null_check=False)
        sk = keys["sk"]["S"] if "sk" in keys else None
        transaction.condition_check(type(part.model), keys["pk"]["S"], sk, condition=part.condition)


@contextmanager
def faults(parts: Sequence[Part] = ()) -> Iterator[None]:
    """Turn what pynamodb raises into our errors: refused conditions, throttling, and faults worth a retry."""
    try:
        yield
    except TransactWriteError as error:
        raise _transaction_error(error, parts) from error
    except (PynamoDBException, VerboseClientError, BotoCoreError) as error:
        code = _code_of(error)
        if code == "ConditionalCheckFailedException":
            labels = {part.label for part in parts} or {"item"}
            raise ConditionFailed(labels, dict.fromkeys(labels, _stored(error))) from error
        if code in THROTTLES:
            raise Throttled("write_throttled", "The database is busy.") from error
        if code in REFUSALS:
            raise WriteRefused("write_refused", f"The database refuses this: {code}.") from error
        raise Unavailable("database_failed", f"The database answered {code or type(error).__name__}.") from error


def _transaction_error(error: TransactWriteError, parts: Sequence[Part]) -> TidingsError:
    reasons = [reason.code if reason else "" for reason in error.cancellation_reasons]
    refused = [part.label for part, code in zip(parts, reasons, strict=False) if code == "ConditionalCheckFailed"]
    if refused:
        return ConditionFailed(refused)
    code = _code_of(error)
    if THROTTLES & {*reasons, code}:
        return Throttled("write_throttled", "The database is busy.")
    if REFUSALS & {*reasons, code}:
        return WriteRefused("write_refused", "The database refuses this transaction.")
    if "TransactionConflict" in reasons or code == "TransactionInProgressException":
        return Unavailable("write_conflict", "Another write of the same item was under way.")
    return Unavailable("database_failed", f"The database answered {code or type(error.cause).__name__}.")


def _stored(error: Exception) -> Mapping[str, Any]:
    """The item that refused a change; empty if there is none. pynamodb keeps it from us, but not botocore's error."""
    cause = error.cause if isinstance(error, PynamoDBException) else error
    response: Mapping[str, Any] = getattr(getattr(cause, "__cause__", None), "response", None) or {}
    return response.get("Item") or {}


def _code_of(error: Exception) -> str:
    # pynamodb's own `cause_response_code` breaks on a timeout, whose `response` is there but None.
    cause = error.cause if isinstance(error, PynamoDBException) else error
    response: Mapping[str, Any] = getattr(cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
