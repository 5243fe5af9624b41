"""What a provider's answer to one attempt at sending means, whatever its channel.

No provider of messages takes a token by which it would know a repeat, so that a blind repeat could send twice: a client
makes one attempt, and faults are answers too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ProxyConnectionError,
)

from tidings.messages.orders import Accepted, Answer, NoAnswer, Refused

ONE_ATTEMPT = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})

# Errors before the request left: the provider cannot have taken the message.
_NEVER_LEFT = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProxyConnectionError,
)
# Who may call and how often, and a request that did not arrive whole: nothing that is wrong with the message.
_AGAIN_STATUS = frozenset({403, 408, 429})


def attempt(call: Callable[..., Mapping[str, Any]], request: Mapping[str, Any], again: Collection[str]) -> Answer:
    """Hand a message to a provider once. `again` are codes for what it would take later."""
    try:
        answer = call(**request)
    except ClientError as error:
        return _refusal(error, again)
    except ParamValidationError as error:
        return Refused(type(error).__name__, again=False)
    except _NEVER_LEFT as error:
        return Refused(type(error).__name__, again=True)
    except BotoCoreError as error:
        return NoAnswer(type(error).__name__)
    return Accepted(str(answer["MessageId"]))


def _refusal(error: ClientError, again: Collection[str]) -> Answer:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in again or status in _AGAIN_STATUS:
        return Refused(_told(code, error) or f"HTTP {status}", again=True)
    if 400 <= status < 500:
        return Refused(_told(code, error), again=False)
    # A server's fault may come after acceptance.
    return NoAnswer(code or f"HTTP {status}")


def _told(code: str, error: ClientError) -> str:
    """The code, with one of the service's own words where it gives one: `DESTINATION_PHONE_NUMBER_OPTED_OUT`."""
    reason = str(error.response.get("Reason") or "")
    return f"{code}: {reason}" if reason else code
