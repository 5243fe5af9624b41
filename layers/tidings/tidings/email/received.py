"""A mail that came in, read: who wrote it, what, with which files, in which thread, and whether a machine wrote it.

The standard library reads MIME. Whatever is broken is read as far as it goes, and in the end as plain text: nothing
that came in is lost for how it is written. All that is taken out of a mail is bounded; SES hands over 150 KB at most.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any, TypeVar

from tidings.contacts.rules import normalise_email
from tidings.core.documents import storable
from tidings.email.rules import HEADER_MESSAGE

PARTS = 100
FILES = 50
NAME_CHARACTERS = 255
SUBJECT_CHARACTERS = 998
TEXT_CHARACTERS = 200_000
THREAD = 20  # ids of a thread that are kept
ID_CHARACTERS = 250
# Of a header so much is read: what the library does with longer ones grows with the square of their length, which would
# take minutes. Real ones are shorter, but for the ids of a long thread, of which the last matter.
HEADER_CHARACTERS, PART_HEADER_CHARACTERS = 8_000, 3_000

_MESSAGE_ID = re.compile(r"<([^<>\s@]{1,200})@([^<>\s@]{1,200})>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # which no subject of an answer could have
_HEAD = re.compile(rb"\r?\n\r?\n")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_DAEMONS = frozenset({"mailer-daemon", "postmaster"})

T = TypeVar("T")


class _Policy(email.policy.EmailPolicy):
    """The library's usual reading, of headers that are bounded."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """A header's name and its value, of which the end is kept where that counts."""
        name, value = super().header_source_parse(sourcelines)
        if name.lower() == "references":
            return name, value[-HEADER_CHARACTERS:]
        # A mail has many parts, each with headers of its own.
        of_part = name.lower().startswith("content-")
        return name, value[: PART_HEADER_CHARACTERS if of_part else HEADER_CHARACTERS]


# A mail within a mail is handed on as it is written: writing its headers anew would take seconds.
_POLICY = _Policy(refold_source="none")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a mail: its name, its media type and its bytes."""

    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that came in.

    `thread` are Message-IDs in angle brackets: of what it refers to, and its own last. `answers` are the parts before
    the @ of those that it answers, the nearest first: by SES's own the message is found. `automatic` says by what it is
    known that a machine wrote it, empty for a person. `ours` is `WORKSPACE/MESSAGE` of a mail that Tidings sent.
    """

    sender: str
    subject: str
    text: str
    thread: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    automatic: str = ""
    ours: str = ""


def read_mail(raw: bytes, source: str = "") -> Received:
    """Read a mail; `source` is who sent it by the envelope, empty for a bounce."""
    message = _tried(lambda: email.message_from_bytes(raw, policy=_POLICY), None)
    if not isinstance(message, EmailMessage):
        return Received(normalise_email(source), "", _as_text(raw))
    parts = list(_leaves(message))
    sender = normalise_email(parseaddr(_header(message, "From"))[1]) or normalise_email(source)
    thread = _ids(f"{_header(message, 'References')} {_header(message, 'In-Reply-To')}")
    own = _ids(_header(message, "Message-ID"))
    nearest = dict.fromkeys((*_ids(_header(message, "In-Reply-To")), *reversed(thread)))
    return Received(
        sender=sender,
        subject=storable(" ".join(_CONTROL.sub(" ", _header(message, "Subject")).split())[:SUBJECT_CHARACTERS]),
        text=storable(_text_of(message, raw, parts)),
        thread=(*thread, *own)[-THREAD:],
        answers=tuple(_MESSAGE_ID.sub(r"\1", one) for one in nearest),
        files=tuple(_file(part) for part in parts if _is_file(part))[:FILES],
        automatic=automatic(message, source),
        ours=_header(message, HEADER_MESSAGE).strip(),
    )


def automatic(message: EmailMessage, source: str) -> str:
    """By what it is known that a machine wrote a mail, of those that are meant for it; empty for a person's.

    RFC 3834 (Auto-Submitted), RFC 2076 (Precedence), RFC 2919 and 2369 (lists), RFC 3464 (reports), RFC 5321, 4.5.5
    (the empty return path of bounces).
    """
    local = source.strip("<> ").partition("@")[0].lower()
    submitted = _header(message, "Auto-Submitted").strip().lower()
    named: Mapping[str, bool] = {
        "auto_submitted": bool(submitted) and not submitted.startswith("no"),
        "precedence": _header(message, "Precedence").strip().lower() in _BULK,
        "auto_reply": any(_header(message, name) for name in ("X-Autoreply", "X-Autorespond")),
        "list": any(_header(message, name) for name in ("List-Id", "List-Unsubscribe")),
        "report": _tried(message.get_content_type, "") == "multipart/report",
        "bounce": not local or local in _DAEMONS,
    }
    return next((name for name, found in named.items() if found), "")


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts of a mail that hold something, in their order; a mail within it is one of them."""
    seen, waiting = 0, [message]
    while waiting and seen < PARTS:
        part = waiting.pop(0)
        seen += 1
        inside = part.get_payload() if _tried(part.is_multipart, False) else None
        if isinstance(inside, list) and _tried(part.get_content_maintype, "") == "multipart":
            waiting = [one for one in inside if isinstance(one, EmailMessage)] + waiting
        else:
            yield part


def _text_of(message: EmailMessage, raw: bytes, parts: list[EmailMessage]) -> str:
    """The words of a mail: its plain text, else its HTML as text, else what stands below its headers."""
    plain = [part for part in parts if _type(part) == "text/plain" and not _is_file(part)]
    if plain:
        return "\n".join(_content(part).strip("\r\n") for part in plain).replace("\r\n", "\n")[:TEXT_CHARACTERS]
    html = next((part for part in parts if _type(part) == "text/html" and not _is_file(part)), None)
    if html is not None:
        from tidings.messages.plaintext import text_of  # late: most mails have both

        return _tried(lambda: text_of(_content(html)[:TEXT_CHARACTERS]), "") or _content(html)[:TEXT_CHARACTERS]
    if any(_is_file(part) for part in parts):
        return ""
    return _as_text((_HEAD.split(raw, 1) if message.keys() else [raw])[-1])


def _content(part: EmailMessage) -> str:
    """The text of a part, whatever its encoding says and whether that is right."""
    told = _tried(part.get_content, None)
    if isinstance(told, str):
        return told
    return _as_text(_bytes(part))


def _bytes(part: EmailMessage) -> bytes:
    found = _tried(lambda: part.get_payload(decode=True), None)
    if isinstance(found, bytes):
        return found
    return _tried(lambda: part.as_bytes(), b"") if _tried(part.is_multipart, False) else b""


def _is_file(part: EmailMessage) -> bool:
    """Whether a part is a file and not the mail's words. A text without a name that stands within it is none."""
    if _tried(part.get_content_disposition, None) == "attachment" or _name(part):
        return True
    return _type(part).partition("/")[0] not in ("text", "multipart", "")  # a multipart that holds no part is broken


def _file(part: EmailMessage) -> File:
    kind = _type(part)
    usual = "mail.eml" if kind == "message/rfc822" else "file"
    return File(_name(part) or usual, kind or "application/octet-stream", _bytes(part))


def _name(part: EmailMessage) -> str:
    name = str(_tried(part.get_filename, "") or "")
    plain = "".join(one for one in name.replace("\\", "/").rpartition("/")[2] if one.isprintable())
    return plain.strip()[:NAME_CHARACTERS]


def _type(part: EmailMessage) -> str:
    return str(_tried(part.get_content_type, ""))[:NAME_CHARACTERS]


def _header(message: EmailMessage, name: str) -> str:
    return str(_tried(lambda: message.get(name, ""), "") or "")


def _ids(text: str) -> tuple[str, ...]:
    found = (one.group(0) for one in _MESSAGE_ID.finditer(text[:20_000]))
    plain = (one for one in found if len(one) <= ID_CHARACTERS and one.isascii() and one.isprintable())
    return tuple(dict.fromkeys(plain))[-THREAD:]


def _as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")[:TEXT_CHARACTERS]


def _tried(read: Callable[[], Any], otherwise: T) -> Any | T:
    """What can be read, or something in its place: the library raises many things for mails that are malformed."""
    try:
        return read()
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return otherwise
