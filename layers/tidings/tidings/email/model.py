"""A mail to be sent, what the provider said, and what it reports later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tidings.consent.model import Kind
from tidings.messages.orders import Answer, Order


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail: its name, its media type such as `application/pdf`, and its bytes."""

    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is handed to the provider."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    tags: Mapping[str, str]
    kind: Kind = Kind.TRANSACTIONAL
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class MailGateway(Protocol):
    """The provider: one attempt a call."""

    def send(self, mail: Mail) -> Answer: ...


@dataclass(frozen=True, slots=True)
class MailOrder(Order):
    """An order for a mail. `reply_to` is empty for what the template or the workspace says.

    `headers` are further ones, such as those that say which mail it answers.
    """

    reply_to: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One event of the provider about a mail that it took at `mailed_at`.

    `message_id` and `workspace` are empty where the provider names neither: then only `source`, the address that the
    mail came from, tells whose it was.
    """

    workspace: str
    message_id: str
    kind: str
    at: datetime
    mailed_at: datetime
    provider_id: str
    recipients: tuple[str, ...]
    details: Mapping[str, Any]
    source: str = ""
