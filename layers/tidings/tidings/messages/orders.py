"""An order for a message, what a provider answers to it, and who goes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidings.accounts.model import STOPPED, Workspace
from tidings.activity.chain import Node
from tidings.consent.model import MARKETING, Check, Kind
from tidings.contacts.model import Contact
from tidings.core.store import ConditionFailed, Part
from tidings.messages.model import Message, OnUnknown, Template


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message."""

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


@dataclass(frozen=True, slots=True)
class Order:
    """Who is to get which message, and why. `message_id` comes from the cause, so that a repeat is the same message.

    `root` is what began the chain that led here, if that is more than the cause. `topic` is empty for what the template
    says. `send` is the order to many that it belongs to, `resends` the message that it repeats, `conversation` the one
    that it is a part of, `versions` what besides template and policy it was decided by. `confirms` is the provider's id
    of the STOP that the message confirms: only what answers STOPs sets it.
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
    send: str = ""
    resends: str = ""
    conversation: str = ""
    confirms: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)


class Company(Protocol):
    """What goes with a message's writes on behalf of whoever ordered it, unseen by this room."""

    def guards(self) -> list[Part]:
        """Checks that the claim makes in the same stroke."""

    def records(self, message: Message) -> list[Part]:
        """Writes that go with what came of the message."""

    def refused(self, error: ConditionFailed) -> None:
        """Learn that some of them were refused, so as to say others; raises the error where there are none."""


class Alone:
    """Nobody goes with the message: it was ordered through the API."""

    def guards(self) -> list[Part]:
        """None."""
        return []

    def records(self, message: Message) -> list[Part]:
        """None."""
        return []

    def refused(self, error: ConditionFailed) -> None:
        """Nothing of theirs can be."""
        raise error


class WithClaim:
    """Writes that go with the claim: what a conversation shows of a message. They are asked for at each attempt."""

    def __init__(self, parts: Callable[[], list[Part]]) -> None:
        self._parts = parts

    def guards(self) -> list[Part]:
        """The writes."""
        return self._parts()

    def records(self, message: Message) -> list[Part]:
        """None: what becomes of the message the message tells."""
        return []

    def refused(self, error: ConditionFailed) -> None:
        """Nothing of theirs can be."""
        raise error


def kind_of(asked: str | None, template: Template | None) -> Kind:
    """What a message is for: what was asked for, else what its template says, else marketing."""
    own = template.content.kind if template else None
    return Kind(asked) if asked else own or Kind.MARKETING


def topic_of(order: Order) -> str:
    """What a marketing message is about; empty for a transactional one."""
    if order.kind is Kind.TRANSACTIONAL:
        return ""
    own = order.template.content.topic if order.template else ""
    return order.topic or own or MARKETING.name


def data_of(order: Order) -> dict[str, Any]:
    """What a message must keep so that it can be sent again: what it was given. What its cause keeps is read there."""
    return dict(order.variables)


def may_send(order: Order) -> Check:
    """Whether the workspace may send: marketing is stopped when bounces or complaints show spam."""
    standing = order.workspace.standing
    if order.kind is Kind.MARKETING and standing.get("state") == STOPPED:
        since = str(standing.get("since", ""))[:19].replace("T", " ")
        why = standing.get("why") or "bounces or complaints went over their limit"
        return Check("sending", False, f"marketing is stopped since {since} UTC: {why}" if since else why)
    return Check("sending", True, "the workspace may send")
