"""The suppression list that SES keeps for the whole account.

https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidings.consent.model import Reason
from tidings.core import aws
from tidings.core.errors import Throttled, Unavailable

CONNECT_SECONDS = 2
READ_SECONDS = 10
ATTEMPTS = 3
PAGE = 1000
_BUSY = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException"})
_REASONS = {"BOUNCE": Reason.BOUNCE, "COMPLAINT": Reason.COMPLAINT}


@dataclass(frozen=True, slots=True)
class Listed:
    """An address on the account's list, why and since when."""

    address: str
    reason: Reason
    at: datetime


class AccountGateway:
    """Reads the account's list and takes addresses off it. Both may be repeated."""

    def __init__(self, client: Any = None) -> None:
        self._made = client

    def since(self, instant: datetime | None) -> Iterator[Listed]:
        """What came to the list at an instant or later, a thousand a call. Raises Throttled, Unavailable."""
        asked: dict[str, Any] = {"PageSize": PAGE, **({"StartDate": instant} if instant else {})}
        while True:
            answer = self._call("list_suppressed_destinations", **asked)
            for one in answer.get("SuppressedDestinationSummaries", []):
                reason = _REASONS.get(str(one["Reason"]))
                if reason is not None:
                    yield Listed(str(one["EmailAddress"]), reason, one["LastUpdateTime"].astimezone(UTC))
            if not answer.get("NextToken"):
                return
            asked["NextToken"] = answer["NextToken"]

    def release(self, address: str) -> None:
        """Take an address off the list, if it is there. Raises Throttled, Unavailable."""
        try:
            self._call("delete_suppressed_destination", EmailAddress=address)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise Unavailable("provider_failed", "SES did not take the address off its list.") from error

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            return dict(getattr(self._client, operation)(**arguments))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _BUSY:
                raise Throttled("provider_throttled", f"SES asks to try later: {code}.") from error
            if code == "NotFoundException":
                raise
            raise Unavailable("provider_failed", f"SES answered {code}.") from error
        except BotoCoreError as error:
            raise Unavailable("provider_failed", f"SES gave no answer: {type(error).__name__}.") from error

    @property
    def _client(self) -> Any:
        """Made when it is first needed: most workspaces keep a list of their own alone."""
        if self._made is None:
            retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
            config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
            self._made = aws.client("sesv2", config)
        return self._made
