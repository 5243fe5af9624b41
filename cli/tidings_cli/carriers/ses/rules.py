"""What SES accepts in a SendEmail call, as its API reference and quotas page say. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tidings_cli.carriers.ses.errors import BadRequest

MAX_RECIPIENTS = 50
MAX_MESSAGE_BYTES = 40 * 1024 * 1024
MAX_HEADERS = 15
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,126}")
_HEADER_VALUE = re.compile(r"[ -~]{1,995}")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf'{_ATOM}(\.{_ATOM})*|"([^"\\\x00-\x1f]|\\[ -~])+"')
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}")
# One address, alone or after a name. The email package's parsers read far more than this, and trip over some of it.
_MAILBOX = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"<>@,;:.(\s][^"<>@,;:]*)?\s*<(?P<named>[^<>]*)>|(?P<bare>[^<>]*)')

# "Amazon SES header fields" of the developer guide: what a message can have only once, …
_ONCE_TEXT = """
accept-language acceptlanguage archived-at auto-submitted bounces-to comments content-alternative content-base
content-class content-description content-disposition content-duration content-id content-language content-length
content-location content-md5 content-transfer-encoding content-type date delivered-to
disposition-notification-options disposition-notification-to dkim-signature domainkey-signature errors-to from
importance in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe list-unsubscribe
list-unsubscribe-post message-context message-id mime-version organization original-from original-message-id
original-recipient original-subject precedence priority references reply-to return-path return-receipt-to sender
solicitation sensitivity subject thread-index thread-topic user-agent vbr-info
"""
_ONCE = frozenset(_ONCE_TEXT.split())
# … and what SES overrides with values of its own.
OVERRIDDEN = frozenset({"date", "message-id", "return-path"})
# Written from other parameters of the call, so that a second one would be too many.
_WRITTEN = frozenset(
    {"bcc", "cc", "content-transfer-encoding", "content-type", "from", "mime-version", "subject", "to"}
)
# "Amazon SES unsupported attachment types" of the developer guide.
_REFUSED_TEXT = """
.ade .adp .app .asp .bas .bat .cer .chm .cmd .com .cpl .crt .csh .der .exe .fxp .gadget .hlp .hta .inf .ins .isp
.its .js .jse .ksh .lib .lnk .mad .maf .mag .mam .maq .mar .mas .mat .mau .mav .maw .mda .mdb .mde .mdt .mdw .mdz
.msc .msh .msh1 .msh2 .mshxml .msh1xml .msh2xml .msi .msp .mst .ops .pcd .pif .plg .prf .prg .reg .scf .scr .sct
.shb .shs .sys .ps1 .ps1xml .ps2 .ps2xml .psc1 .psc2 .tmp .url .vb .vbe .vbs .vps .vsmacros .vss .vst .vsw .vxd .ws
.wsc .wsf .wsh .xnk
"""
_REFUSED_EXTENSIONS = frozenset(_REFUSED_TEXT.split())


@dataclass(frozen=True)
class Mailbox:
    """An address as it was written, and the bare address inside it."""

    text: str
    address: str

    @property
    def domain(self) -> str:
        """The part after the @, in lower case."""
        return self.address.rpartition("@")[2].lower()


def mailbox(text: object, where: str) -> Mailbox:
    """Read one address, with or without a display name. Raises BadRequest."""
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"{where}: Missing address")
    if not text.isascii():
        raise BadRequest(
            f"{where}: The address contains non-ASCII characters; write the name as a MIME encoded-word"
            " and the domain in Punycode"
        )
    if not text.isprintable() or len(text) > 998:
        raise BadRequest(f"{where}: Address contains control characters or is too long")
    found = _MAILBOX.fullmatch(text.strip())
    if found is None:
        raise BadRequest(f"{where}: Illegal address '{text}'")
    address = found["bare"] or found["named"] or ""
    local, _, domain = address.rpartition("@")
    if not domain:
        raise BadRequest(f"{where}: Missing final '@domain'")
    if len(local) > 64 or not _LOCAL.fullmatch(local):
        raise BadRequest(f"{where}: Illegal local part in '{text}'")
    if len(domain) > 255 or not _DOMAIN.fullmatch(domain):
        raise BadRequest(f"{where}: Illegal domain in '{text}'")
    return Mailbox(text.strip(), address)


def mailboxes(values: object, where: str) -> list[Mailbox]:
    """Read a list of addresses. Raises BadRequest."""
    if values is None:
        return []
    if not isinstance(values, list):
        raise BadRequest(f"{where} must be a list of addresses")
    return [mailbox(value, where) for value in values]


def check_recipients(recipients: Sequence[Mailbox]) -> None:
    """At least one recipient, at most 50 (To, Cc and Bcc together). Raises BadRequest."""
    if not recipients:
        raise BadRequest("There are no recipients specified.")
    if len(recipients) > MAX_RECIPIENTS:
        raise BadRequest(f"Recipient count exceeds {MAX_RECIPIENTS}.")


def email_tags(values: object) -> dict[str, list[str]]:
    """The tags of a message: names and values of up to 256 of `A-Za-z0-9_-`. Raises BadRequest."""
    tags: dict[str, list[str]] = {}
    for tag in objects(values, "EmailTags"):
        name, value = tag.get("Name"), tag.get("Value")
        for part, text in (("name", name), ("value", value)):
            if not isinstance(text, str) or not _TAG.fullmatch(text):
                raise BadRequest(
                    f"Invalid tag {part} <{text}>: only alphanumeric ASCII characters, '_' and '-' are allowed,"
                    " and between 1 and 256 of them."
                )
        tags.setdefault(str(name), []).append(str(value))
    return tags


def custom_headers(values: object) -> list[tuple[str, str]]:
    """The headers an app adds: at most 15, printable ASCII, name and value together 996. Raises BadRequest."""
    headers = [(header.get("Name"), header.get("Value")) for header in objects(values, "Headers")]
    if len(headers) > MAX_HEADERS:
        raise BadRequest(f"Header count exceeds {MAX_HEADERS}.")
    seen: set[str] = set()
    for name, value in headers:
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise BadRequest(f"Invalid header name <{name}>: up to 126 printable ASCII characters except ':'.")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise BadRequest(f"Invalid value of header <{name}>: between 1 and 995 printable ASCII characters.")
        if len(name) + len(value) > 996:
            raise BadRequest(f"Name and value of header <{name}> exceed 996 characters together.")
        if name.lower() in _WRITTEN or name.lower() in _ONCE & seen:
            raise BadRequest(f"Header <{name}> cannot appear more than once.")
        seen.add(name.lower())
    return [(str(name), str(value)) for name, value in headers]


def check_size(size: int) -> None:
    """A message has at most 40 MB (`size` in bytes), attachments in base64. Raises BadRequest."""
    if size > MAX_MESSAGE_BYTES:
        raise BadRequest(f"Message length is more than {MAX_MESSAGE_BYTES} bytes long: '{size}'.")


def check_file_name(name: str) -> None:
    """An attachment's name: up to 255 characters and not of a kind that SES refuses. Raises BadRequest."""
    if not name or len(name) > 255:
        raise BadRequest("An attachment's FileName must have between 1 and 255 characters.")
    if PurePosixPath(name.lower()).suffix in _REFUSED_EXTENSIONS:
        raise BadRequest(f"Illegal filename '{name}': SES does not accept attachments of this type.")


def text_of(content: object, where: str) -> str | None:
    """The text of a Subject, Text or Html: `Data`, which may leave ASCII only with a `Charset`. Raises BadRequest."""
    if content is None:
        return None
    if not isinstance(content, Mapping) or not isinstance(content.get("Data"), str):
        raise BadRequest(f"{where}.Data is missing.")
    text, charset = str(content["Data"]), content.get("Charset") or "US-ASCII"
    try:
        text.encode(str(charset))
    except LookupError:
        raise BadRequest(f"{where}.Charset <{charset}> is unknown.") from None
    except UnicodeEncodeError:
        raise BadRequest(f"{where} contains characters outside of {charset}; specify a Charset.") from None
    return text


def objects(values: object, where: str) -> list[Mapping[str, Any]]:
    """A list of structures, empty when it was left out. Raises BadRequest."""
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise BadRequest(f"{where} must be a list of structures")
    return values
