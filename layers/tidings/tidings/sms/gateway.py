"""AWS End User Messaging SMS. One attempt a call: whether a repeat is right is decided elsewhere.

SendTextMessage has no client token, so that a blind repeat could send twice.
https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

from __future__ import annotations

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

from tidings.consent.model import Kind
from tidings.core import aws
from tidings.core.settings import Settings
from tidings.messages.orders import Accepted, Answer, NoAnswer, Refused
from tidings.sms.model import Outgoing

SERVICE = "pinpoint-sms-voice-v2"
CONNECT_SECONDS = 2
READ_SECONDS = 10

MESSAGE_TYPES = {Kind.MARKETING: "PROMOTIONAL", Kind.TRANSACTIONAL: "TRANSACTIONAL"}

# Errors before the request left: the provider cannot have taken the message.
_NEVER_LEFT = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProxyConnectionError,
)
# The service answers these to a message that it would take later, or once an operator has mended the account: a quota
# is one of the month's spending too, and is raised.
_AGAIN = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "ServiceQuotaExceededException",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
# Who may call and how often, and a request that did not arrive whole: nothing that is wrong with the message.
_AGAIN_STATUS = frozenset({403, 408, 429})


class SmsVoiceGateway:
    """Sends by SendTextMessage; the configuration set says where events go."""

    @classmethod
    def of(cls, settings: Settings) -> SmsVoiceGateway:
        """The gateway that the settings describe. Raises MissingSetting."""
        return cls(settings.require("SMS_CONFIGURATION_SET"))

    def __init__(self, configuration_set: str, client: Any = None) -> None:
        self._configuration_set = configuration_set
        self._client = client or aws.client(
            SERVICE,
            Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}),
        )

    def send(self, text: Outgoing) -> Answer:
        """Hand a text to the service, or with `dry_run` ask whether it would take it. Faults are answers too."""
        try:
            answer = self._client.send_text_message(**self._request(text))
        except ClientError as error:
            return _refusal(error)
        except ParamValidationError as error:
            return Refused(type(error).__name__, again=False)
        except _NEVER_LEFT as error:
            return Refused(type(error).__name__, again=True)
        except BotoCoreError as error:
            return NoAnswer(type(error).__name__)
        return Accepted(str(answer["MessageId"]))

    def _request(self, text: Outgoing) -> dict[str, Any]:
        return {
            "DestinationPhoneNumber": text.recipient,
            "OriginationIdentity": text.origin,
            "MessageBody": text.body,
            "MessageType": MESSAGE_TYPES[text.kind],
            "ConfigurationSetName": self._configuration_set,
            "Context": dict(text.context),
            **({"MaxPrice": _price(text.max_price)} if text.max_price else {}),
            **({"TimeToLive": text.lifetime} if text.lifetime else {}),
            **({"DestinationCountryParameters": dict(text.country_parameters)} if text.country_parameters else {}),
            **({"DryRun": True} if text.dry_run else {}),
        }


def _price(text: str) -> str:
    """A price as the service takes it: `[0-9]{0,2}.[0-9]{1,5}`."""
    return text if "." in text else f"{text}.0"


def _refusal(error: ClientError) -> Answer:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _AGAIN or status in _AGAIN_STATUS:
        return Refused(_told(code, error) or f"HTTP {status}", again=True)
    if 400 <= status < 500:
        return Refused(_told(code, error), again=False)
    # A server's fault may come after acceptance.
    return NoAnswer(code or f"HTTP {status}")


def _told(code: str, error: ClientError) -> str:
    """The code with the service's reason, one of its own words such as `DESTINATION_PHONE_NUMBER_OPTED_OUT`."""
    reason = str(error.response.get("Reason") or "")
    return f"{code}: {reason}" if reason else code
