"""A mail to be sent, what the provider said, and what it reports later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tidings.accounts.model import Workspace
from tidings.activity.chain import Node
from tidings.consent.model import Kind
from tidings.contacts.model import Contact
from tidings.core.store import Part
from tidings.messages.model import OnUnknown, Template


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


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the mail."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider certainly did not take it; `again` says whether trying later can help."""

    reason: str
    again: bool


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Whether the provider took it, nobody can tell."""

    reason: str


Answer = Accepted | Refused | NoAnswer


class MailGateway(Protocol):
    """The provider: one attempt a call."""

    def send(self, mail: Mail) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Order:
    """Who is to get which mail, and why. `message_id` comes from the cause, so that a repeat is the same message.

    `root` is what began the chain that led here, if that is more than the cause. `topic` and `reply_to` are empty for
    what the template or the workspace says. `send` is the order to many that it belongs to, `resends` the message that
    it repeats, `versions` what besides template and policy it was decided by.
    """

    workspace: Workspace
    contact: Contact
    message_id: str
    owner: str
    template_name: str
    template: Template | None
    kind: Kind
    on_unknown: OnUnknown = OnUnknown.HOLD
    event: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    cause: Mapping[str, str] = field(default_factory=dict)
    request: str = ""
    root: Node | None = None
    topic: str = ""
    reply_to: str = ""
    send: str = ""
    resends: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)


class Company(Protocol):
    """What goes with a message's writes on behalf of whoever ordered it, unseen by this room."""

    def guards(self) -> list[Part]:
        """Checks that the claim makes in the same stroke."""

    def records(self, outcome: str) -> list[Part]:
        """Writes that go with the outcome."""


class Alone:
    """Nobody goes with the message: it was ordered through the API."""

    def guards(self) -> list[Part]:
        """None."""
        return []

    def records(self, outcome: str) -> list[Part]:
        """None."""
        return []


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
