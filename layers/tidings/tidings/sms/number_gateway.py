"""The phone numbers of the account, and its opt-out lists, by AWS End User Messaging.

Every call may be repeated, so the client does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidings.core import aws
from tidings.core.errors import InvalidInput, Throttled, Unavailable
from tidings.sms.number_model import Held

SERVICE = "pinpoint-sms-voice-v2"
PAGE = 100
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
_THROTTLES = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling"})
_REFUSALS = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})


class SmsVoiceNumbers:
    """The numbers of the account, in the region that texts are sent from."""

    @cached_property
    def _client(self) -> Any:
        return aws.client(SERVICE, _CONFIG)

    def show(self, number: str) -> Held | None:
        """What AWS says of a number (E.164); None if the account has no such one: a call for each hundred numbers."""
        asked: dict[str, Any] = {"MaxResults": PAGE}
        while True:
            with _faults():
                answer = self._client.describe_phone_numbers(**asked)
            for one in answer.get("PhoneNumbers") or ():
                if "+" + str(one["PhoneNumber"]).removeprefix("+") == number:
                    return _held(one)
            if not answer.get("NextToken"):
                return None
            asked["NextToken"] = answer["NextToken"]

    def set_up(self, held: Held, topic: str, self_managed: bool | None) -> None:
        """Let answers come to a topic (empty leaves it as it is), and say who answers STOP (None the same)."""
        changes: dict[str, Any] = {"TwoWayEnabled": True, "TwoWayChannelArn": topic} if topic else {}
        if self_managed is not None:
            changes["SelfManagedOptOutsEnabled"] = self_managed
        with _faults():
            self._client.update_phone_number(PhoneNumberId=held.id, **changes)


class SmsVoiceOptOuts:
    """The opt-out lists of the account: whom AWS sends no text, whoever asks."""

    @cached_property
    def _client(self) -> Any:
        return aws.client(SERVICE, _CONFIG)

    def put(self, listed: str, number: str) -> None:
        """Put a person's number on a list; one that is there stays."""
        with _faults():
            self._client.put_opted_out_number(OptOutListName=listed, OptedOutNumber=number)

    def delete(self, listed: str, number: str) -> None:
        """Take a person's number off a list, if it is there. Raises InvalidInput: AWS lets it once in 30 days."""
        with _faults("ResourceNotFoundException"):
            self._client.delete_opted_out_number(OptOutListName=listed, OptedOutNumber=number)


def _held(one: dict[str, Any]) -> Held:
    return Held(
        id=str(one.get("PhoneNumberId") or one["PhoneNumberArn"]),
        status=str(one["Status"]),
        country=str(one["IsoCountryCode"]),
        type=str(one["NumberType"]),
        message_type=str(one["MessageType"]),
        two_way=bool(one["TwoWayEnabled"]),
        topic=str(one.get("TwoWayChannelArn") or ""),
        self_managed=bool(one["SelfManagedOptOutsEnabled"]),
        opt_outs=str(one["OptOutListName"]),
        pool=str(one.get("PoolId") or ""),
        sends="SMS" in one["NumberCapabilities"],
    )


@contextmanager
def _faults(*fine: str) -> Iterator[None]:
    """Turn what AWS refuses into our errors; codes that are `fine` are none."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in fine:
            return
        if code in _THROTTLES:
            raise Throttled("sms_throttled", "End User Messaging asks to slow down.") from error
        if code in _REFUSALS:
            said = str(error.response["Error"].get("Message", ""))
            raise InvalidInput("sms_refused", f"End User Messaging refuses this: {said}") from error
        raise Unavailable("sms_failed", f"End User Messaging answered {code}.") from error
    except BotoCoreError as error:
        raise Unavailable("sms_failed", f"End User Messaging did not answer: {type(error).__name__}.") from error
