"""AWS Step Functions and the queues that react hands work to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidings.core import aws
from tidings.core.aws import code_of
from tidings.core.errors import Throttled, Unavailable

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
_THROTTLES = frozenset({"ThrottlingException", "TooManyRequestsException", "ExecutionLimitExceeded", "Throttling"})
_BATCH = 10  # what SQS takes at once
# What StartExecution says of a machine that was deleted because nobody was left in it.
_NO_MACHINE = frozenset({"StateMachineDoesNotExist", "StateMachineDeleting"})
# What StopExecution says of an execution that has ended, or never began.
_NOT_RUNNING = frozenset({"ExecutionDoesNotExist", "ValidationException"})
# What SendTaskSuccess says of a token that was answered, or whose Task timed out, failed or was stopped.
_NOT_WAITING = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class Start(StrEnum):
    """What came of starting an execution."""

    STARTED = "started"
    THERE = "there"
    THROTTLED = "throttled"
    NO_MACHINE = "no_machine"  # it has to be made again

    @property
    def is_put_off(self) -> bool:
        """Whether nothing was started, and somebody has to try again."""
        return self in (Start.THROTTLED, Start.NO_MACHINE)


class StepFunctionsGateway:
    """Creates machines and starts executions."""

    def __init__(self, role_arn: str = "", client: Any = None) -> None:
        self._role_arn = role_arn
        self._client = client or aws.client("stepfunctions", _CONFIG)

    def create_machine(self, name: str, definition: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """The ARN of the machine, made if it is not there: Step Functions answers the same for the same definition.

        Raises Throttled or Unavailable; `machine_limit` where the account has no room for another one.
        """
        try:
            answer = self._client.create_state_machine(
                name=name,
                definition=json.dumps(definition),
                roleArn=self._role_arn,
                type="STANDARD",
                tags=[{"key": key, "value": value} for key, value in tags.items()],
            )
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code == "StateMachineLimitExceeded":
                raise Unavailable("machine_limit", "The account has no room for another machine.") from error
            if code in _THROTTLES:
                raise Throttled("machine_throttled", "Step Functions makes no more machines right now.") from error
            raise Unavailable("machine_failed", f"The machine could not be created: {code}.") from error
        return str(answer["stateMachineArn"])

    def delete_machine(self, machine: str) -> None:
        """Delete a machine, if it is there. Raises Throttled or Unavailable."""
        try:
            self._client.delete_state_machine(stateMachineArn=machine)
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code in _NO_MACHINE:
                return
            if code in _THROTTLES:
                raise Throttled("machine_throttled", "Step Functions deletes no more machines right now.") from error
            raise Unavailable("machine_failed", f"The machine could not be deleted: {code}.") from error

    def start(self, machine: str, name: str, execution_input: str) -> Start:
        """Start an execution. A name that ran in the last 90 days is there already. Raises Unavailable."""
        try:
            self._client.start_execution(stateMachineArn=machine, name=name, input=execution_input)
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code == "ExecutionAlreadyExists":
                return Start.THERE
            if code in _THROTTLES:
                return Start.THROTTLED
            if code in _NO_MACHINE:
                return Start.NO_MACHINE
            raise Unavailable("start_failed", f"The execution could not be started: {code}.") from error
        return Start.STARTED

    def stop(self, execution: str) -> None:
        """Stop an execution, if it is running. Raises Throttled or Unavailable."""
        try:
            self._client.stop_execution(executionArn=execution)
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code in _THROTTLES:
                raise Throttled("stop_throttled", "Step Functions stops no more executions right now.") from error
            if code not in _NOT_RUNNING:
                raise Unavailable("stop_failed", f"The execution could not be stopped: {code}.") from error

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Let a Task that waits with a token go on; False if it does not wait any more, which is no error.

        Raises Throttled or Unavailable.
        """
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output, separators=(",", ":")))
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code in _NOT_WAITING:
                return False
            if code in _THROTTLES:
                raise Throttled("wake_throttled", "Step Functions takes no more answers right now.") from error
            raise Unavailable("wake_failed", f"The machine could not be woken: {code}.") from error
        return True

    def status(self, execution: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; empty if there is no such execution.

        Raises Throttled or Unavailable.
        """
        try:
            return str(self._client.describe_execution(executionArn=execution)["status"])
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code == "ExecutionDoesNotExist":
                return ""
            if code in _THROTTLES:
                raise Throttled("describe_throttled", "Step Functions answers no more questions right now.") from error
            raise Unavailable("describe_failed", f"The execution could not be described: {code}.") from error


class QueueGateway:
    """Puts JSON messages into an SQS queue."""

    def __init__(self, queue_url: str, client: Any = None) -> None:
        self._queue_url = queue_url
        self._client = client or aws.client("sqs", _CONFIG)

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None:
        """Put a message that nobody sees for `delay` seconds, 900 at most. Raises Unavailable."""
        later = {"DelaySeconds": delay} if delay else {}
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body), **later)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("queue_failed", f"The queue did not take a message: {code_of(error)}.") from error

    def put_all(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Put messages, ten a call. Raises Unavailable unless all were taken; a repeat puts some of them twice."""
        for start in range(0, len(bodies), _BATCH):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(body)}
                for number, body in enumerate(bodies[start : start + _BATCH])
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise Unavailable("queue_failed", f"The queue did not take messages: {code_of(error)}.") from error
            if answer.get("Failed"):
                raise Unavailable("queue_failed", "The queue did not take all messages.")
