"""The queue of parts to be worked off, and the machine that waits for the instants of sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidings.core import aws
from tidings.core.aws import code_of
from tidings.core.errors import Throttled, Unavailable

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
_THROTTLES = frozenset({"ThrottlingException", "TooManyRequestsException", "ExecutionLimitExceeded", "Throttling"})
BATCH = 10  # what SQS takes at once


class SqsDeliveryQueue:
    """The queue of deliveries."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    @cached_property
    def _client(self) -> Any:
        return aws.client("sqs", _CONFIG)  # late: most that send_email is called for needs no queue

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None:
        """Put a message that nobody sees for `delay` seconds, 900 at most. Raises Unavailable."""
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body), DelaySeconds=delay)
        except (ClientError, BotoCoreError) as error:
            raise _not_taken(code_of(error)) from error

    def put_all(self, bodies: list[dict[str, Any]]) -> None:
        """Put messages, ten a call. Raises Unavailable unless all were taken; a repeat puts some of them twice."""
        for start in range(0, len(bodies), BATCH):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(body)}
                for number, body in enumerate(bodies[start : start + BATCH])
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise _not_taken(code_of(error)) from error
            if answer.get("Failed"):
                raise _not_taken(str(answer["Failed"][0].get("Code", "")))


class DeliverLater:
    """The shared machine that waits."""

    def __init__(self, machine: str) -> None:
        self._machine = machine

    @cached_property
    def _client(self) -> Any:
        return aws.client("stepfunctions", _CONFIG)

    def start(self, name: str, told: Mapping[str, str]) -> None:
        """Let an execution of this name wait; one that is there already is as good. Raises Throttled, Unavailable."""
        try:
            self._client.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(dict(told)))
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code == "ExecutionAlreadyExists":
                return
            if code in _THROTTLES:
                raise Throttled("start_throttled", "Step Functions asks to try later.") from error
            raise Unavailable("start_failed", f"The execution could not be started: {code}.") from error


def _not_taken(code: str) -> Unavailable:
    return Unavailable("queue_failed", f"The queue did not take a message: {code}.")
