"""Amazon SES, API version 2. One attempt a call: whether a repeat is right is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.consent.model import Kind
from tidings.core import aws
from tidings.core.settings import Settings
from tidings.email.model import Mail
from tidings.messages.gateway import ONE_ATTEMPT, attempt
from tidings.messages.orders import Answer

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


class SesGateway:
    """Sends by SESv2 SendEmail; `configuration_sets` say for each kind of mail its addresses and where events go."""

    @classmethod
    def of(cls, settings: Settings) -> SesGateway:
        """The gateway that the settings describe. Raises MissingSetting."""
        return cls({kind: settings.require(f"SES_CONFIGURATION_SET_{kind.name}") for kind in Kind})

    def __init__(self, configuration_sets: Mapping[Kind, str], client: Any = None) -> None:
        self._configuration_sets = dict(configuration_sets)
        self._client = client or aws.client("sesv2", ONE_ATTEMPT)

    def send(self, mail: Mail) -> Answer:
        """Hand a mail to SES. Faults are answers too: SES has no client token, so a blind repeat could send twice."""
        return attempt(self._client.send_email, self._request(mail), _AGAIN)

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
