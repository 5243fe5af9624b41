"""AWS End User Messaging SMS. One attempt a call: whether a repeat is right is decided elsewhere.

SendTextMessage has no client token, so that a blind repeat could send twice.
https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

from __future__ import annotations

from typing import Any

from tidings.consent.model import Kind
from tidings.core import aws
from tidings.core.settings import Settings
from tidings.messages.gateway import ONE_ATTEMPT, attempt
from tidings.messages.orders import Answer
from tidings.sms.model import Outgoing

SERVICE = "pinpoint-sms-voice-v2"
MESSAGE_TYPES = {Kind.MARKETING: "PROMOTIONAL", Kind.TRANSACTIONAL: "TRANSACTIONAL"}

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


class SmsVoiceGateway:
    """Sends by SendTextMessage; the configuration set says where events go."""

    @classmethod
    def of(cls, settings: Settings) -> SmsVoiceGateway:
        """The gateway that the settings describe. Raises MissingSetting."""
        return cls(settings.require("SMS_CONFIGURATION_SET"))

    def __init__(self, configuration_set: str, client: Any = None) -> None:
        self._configuration_set = configuration_set
        self._client = client or aws.client(SERVICE, ONE_ATTEMPT)

    def send(self, text: Outgoing) -> Answer:
        """Hand a text to the service, or with `dry_run` ask whether it would take it. Faults are answers too."""
        return attempt(self._client.send_text_message, self._request(text), _AGAIN)

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
