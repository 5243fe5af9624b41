"""Replaying what was set aside, on a queue and a function that are told how to behave."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tidings_cli.replay import Replaying, Tally


class Queue:
    """A queue whose messages are invisible once received, until they are deleted or let go."""

    def __init__(self, *sequences: str) -> None:
        self.messages: dict[str, str] = {}
        self.invisible: set[str] = set()
        self.sent = 0
        for sequence in sequences:
            self.send(sequence)

    def send(self, sequence: str) -> None:
        self.sent += 1
        self.messages[f"m{self.sent}"] = json.dumps({"dynamodb": {"SequenceNumber": sequence}})

    def receive_message(self, **arguments: Any) -> dict[str, Any]:
        ids = [name for name in self.messages if name not in self.invisible][: arguments["MaxNumberOfMessages"]]
        self.invisible.update(ids)
        found = [{"MessageId": name, "ReceiptHandle": name, "Body": self.messages[name]} for name in ids]
        return {"Messages": found} if found else {}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        del self.messages[ReceiptHandle]

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        assert VisibilityTimeout == 0
        self.invisible.discard(ReceiptHandle)


class React:
    """Takes records in, except those that it is told to set aside again, to repeat later, or to break on."""

    def __init__(self, queue: Queue, **behaviour: str) -> None:
        self.queue = queue
        self.behaviour = behaviour
        self.given: list[str] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        (record,) = json.loads(Payload)["Records"]
        sequence = record["dynamodb"]["SequenceNumber"]
        self.given.append(sequence)
        body: dict[str, Any] = {"batchItemFailures": []}
        match self.behaviour.get(f"s{sequence}"):
            case "aside":
                self.queue.send(sequence)
            case "later":
                body = {"batchItemFailures": [{"itemIdentifier": sequence}]}
            case "breaks":
                failed = {"errorType": "MemoryError"}
                return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failed).encode())}
        return {"Payload": io.BytesIO(json.dumps(body).encode())}


def replayed(queue: Queue, react: React, limit: int | None = None) -> Tally:
    return Replaying(queue, react, "https://queue", "React").run(limit, lambda count: None)


def test_what_is_taken_in_leaves_the_queue() -> None:
    queue = Queue(*(str(number) for number in range(25)))
    react = React(queue)
    assert replayed(queue, react).as_dict() == {"taken_in": 25, "set_aside_again": 0, "refused": {}}
    assert sorted(react.given, key=int) == [str(number) for number in range(25)]
    assert queue.messages == {}


def test_what_is_set_aside_again_is_given_once_counted_and_left() -> None:
    queue = Queue("1", "2")
    react = React(queue, s2="aside")
    assert replayed(queue, react).as_dict() == {"taken_in": 1, "set_aside_again": 1, "refused": {}}
    assert react.given == ["1", "2"]
    assert len(queue.messages) == 1
    assert queue.invisible & queue.messages.keys() == set()


@pytest.mark.parametrize(("how", "reason"), [("later", "to be repeated later"), ("breaks", "MemoryError")])
def test_what_fails_stays_and_can_be_read_by_the_next(how: str, reason: str) -> None:
    queue = Queue("1", "2", "3")
    react = React(queue, s2=how)
    tally = replayed(queue, react)
    assert tally.as_dict() == {"taken_in": 2, "set_aside_again": 0, "refused": {reason: 1}}
    assert tally.failed == 1
    assert list(queue.messages) == ["m2"]
    assert queue.invisible & queue.messages.keys() == set()


def test_no_more_than_the_limit_are_given() -> None:
    queue = Queue("1", "2", "3")
    react = React(queue)
    assert replayed(queue, react, limit=2).taken_in == 2
    assert list(queue.messages) == ["m3"]
    assert queue.invisible & queue.messages.keys() == set()


def test_an_empty_queue_is_no_failure() -> None:
    tally = replayed(Queue(), React(Queue()))
    assert (tally.taken_in, tally.failed) == (0, 0)
