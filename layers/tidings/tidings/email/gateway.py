"""Amazon SES, API version 2. One attempt a call: whether a repeat is right is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
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
from tidings.email.model import Mail
from tidings.messages.orders import Accepted, Answer, NoAnswer, Refused

CONNECT_SECONDS = 2
READ_SECONDS = 10

# Errors before the request left: the provider cannot have taken the mail.
_NEVER_LEFT = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProxyConnectionError,
)
# SES answers these to a mail that it would take later, or once an operator has mended the account.
_AGAIN = frozenset(
    {
        "TooManyRequestsException",
        "LimitExceededException",
        "ThrottlingException",
        "Throttling",
        "SendingPausedException",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
# Who may call and how often, and a request that did not arrive whole: nothing that is wrong with the mail.
_AGAIN_STATUS = frozenset({403, 408, 429})


class SesGateway:
    """Sends by SESv2 SendEmail; `configuration_sets` say for each kind of mail its addresses and where events go."""

    @classmethod
    def of(cls, settings: Settings) -> SesGateway:
        """The gateway that the settings describe. Raises MissingSetting."""
        return cls({kind: settings.require(f"SES_CONFIGURATION_SET_{kind.name}") for kind in Kind})

    def __init__(self, configuration_sets: Mapping[Kind, str], client: Any = None) -> None:
        self._configuration_sets = dict(configuration_sets)
        self._client = client or aws.client(
            "sesv2",
            Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}),
        )

    def send(self, mail: Mail) -> Answer:
        """Hand a mail to SES. Faults are answers too: SES has no client token, so a blind repeat could send twice."""
        try:
            answer = self._client.send_email(**self._request(mail))
        except ClientError as error:
            return _refusal(error)
        except ParamValidationError as error:
            return Refused(type(error).__name__, again=False)
        except _NEVER_LEFT as error:
            return Refused(type(error).__name__, again=True)
        except BotoCoreError as error:
            return NoAnswer(type(error).__name__)
        return Accepted(str(answer["MessageId"]))

    def _request(self, mail: Mail) -> dict[str, Any]:
        body = {}
        if mail.text:
            body["Text"] = {"Data": mail.text, "Charset": "UTF-8"}
        if mail.html:
            body["Html"] = {"Data": mail.html, "Charset": "UTF-8"}
        subject = " ".join(mail.subject.split())  # a line break would begin a header (RFC 5322, 2.2)
        content: dict[str, Any] = {"Subject": {"Data": subject, "Charset": "UTF-8"}, "Body": body}
        if mail.headers:
            content["Headers"] = [{"Name": name, "Value": value} for name, value in mail.headers.items()]
        if mail.attachments:
            content["Attachments"] = [
                {"FileName": one.name, "ContentType": one.type, "RawContent": one.content} for one in mail.attachments
            ]
        return {
            "FromEmailAddress": mail.sender,
            "Destination": {"ToAddresses": [mail.recipient]},
            "Content": {"Simple": content},
            "ConfigurationSetName": self._configuration_sets[mail.kind],
            "EmailTags": [{"Name": name, "Value": value} for name, value in sorted(mail.tags.items())],
            **({"ReplyToAddresses": [mail.reply_to]} if mail.reply_to else {}),
        }


def _refusal(error: ClientError) -> Answer:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _AGAIN or status in _AGAIN_STATUS:
        return Refused(code or f"HTTP {status}", again=True)
    if 400 <= status < 500:
        return Refused(code, again=False)
    # A server's fault may come after acceptance.
    return NoAnswer(code or f"HTTP {status}")
