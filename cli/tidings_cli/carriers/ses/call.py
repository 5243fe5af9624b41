"""The parameters of SendEmail, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from tidings_cli.carriers.ses import mime, rules
from tidings_cli.carriers.ses.errors import BadRequest
from tidings_cli.carriers.ses.rules import Mailbox

_LINES = ("To", "Cc", "Bcc")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 _-]+")


@dataclass(frozen=True)
class Call:
    """A SendEmail call that passed all checks: a message from Content.Simple or from Content.Raw."""

    sender: Mailbox
    to: list[Mailbox]
    cc: list[Mailbox]
    bcc: list[Mailbox]
    reply_to: list[Mailbox]
    tags: dict[str, list[str]]
    configuration_set: str | None
    track_opens: bool
    track_clicks: bool
    content: mime.Simple | EmailMessage

    @property
    def recipients(self) -> list[str]:
        """All bare addresses, each once."""
        return list(dict.fromkeys(box.address for box in (*self.to, *self.cc, *self.bcc)))

    @property
    def text(self) -> str | None:
        """The plain text of the message."""
        return self.content.text if isinstance(self.content, mime.Simple) else mime.body_of(self.content, "plain")

    @property
    def html(self) -> str | None:
        """The HTML of the message as the caller wrote it."""
        return self.content.html if isinstance(self.content, mime.Simple) else mime.body_of(self.content, "html")

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return self.content.subject if isinstance(self.content, mime.Simple) else str(self.content.get("Subject") or "")

    def build(self, html: str | None) -> bytes:
        """The message that travels, without Message-ID and Date, with `html` in place of its own."""
        if not isinstance(self.content, mime.Simple):
            return mime.strip_raw(self.content, html if html != self.html else None)
        addresses: dict[str, Sequence[str]] = {
            "From": [self.sender.text],
            "To": [box.text for box in self.to],
            "Cc": [box.text for box in self.cc],
            "Reply-To": [box.text for box in self.reply_to],
        }
        return mime.compose(self.content, addresses, html)


def read_call(body: Mapping[str, Any]) -> Call:
    """Check the parameters of SendEmail, except what depends on the account. Raises BadRequest."""
    content = body.get("Content")
    if not isinstance(content, dict) or len([kind for kind in ("Simple", "Raw", "Template") if content.get(kind)]) != 1:
        raise BadRequest("Content must hold exactly one of Simple, Raw and Template.")
    if content.get("Template"):
        raise BadRequest("The local SES carrier keeps no SES templates; send Content.Simple or Content.Raw.")
    raw = mime.read_raw(content["Raw"]) if content.get("Raw") else None
    to, cc, bcc = _destination(body, raw)
    override = (body.get("ConfigurationOverrides") or {}).get("Tracking") or {}
    tags = rules.email_tags(body.get("EmailTags"))
    return Call(
        sender=_sender(body, raw),
        to=to,
        cc=cc,
        bcc=bcc,
        reply_to=rules.mailboxes(body.get("ReplyToAddresses"), "ReplyToAddresses"),
        # "If you specify message tags using both headers and API parameters, SES uses only the API parameters."
        tags=tags or (_header_tags(raw) if raw else {}),
        configuration_set=body.get("ConfigurationSetName")
        or (_header(raw, "X-SES-CONFIGURATION-SET") if raw else None),
        track_opens=override.get("OpenTrackingEnabled") != "DISABLED",
        track_clicks=override.get("ClickTrackingEnabled") != "DISABLED",
        content=raw if raw is not None else mime.read_simple(content["Simple"]),
    )


def _sender(body: Mapping[str, Any], raw: EmailMessage | None) -> Mailbox:
    given = body.get("FromEmailAddress")
    if given is None and raw is not None:
        return rules.mailbox(_address_texts(raw, "From")[0], "From")
    return rules.mailbox(given, "FromEmailAddress")


def _destination(body: Mapping[str, Any], raw: EmailMessage | None) -> list[list[Mailbox]]:
    """To, Cc and Bcc; those of the raw message when the call names none."""
    given = body.get("Destination") or {}
    found = [rules.mailboxes(given.get(f"{name}Addresses"), f"Destination.{name}Addresses") for name in _LINES]
    if raw is not None and not any(found):
        found = [[rules.mailbox(text, name) for text in _address_texts(raw, name)] for name in _LINES]
    return found


def _address_texts(message: EmailMessage, name: str) -> list[str]:
    """The addresses of a header, without display names that are not plain ASCII."""
    pairs = getaddresses([str(value) for value in message.get_all(name, [])])
    return [f"{shown} <{address}>" if _PLAIN_NAME.fullmatch(shown) else address for shown, address in pairs]


def _header(message: EmailMessage | None, name: str) -> str | None:
    value = message.get(name) if message is not None else None
    return str(value).strip() if value else None


def _header_tags(message: EmailMessage | None) -> dict[str, list[str]]:
    pairs = [pair.partition("=") for pair in (_header(message, "X-SES-MESSAGE-TAGS") or "").split(",") if pair.strip()]
    return rules.email_tags([{"Name": name.strip(), "Value": value.strip()} for name, _, value in pairs])
