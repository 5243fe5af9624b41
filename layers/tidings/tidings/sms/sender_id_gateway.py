"""AWS End User Messaging's sender IDs, and the Step Functions machines in which requests wait.

Every call may be repeated, so the clients do that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidings.core import aws
from tidings.core.aws import code_of
from tidings.core.errors import Conflict, InvalidInput, Throttled, Unavailable
from tidings.sms.sender_id_model import Held

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
_THROTTLES = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling"})
# What SendTaskSuccess says of a token whose wait is over, however it ended.
_SETTLED = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
BOTH = ["TRANSACTIONAL", "PROMOTIONAL"]


class SmsVoiceSenderIds:
    """The sender IDs of the account, in the region that texts are sent from."""

    @cached_property
    def _client(self) -> Any:
        return aws.client("pinpoint-sms-voice-v2", _CONFIG)

    def show(self, name: str, country: str) -> Held | None:
        """What AWS has of a name in a country; None if nothing."""
        answer: dict[str, Any] = {}
        with _faults("ResourceNotFoundException"):
            answer = self._client.describe_sender_ids(SenderIds=[{"SenderId": name, "IsoCountryCode": country}])
        found = next(iter(answer.get("SenderIds") or ()), None)
        return _held(found) if found else None

    def request(self, name: str, country: str, token: str, workspace: str) -> Held:
        """Ask for a name in a country, for both kinds of messages; the same `token` is the same request."""
        with _faults():
            answer = self._client.request_sender_id(
                SenderId=name,
                IsoCountryCode=country,
                MessageTypes=BOTH,
                ClientToken=token,
                Tags=[{"Key": "tidings_workspace", "Value": workspace}],
            )
        return _held(answer)

    def registration(self, registration: str) -> str:
        """AWS's word for how a registration stands, such as COMPLETE; empty if it has no such one."""
        answer: dict[str, Any] = {}
        with _faults("ResourceNotFoundException"):
            answer = self._client.describe_registrations(RegistrationIds=[registration])
        return next((str(one["RegistrationStatus"]) for one in answer.get("Registrations") or ()), "")

    def release(self, name: str, country: str) -> None:
        """Give a name up in a country; one that is not there is gone already."""
        with _faults("ResourceNotFoundException"):
            self._client.release_sender_id(SenderId=name, IsoCountryCode=country)


class ReviewMachine:
    """The machines that wait for decisions, one execution a request and one more for its clock."""

    def __init__(self, machine: str) -> None:
        self._machine = machine

    @cached_property
    def _client(self) -> Any:
        return aws.client("stepfunctions", _CONFIG)

    def start(self, name: str, told: Mapping[str, Any]) -> None:
        """Start an execution; one of that name is as good."""
        try:
            self._client.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(told))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise Unavailable("start_failed", f"The request could not begin to wait: {code_of(error)}.") from error

    def runs(self, name: str) -> bool:
        """Whether the execution of a name is under way."""
        execution = f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            return bool(self._client.describe_execution(executionArn=execution)["status"] == "RUNNING")
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return False
            raise Unavailable("describe_failed", f"The execution could not be described: {code_of(error)}.") from error

    def answer(self, token: str, told: Mapping[str, Any]) -> bool:
        """Let a wait be over; False if it was over already."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(told))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _SETTLED:
                return False
            raise Unavailable("answer_failed", f"The waiting machine took no answer: {code_of(error)}.") from error
        return True


def _held(answer: Mapping[str, Any]) -> Held:
    return Held(bool(answer.get("Registered")), str(answer.get("RegistrationId") or ""))


@contextmanager
def _faults(*fine: str) -> Iterator[None]:
    """Turn what AWS refuses into our errors; codes that are `fine` are none."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in fine:
            return
        if code in _THROTTLES:
            raise Throttled("sms_throttled", "End User Messaging asks to slow down.") from error
        if code == "ServiceQuotaExceededException":
            raise Conflict("sms_sender_ids_full", "The account has no room for another sender ID.") from error
        if code in ("ValidationException", "ConflictException"):
            said = str(error.response["Error"].get("Message", ""))
            raise InvalidInput("sms_refused", f"End User Messaging refuses this: {said}") from error
        raise Unavailable("sms_failed", f"End User Messaging answered {code}.") from error
    except BotoCoreError as error:
        raise Unavailable("sms_failed", f"End User Messaging did not answer: {type(error).__name__}.") from error
