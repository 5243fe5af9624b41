"""Messages as they travel: built from the parameters of SendEmail, or taken raw, and read back for the outbox."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, cast

from tidings_cli.carriers.ses import rules
from tidings_cli.carriers.ses.errors import BadRequest

_READ = policy.default
_WRITE = policy.SMTP
_ENCODINGS = {"BASE64": "base64", "QUOTED_PRINTABLE": "quoted-printable", "SEVEN_BIT": "7bit"}


@dataclass(frozen=True)
class Part:
    """A part of a message that is not its text: `number` counts all parts of the message from 0."""

    number: int
    name: str
    content_type: str
    disposition: str
    content_id: str
    content: bytes


@dataclass(frozen=True)
class Simple:
    """What SendEmail's Content.Simple says, read and checked."""

    subject: str
    text: str | None
    html: str | None
    headers: list[tuple[str, str]]
    attachments: list[Mapping[str, Any]]


def read_simple(content: Mapping[str, Any]) -> Simple:
    """Check Content.Simple. Raises BadRequest."""
    body = content.get("Body") or {}
    subject = rules.text_of(content.get("Subject"), "Subject")
    text, html = rules.text_of(body.get("Text"), "Body.Text"), rules.text_of(body.get("Html"), "Body.Html")
    if subject is None:
        raise BadRequest("Subject is missing.")
    if "\n" in subject or "\r" in subject:
        raise BadRequest("Subject must be one line.")
    if text is None and html is None:
        raise BadRequest("Body has neither Text nor Html.")
    attachments = rules.objects(content.get("Attachments"), "Attachments")
    for attachment in attachments:
        rules.check_file_name(str(attachment.get("FileName") or ""))
    # Early, since building such a message takes long.
    rules.check_size(sum(len(str(attachment.get("RawContent") or "")) for attachment in attachments))
    return Simple(subject, text, html, rules.custom_headers(content.get("Headers")), attachments)


def compose(simple: Simple, addresses: Mapping[str, Sequence[str]], html: str | None) -> bytes:
    """The message with the given addresses (`From`, `To`, `Cc`, `Reply-To`), and `html` in place of its own."""
    message = EmailMessage(policy=_WRITE)
    for name, values in addresses.items():
        if values:
            _set_addresses(message, name, values)
    message["Subject"] = simple.subject
    if simple.text is not None:
        message.set_content(simple.text, subtype="plain", cte=_encoding(simple.text))
    if html is not None and simple.text is not None:
        message.add_alternative(html, subtype="html", cte=_encoding(html))
    elif html is not None:
        message.set_content(html, subtype="html", cte=_encoding(html))
    _attach_all(message, simple.attachments)
    # Written as they are: the email package would fold or encode a long List-Unsubscribe, which SES does not.
    kept = [f"{n}: {v}\r\n" for n, v in simple.headers if _is_kept(n)]
    return "".join(kept).encode("ascii") + message.as_bytes()


def stamp(message: bytes, message_id: str, at: datetime) -> bytes:
    """Put SES's own Message-ID and Date on a message that has neither."""
    return f"Message-ID: <{message_id}>\r\nDate: {format_datetime(at)}\r\n".encode() + message


def read_raw(content: Mapping[str, Any]) -> EmailMessage:
    """Parse Content.Raw. Raises BadRequest."""
    data = decoded(content.get("Data"), "Raw.Data")
    message = parse(data)
    if not message.items() or message.get("from") is None:
        raise BadRequest("Raw.Data is not a message: it needs header fields, From among them, and a body.")
    for part in message.walk():
        if part.get_filename():
            rules.check_file_name(str(part.get_filename()))
    return message


def strip_raw(message: EmailMessage, html: str | None) -> bytes:
    """A raw message as SES passes it on: without its own headers and Bcc, with `html` in place of its own."""
    for name in {name for name in message if not _is_kept(name) or name.lower() == "bcc"}:
        del message[name]
    body = message.get_body(("html",))
    if html is not None and body is not None:
        kept = [(name, str(body[name])) for name in ("Content-ID", "Content-Disposition") if body.get(name)]
        cast(EmailMessage, body).set_content(html, subtype="html", cte=_encoding(html))
        for name, value in kept:
            del body[name]
            body[name] = value
    return message.as_bytes(policy=_WRITE)


def parse(data: bytes) -> EmailMessage:
    """Read a message. Raises BadRequest."""
    try:
        message = message_from_bytes(data, policy=_READ)
        for part in message.walk():
            part.items()  # headers are only read when they are asked for
    # Besides its own errors, the email package trips over some malformed headers.
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise BadRequest(f"The message cannot be parsed: {error}") from None
    return message


def body_of(message: EmailMessage, kind: str) -> str | None:
    """The text (`plain`) or HTML (`html`) that a recipient sees, None when there is none."""
    part = message.get_body((kind,))
    return None if part is None else _text(cast(EmailMessage, part))


def parts_of(message: EmailMessage) -> Iterator[Part]:
    """Attachments and embedded pictures: all parts except containers and the two bodies."""
    bodies = {id(message.get_body((kind,))) for kind in ("plain", "html")}
    for number, part in enumerate(message.walk()):
        if part.is_multipart() or id(part) in bodies:
            continue
        payload = part.get_payload(decode=True)
        yield Part(
            number=number,
            name=str(part.get_filename() or f"part-{number}"),
            content_type=part.get_content_type(),
            disposition=part.get_content_disposition() or "inline",
            content_id=str(part.get("Content-ID") or "").strip("<> "),
            content=payload if isinstance(payload, bytes) else b"",
        )


def decoded(value: object, where: str) -> bytes:
    """Bytes that travel as base64 in JSON. Raises BadRequest."""
    try:
        return base64.b64decode(str(value or ""), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{where} is not base64.") from None


def _set_addresses(message: EmailMessage, name: str, values: Sequence[str]) -> None:
    try:
        message[name] = ", ".join(values)
    except ValueError as error:  # a line break hidden in an encoded-word
        raise BadRequest(f"{name}: {error}") from None


def _is_kept(name: str) -> bool:
    return name.lower() not in rules.OVERRIDDEN and not name.lower().startswith("x-ses-")


def _encoding(text: str) -> str:
    plain = text.isascii() and max(map(len, text.split("\n"))) <= 900 and "\r" not in text.replace("\r\n", "")
    return "7bit" if plain else "quoted-printable"


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        text = data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n")


def _attach_all(message: EmailMessage, attachments: Sequence[Mapping[str, Any]]) -> None:
    # Embedded pictures first: they belong to the HTML part, which stops being reachable once others are attached.
    for attachment in sorted(attachments, key=lambda one: one.get("ContentDisposition") != "INLINE"):
        name = str(attachment["FileName"])
        kind = str(attachment.get("ContentType") or mimetypes.guess_type(name)[0] or "application/octet-stream")
        main, _, sub = kind.partition(";")[0].strip().partition("/")
        content = decoded(attachment.get("RawContent"), f"Attachment '{name}'")
        encoding = _ENCODINGS.get(str(attachment.get("ContentTransferEncoding") or "BASE64"))
        if not main or not sub or encoding is None or (encoding == "7bit" and not content.isascii()):
            raise BadRequest(f"Attachment '{name}' has a wrong ContentType or ContentTransferEncoding.")
        identity = f"<{attachment['ContentId']}>" if attachment.get("ContentId") else None
        html = message.get_body(("html",)) if attachment.get("ContentDisposition") == "INLINE" else None
        if html is not None:
            add = cast(EmailMessage, html).add_related
            add(content, main, sub, cte=encoding, filename=name, cid=identity, disposition="inline")
        else:
            message.add_attachment(content, main, sub, cte=encoding, filename=name, cid=identity)
