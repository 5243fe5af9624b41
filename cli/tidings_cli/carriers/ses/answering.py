"""A person answers a mail: what SES tells a topic of the mail that comes in.

The notification is that of a receipt rule with an SNS action, which holds the whole mail.
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid
from typing import Any

from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings_cli.carriers.feedback import Entry, FeedbackLog, State
from tidings_cli.carriers.publisher import Publisher
from tidings_cli.carriers.ses import mime
from tidings_cli.carriers.ses.mails import RECEIVED, Mail, MailStore, milliseconds
from tidings_cli.carriers.ses.sending import new_id

ANSWER = "Answer"
SUBJECT = "Amazon SES Email Receipt Notification"
# What SNS takes of a mail with its content: larger ones SES bounces.
LARGEST = 150 * 1024  # bytes
MOST_COPIES = 5
LONGEST_DELAY = 300  # seconds


@dataclass(frozen=True)
class File:
    """Something that is sent along."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True)
class Said:
    """What a person writes. SNS hears it `copies` times, `delay` seconds later; `sender` is them, if not who got it."""

    text: str
    html: str = ""
    subject: str = ""
    sender: str = ""
    files: Sequence[File] = ()
    copies: int = 1
    delay: float = 0.0


class Answering:
    """Writes mails in the place of those who got one."""

    def __init__(self, mails: MailStore, log: FeedbackLog, publisher: Publisher, clock: Clock) -> None:
        self._mails = mails
        self._log = log
        self._publisher = publisher
        self._clock = clock

    def answer(self, mail_id: str, said: Said) -> Entry:
        """Answer a mail where it asks to be answered. Raises NotFound, InvalidInput, and Conflict without a sender."""
        mail = self._mails.get(mail_id)
        if mail is None:
            raise NotFound("unknown_mail", f"The outbox has no mail {mail_id}")
        _check(said)
        sender = said.sender or (mail.recipients[0] if mail.recipients else "")
        recipients = [address for _, address in getaddresses(mail.reply_to or [mail.source]) if address]
        if not sender or not recipients:
            raise Conflict("nobody_to_answer", "This mail has nobody who answers, or nobody to answer to")
        now = self._clock.now()
        raw = _written(mail, said, sender, recipients, now)
        if len(raw) > LARGEST:
            raise InvalidInput(
                "too_large", f"The answer has {len(raw)} bytes, more than SNS takes ({LARGEST})", "files"
            )
        entry = self._entry(mail, raw, sender, recipients, now)
        self._log.add([entry] * said.copies, held=said.delay > 0)
        if said.delay > 0:
            self._publisher.release_after(said.delay, mail.id)
        else:
            self._publisher.wake()
        return entry

    def _entry(self, mail: Mail, raw: bytes, sender: str, recipients: list[str], now: datetime) -> Entry:
        topic = self._log.topic(RECEIVED)
        event = _notification(raw, sender, recipients, milliseconds(now), topic or "", new_id(now))
        state = State.PENDING if topic else State.UNSENT
        return Entry(mail.id, ANSWER, milliseconds(now), RECEIVED, event, state, SUBJECT)


def read_files(given: Any) -> list[File]:
    """Attachments `[{name, type, content}]`, content in base64. Raises InvalidInput."""
    try:
        return [
            File(
                str(one["name"]),
                str(one.get("type") or "application/octet-stream"),
                base64.b64decode(one["content"], validate=True),
            )
            for one in given or []
        ]
    except (KeyError, TypeError, AttributeError, binascii.Error, ValueError):
        raise InvalidInput(
            "invalid_attachments", "attachments must be [{name, type, content in base64}]", "attachments"
        ) from None


def _check(said: Said) -> None:
    if not said.text.strip() and not said.html.strip() and not said.files:
        raise InvalidInput("empty_answer", "An answer needs a text or a file", "text")
    if not 1 <= said.copies <= MOST_COPIES:
        raise InvalidInput("invalid_copies", f"copies must be between 1 and {MOST_COPIES}", "copies")
    if not 0 <= said.delay <= LONGEST_DELAY:
        raise InvalidInput("invalid_delay", f"delay must be between 0 and {LONGEST_DELAY} seconds", "delay")


def _written(mail: Mail, said: Said, sender: str, recipients: Sequence[str], now: datetime) -> bytes:
    """The answer as it travels: in the thread of what it answers."""
    answered = next((value for name, value in mail.headers if name.lower() == "message-id"), "")
    message = EmailMessage(policy=policy.SMTP)
    message["Return-Path"] = f"<{sender}>"
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    again = mail.subject.lower().startswith("re:")
    message["Subject"] = said.subject or (mail.subject if again else f"Re: {mail.subject}")
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain="phone.local")
    if answered:
        message["In-Reply-To"] = message["References"] = answered
    message.set_content(said.text, cte="base64")
    if said.html:
        message.add_alternative(said.html, subtype="html", cte="base64")
    for file in said.files:
        main, _, sub = file.type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub or "octet-stream", filename=file.name)
    return message.as_bytes()


def _notification(raw: bytes, sender: str, to: list[str], at: str, topic: str, message_id: str) -> dict[str, Any]:
    message = mime.parse(raw)
    headers = [{"name": name, "value": str(value)} for name, value in message.items()]
    passed = {"status": "PASS"}
    return {
        "notificationType": "Received",
        "mail": {
            "timestamp": at,
            "source": sender,
            "messageId": message_id,
            "destination": to,
            "headersTruncated": False,
            "headers": headers,
            "commonHeaders": {
                "returnPath": sender,
                "from": [str(message["From"])],
                "date": str(message["Date"]),
                "to": to,
                "messageId": str(message["Message-ID"]),
                "subject": str(message["Subject"]),
            },
        },
        "receipt": {
            "timestamp": at,
            "processingTimeMillis": 12,
            "recipients": to,
            "spamVerdict": passed,
            "virusVerdict": passed,
            "spfVerdict": passed,
            "dkimVerdict": passed,
            "dmarcVerdict": passed,
            "action": {"type": "SNS", "topicArn": topic, "encoding": "BASE64"},
        },
        "content": base64.b64encode(raw).decode(),
    }
