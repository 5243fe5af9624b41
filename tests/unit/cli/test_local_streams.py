"""Stream records that the engine forgets when it stops."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from tidings_cli.local.streams import TAIL, TRIES, deliver_unread, set_aside


def stopped_engine(folder: Path, positions: dict[str, int]) -> None:
    """A state folder as the engine leaves it."""
    (folder / "engine").mkdir(exist_ok=True)
    marks = {f"000000000000\0us-east-1\0'{mapping}'": position for mapping, position in positions.items()}
    state = {"__ministack_format__": 2, "payload": {"functions": {}, "dynamodb_stream_positions": {"data": marks}}}
    (folder / "engine" / "lambda.json").write_text(json.dumps(state))


def marks_in(folder: Path) -> list[int]:
    state = json.loads((folder / "engine" / "lambda.json").read_text())
    return list(state["payload"]["dynamodb_stream_positions"]["data"].values())


def unread_in(folder: Path) -> Any:
    return json.loads((folder / "unread.json").read_text())


def records(count: int) -> list[dict[str, Any]]:
    return [{"eventID": str(number)} for number in range(count)]


def test_what_no_function_has_read_is_kept_and_the_marks_go_back(tmp_path: Path) -> None:
    stopped_engine(tmp_path, {"a": 2, "b": 1})
    set_aside(tmp_path, {"a": records(3), "b": records(1)})
    assert unread_in(tmp_path) == {"a": [{"eventID": "2"}]}
    assert marks_in(tmp_path) == [0, 0]


def test_a_function_that_never_read_gets_everything(tmp_path: Path) -> None:
    stopped_engine(tmp_path, {})
    set_aside(tmp_path, {"a": records(2)})
    assert unread_in(tmp_path) == {"a": records(2)}


def test_where_the_engine_lost_count_the_latest_come_again(tmp_path: Path) -> None:
    stopped_engine(tmp_path, {"a": 1000})
    set_aside(tmp_path, {"a": records(300)})
    assert unread_in(tmp_path)["a"] == records(300)[-TAIL:]


def test_what_was_not_delivered_before_is_still_there_and_comes_first(tmp_path: Path) -> None:
    stopped_engine(tmp_path, {"a": 1})
    (tmp_path / "unread.json").write_text(json.dumps({"a": [{"eventID": "old"}]}))
    set_aside(tmp_path, {"a": records(2)})
    assert unread_in(tmp_path) == {"a": [{"eventID": "old"}, {"eventID": "1"}]}


@pytest.mark.parametrize("streams", [{}, {"a": []}])
def test_an_engine_that_never_saved_is_left_alone(tmp_path: Path, streams: dict[str, Any]) -> None:
    set_aside(tmp_path, streams)
    assert list(tmp_path.iterdir()) == []


def test_when_everything_was_read_nothing_is_kept(tmp_path: Path) -> None:
    stopped_engine(tmp_path, {"a": 2})
    set_aside(tmp_path, {"a": records(2)})
    assert not (tmp_path / "unread.json").exists()
    assert marks_in(tmp_path) == [0]


def test_times_and_bytes_are_kept_as_lambda_says_them(tmp_path: Path) -> None:
    stopped_engine(tmp_path, {})
    created = datetime(2026, 11, 21, tzinfo=UTC)
    set_aside(tmp_path, {"a": [{"dynamodb": {"ApproximateCreationDateTime": created, "Keys": {"pk": {"B": b"\0a"}}}}]})
    kept = {"ApproximateCreationDateTime": 1795219200.0, "Keys": {"pk": {"B": "AGE="}}}
    assert unread_in(tmp_path) == {"a": [{"dynamodb": kept}]}


class Lambda:
    """Takes records, but for those that it fails on, each so many times; `breaks` says how often it does as a whole."""

    def __init__(self, fails: dict[str, int] | None = None, breaks: int = 0) -> None:
        self.fails = fails or {}
        self.breaks = breaks
        self.batches: list[list[str]] = []

    def list_event_source_mappings(self, **asked: Any) -> dict[str, Any]:
        return {"EventSourceMappings": [{"UUID": "a", "FunctionArn": "react", "BatchSize": 3}]}

    def invoke(self, **asked: Any) -> dict[str, Any]:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in json.loads(asked["Payload"])["Records"]]
        self.batches.append(numbers)
        if self.breaks:
            self.breaks -= 1
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        failed = [number for number in numbers if self.fails.get(number)]
        for number in failed:
            self.fails[number] -= 1
        answer = {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def delivered(folder: Path, there: Lambda, monkeypatch: pytest.MonkeyPatch, count: int = 5) -> int:
    """Deliver so many records that were set aside; how many are left."""
    kept = [
        {"eventName": "INSERT", "eventSourceARN": "s", "dynamodb": {"SequenceNumber": str(n)}} for n in range(count)
    ]
    (folder / "unread.json").write_text(json.dumps({"a": kept}))
    monkeypatch.setattr(boto3, "client", lambda *_, **__: there)
    return deliver_unread(folder)


def test_what_was_set_aside_is_delivered_in_its_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Lambda()
    assert delivered(tmp_path, there, monkeypatch) == 0
    assert there.batches == [["0", "1", "2"], ["3", "4"]]
    assert not (tmp_path / "unread.json").exists()


def test_from_what_a_function_failed_on_it_is_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Lambda(fails={"1": 1, "2": 1})
    assert delivered(tmp_path, there, monkeypatch) == 0
    assert there.batches == [["0", "1", "2"], ["1", "2", "3"], ["4"]]


def test_a_function_that_broke_is_given_its_batch_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Lambda(breaks=TRIES - 1)
    assert delivered(tmp_path, there, monkeypatch, count=2) == 0
    assert there.batches == [["0", "1"]] * TRIES


def test_what_a_function_always_fails_on_waits_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delivered(tmp_path, Lambda(fails={"3": 100}), monkeypatch) == 2
    assert [record["dynamodb"]["SequenceNumber"] for record in unread_in(tmp_path)["a"]] == ["3", "4"]
