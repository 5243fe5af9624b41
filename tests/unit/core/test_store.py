"""What DynamoDB's refusals become, and that a batched read asks again for what it was not given."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import (
    CancellationReason,
    GetError,
    PutError,
    TransactWriteError,
    UpdateError,
    VerboseClientError,
)

from tidings.core import store
from tidings.core.errors import Throttled, TidingsError, Unavailable
from tidings.core.settings import Settings
from tidings.core.store import ConditionFailed, Database, Item, Key, Part, WriteRefused, faults


class Thing(Item):
    """An item of a test."""


def client_error(code: str, operation: str = "PutItem", **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


def part(label: str) -> Part:
    return Part(label, Thing("a", "b"))


def raised(error: Exception, *parts: Part) -> TidingsError:
    with pytest.raises(TidingsError) as caught, faults(parts):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("ConditionalCheckFailedException", ConditionFailed, "condition_failed"),
        ("ProvisionedThroughputExceededException", Throttled, "write_throttled"),
        ("ThrottlingException", Throttled, "write_throttled"),
        ("RequestLimitExceeded", Throttled, "write_throttled"),
        ("ItemCollectionSizeLimitExceededException", Throttled, "write_throttled"),
        ("ValidationException", WriteRefused, "write_refused"),
        ("InternalServerError", Unavailable, "database_failed"),
        ("ResourceNotFoundException", Unavailable, "database_failed"),
        ("AccessDeniedException", Unavailable, "database_failed"),
    ],
)
@pytest.mark.parametrize("error", [PutError, UpdateError, GetError])
def test_each_answer_of_dynamodb_is_one_of_our_errors(
    error: type[Exception], code: str, kind: type[TidingsError], told: str
) -> None:
    found = raised(error("it failed", client_error(code)))
    assert (type(found), found.code) == (kind, told)


def test_a_call_that_pynamodb_has_no_method_for_fails_in_the_same_way() -> None:
    verbose = VerboseClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, "BatchGetItem")
    assert type(raised(verbose)) is Throttled


def test_no_answer_at_all_is_a_fault_worth_another_try() -> None:
    assert type(raised(PutError("timeout", TimeoutError()))) is Unavailable


@pytest.mark.parametrize(
    ("reasons", "kind", "labels"),
    [
        (["", "ConditionalCheckFailed"], ConditionFailed, {"enrolment"}),
        (["ConditionalCheckFailed", "ConditionalCheckFailed"], ConditionFailed, {"message", "enrolment"}),
        (["ConditionalCheckFailed", "TransactionConflict"], ConditionFailed, {"message"}),
        (["TransactionConflict", ""], Unavailable, None),
        (["ThrottlingError", ""], Throttled, None),
        (["ProvisionedThroughputExceeded", ""], Throttled, None),
        (["ItemCollectionSizeLimitExceeded", ""], Throttled, None),
        (["", "ValidationError"], WriteRefused, None),
        (["", ""], Unavailable, None),
    ],
)
def test_a_refused_transaction_names_the_parts_that_refused(
    reasons: list[str], kind: type[TidingsError], labels: set[str] | None
) -> None:
    cause = VerboseClientError(
        {"Error": {"Code": "TransactionCanceledException", "Message": "x"}},
        "TransactWriteItems",
        cancellation_reasons=[CancellationReason(code=code) if code else None for code in reasons],
    )
    found = raised(TransactWriteError("refused", cause), part("message"), part("enrolment"))
    assert type(found) is kind
    assert labels is None or (isinstance(found, ConditionFailed) and found.labels == labels)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TransactionInProgressException", Unavailable),
        ("ThrottlingException", Throttled),
        ("ValidationException", WriteRefused),
        ("InternalServerError", Unavailable),
    ],
)
def test_a_transaction_that_was_not_even_tried_has_no_labels(code: str, kind: type[TidingsError]) -> None:
    assert type(raised(TransactWriteError("failed", client_error(code)), part("message"))) is kind


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the code wanted to sleep."""
    slept: list[float] = []
    monkeypatch.setattr(store.time, "sleep", slept.append)
    return slept


class Answers:
    """A database that gives as many items a call as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, per_call: int) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        self.database = Database(Settings({"TABLE_THINGS": "Things"}))
        self.table = self.database.table(Thing, "things")
        self.asked: list[int] = []
        self.per_call = per_call
        monkeypatch.setattr(self.database, "dispatch", self.dispatch)

    def dispatch(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        keys = arguments["RequestItems"]["Things"]["Keys"]
        assert arguments["RequestItems"]["Things"]["ConsistentRead"] is True
        self.asked.append(len(keys))
        left = {"Things": {"Keys": keys[self.per_call :], "ConsistentRead": True}} if keys[self.per_call :] else {}
        return {"Responses": {"Things": keys[: self.per_call]}, "UnprocessedKeys": left}

    def keys(self, count: int) -> list[Key]:
        return [Key(self.table, f"p{number}", "s") for number in range(count)]


def test_a_batched_read_asks_for_at_most_100_keys_a_call_and_for_each_once(
    monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    answers = Answers(monkeypatch, per_call=100)
    keys = answers.keys(230)
    assert set(answers.database.batch_get(keys + keys)) == set(keys)
    assert answers.asked == [100, 100, 30]
    assert naps == []
    assert answers.database.batch_get([]) == {}


def test_what_was_not_processed_is_asked_for_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    answers = Answers(monkeypatch, per_call=4)
    assert len(answers.database.batch_get(answers.keys(10))) == 10
    assert answers.asked == [10, 6, 2]
    assert len(naps) == 2
    assert all(0 < nap < 1 for nap in naps)


def test_a_database_that_never_gives_all_is_busy(monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    answers = Answers(monkeypatch, per_call=0)
    with pytest.raises(Throttled):
        answers.database.batch_get(answers.keys(1))
    assert len(answers.asked) == 4
    assert sum(naps) < 2
