"""Gives the records of the set-aside queue to the react function again.

`react` sets a record that fails by itself aside again, as a new message of the same sequence number, and reports no
failure: nothing may be lost in between. So a record that comes back while the queue is being worked off has failed
again; it is counted and left where it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tidings_cli.printing import FAILED, OK, console, print_json, say
from tidings_cli.stack import Stack, aws_faults

# Longer than one record may take, so that nobody else is handed it meanwhile.
VISIBILITY_SECONDS = 180
WAIT_SECONDS = 1
# SQS answers from some of its servers at a time: one empty answer does not mean an empty queue.
EMPTY_ANSWERS = 2


@dataclass
class Tally:
    """What became of the records."""

    taken_in: int = 0
    set_aside_again: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """How many are still in the queue."""
        return self.set_aside_again + sum(self.refused.values())

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "taken_in": self.taken_in,
            "set_aside_again": self.set_aside_again,
            "refused": dict(self.refused),
        }


def replay(stack: Stack, limit: int | None, as_json: bool) -> int:
    """Work the queue off and say what came of it; 1 if records failed again."""
    queue, function = stack.output("SetAsideQueueUrl"), stack.output("ReactFunctionName")
    with aws_faults():
        replaying = Replaying(stack.client("sqs"), stack.client("lambda"), queue, function)
        if as_json:
            tally = replaying.run(limit, lambda count: None)
            print_json(tally.as_dict())
            return int(tally.failed > 0)
        with console().status("Reading the set-aside queue …") as status:
            tally = replaying.run(limit, lambda count: status.update(f"Replaying: {count} records so far …"))
    _tell(tally, stack.name)
    return int(tally.failed > 0)


class Replaying:
    """One pass over the queue."""

    def __init__(self, sqs: Any, functions: Any, queue: str, function: str) -> None:
        self._sqs = sqs
        self._lambda = functions
        self._queue = queue
        self._function = function
        self._tally = Tally()
        self._given: set[str] = set()
        self._back: set[str] = set()
        self._held: list[str] = []

    def run(self, limit: int | None, tell: Callable[[int], None]) -> Tally:
        """Give each record to react, at most `limit`, until the queue gives nothing more."""
        try:
            for message in self._messages():
                self._take(message, limit)
                tell(len(self._given))
        finally:
            self._let_go()
        self._tally.set_aside_again = len(self._back)
        self._tally.taken_in -= len(self._back)
        return self._tally

    def _take(self, message: dict[str, Any], limit: int | None) -> None:
        record = json.loads(message["Body"])
        sequence = str(record.get("dynamodb", {}).get("SequenceNumber", message["MessageId"]))
        if sequence in self._given:
            self._back.add(sequence)
            self._held.append(message["ReceiptHandle"])
        elif limit is not None and len(self._given) >= limit:
            self._held.append(message["ReceiptHandle"])
        else:
            self._given.add(sequence)
            self._give(message, record)

    def _messages(self) -> Iterator[dict[str, Any]]:
        empty = 0
        seen: set[str] = set()
        while empty < EMPTY_ANSWERS:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=WAIT_SECONDS,
                VisibilityTimeout=VISIBILITY_SECONDS,
            )
            new = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            empty = 0 if new else empty + 1
            for message in new:
                seen.add(message["MessageId"])
                yield message

    def _give(self, message: dict[str, Any], record: dict[str, Any]) -> None:
        payload = json.dumps({"Records": [record]}).encode()
        answer = self._lambda.invoke(FunctionName=self._function, Payload=payload)
        body = json.loads(answer["Payload"].read() or b"null")
        refused = _refusal(answer, body)
        if refused:
            self._tally.refused[refused] += 1
            self._held.append(message["ReceiptHandle"])
            return
        self._tally.taken_in += 1
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _let_go(self) -> None:
        """Let the next reader have at once what was not taken in; until now it was kept from being read again here."""
        for receipt in self._held:
            self._sqs.change_message_visibility(QueueUrl=self._queue, ReceiptHandle=receipt, VisibilityTimeout=0)


def _refusal(answer: dict[str, Any], body: Any) -> str:
    """Why react did not take a record in; empty if it did."""
    if "FunctionError" in answer:
        return str(body.get("errorType", "error")) if isinstance(body, dict) else "error"
    failures = body.get("batchItemFailures") if isinstance(body, dict) else None
    return "to be repeated later" if failures else ""


def _tell(tally: Tally, stack: str) -> None:
    if not tally.taken_in and not tally.failed:
        say(f"{OK} The set-aside queue is empty.")
        return
    say(f"{OK} {tally.taken_in} taken in")
    if tally.set_aside_again:
        say(f"{FAILED} {tally.set_aside_again} failed again and stay in the queue")
    for reason, count in tally.refused.items():
        say(f"{FAILED} {count} stay in the queue: {reason}")
    if tally.failed:
        say(f'  The log of {stack}-React says why: look for "set aside" or for errors. Then replay again.')
