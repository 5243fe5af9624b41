"""Stream records that the engine forgets when it stops."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tidings_cli.local.streams import TAIL, set_aside


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
