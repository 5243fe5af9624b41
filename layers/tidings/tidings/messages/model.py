"""What a template, a message and a decision are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from tidings.activity.chain import Node
from tidings.consent.model import Channel, Check, Kind
from tidings.core.clock import to_text

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,62}$"
SUBJECT_CHARACTERS = 998  # RFC 5322, 2.1.1: a line
BODY_CHARACTERS = 256 * 1024
TEMPLATE_BYTES = 380 * 1024  # DynamoDB holds items of 400 KB

TOPIC_PATTERN = r"^([a-z][a-z0-9-]{0,62})?$"
TAGS = 10

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
TagText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")]  # what SES takes


_FIELDS = {
    Channel.EMAIL: frozenset({"subject", "text", "html", "preheader", "reply_to", "tags"}),
    Channel.SMS: frozenset({"text", "gsm7"}),
}


class TemplateInput(BaseModel):
    """A template as it is applied. `variables` are defaults for `{{ variables.… }}`.

    A template of the channel `sms` has a text, and neither subject, preheader, HTML nor reply address; its `from` is a
    sender ID or a phone number. `gsm7` replaces typographic characters, so that fewer parts are sent.

    `kind` and `topic` hold for messages of which whoever orders them says nothing else.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)

    template: Name
    channel: Annotated[Channel, Field(strict=False)] = Channel.EMAIL
    subject: Annotated[str, Field(max_length=SUBJECT_CHARACTERS, validate_default=True)] = ""
    text: Annotated[str, Field(max_length=BODY_CHARACTERS, validate_default=True)] = ""
    html: Annotated[str, Field(max_length=BODY_CHARACTERS)] = ""
    preheader: Annotated[str, Field(max_length=SUBJECT_CHARACTERS)] = ""
    from_address: Annotated[str, Field(alias="from", max_length=320)] = ""
    reply_to: Annotated[str, Field(max_length=320)] = ""
    kind: Annotated[Kind | None, Field(strict=False)] = None
    topic: Annotated[str, Field(pattern=TOPIC_PATTERN)] = ""
    tags: dict[TagText, TagText] = Field(default_factory=dict, max_length=TAGS)
    variables: dict[str, Any] = Field(default_factory=dict)
    gsm7: bool = False

    @field_validator("subject", "text", "html", "preheader", "reply_to", "tags", "gsm7")
    @classmethod
    def _of_its_channel(cls, value: Any, info: ValidationInfo) -> Any:
        """What the channel has, and nothing else."""
        name, channel = str(info.field_name), info.data.get("channel", Channel.EMAIL)
        if not value and name == {Channel.EMAIL: "subject", Channel.SMS: "text"}[channel]:
            raise ValueError("is needed, and empty")
        if value and name not in _FIELDS[channel]:
            raise ValueError(f"is nothing that a template of the channel {channel.value} has")
        return value


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a template when it was applied: `text` of its HTML where it has none of its own, and `html` with
    its styles written into its elements. Empty where it is rendered as it was written."""

    text: str = ""
    html: str = ""


AS_WRITTEN = Made()


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template; it never changes. `content` is as it was written, `made` what is rendered instead."""

    workspace: str
    name: str
    version: int
    content: TemplateInput
    created_at: datetime
    made: Made = AS_WRITTEN

    def as_dict(self) -> dict[str, Any]:
        """The template as the API shows it."""
        return {
            **self.content.model_dump(by_alias=True),
            "version": self.version,
            "created_at": self.created_at,
        }


class OnUnknown(StrEnum):
    """What to do about a message of which nobody can tell whether it was sent."""

    HOLD = "hold"
    RESEND = "resend"


class State(StrEnum):
    """Where a message is."""

    CLAIMED = "claimed"  # somebody may be calling the provider
    RELEASED = "released"  # the provider took it for certain not, and it may be tried again
    UNKNOWN = "unknown"  # neither an answer nor an event of the provider ever came
    ACCEPTED = "accepted"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    UNDELIVERED = "undelivered"  # a text message that did not reach its phone
    REJECTED = "rejected"
    COMPLAINED = "complained"
    REFUSED = "refused"  # the provider refused it for good
    SKIPPED = "skipped"  # we decided not to send it


UNSUBSCRIBED = "unsubscribed"  # in a message's history: no state, since it moves the message nowhere

# Every check in its order; quiet hours and caps will stand before `sender`, where nothing is rendered yet.
CHECKS = (
    "address",
    "suppression",
    "suppression_rules",
    "consent",
    "sending",
    "sender",
    "unsubscribe",
    "template",
)
# What a channel asks beside: of a text message, how long it is.
CHECKS_OF: Mapping[Channel, tuple[str, ...]] = {Channel.EMAIL: CHECKS, Channel.SMS: (*CHECKS, "length")}


@dataclass(frozen=True, slots=True)
class Decision:
    """Every check in its order, up to the one that said no, and by which versions of what it was decided."""

    checks: tuple[Check, ...]
    at: datetime
    versions: Mapping[str, int] = field(default_factory=dict)
    channel: Channel = Channel.EMAIL

    @property
    def sent(self) -> bool:
        """Whether nothing said no."""
        return all(check.passed for check in self.checks)

    @property
    def decided_by(self) -> str:
        """The check that said no; empty if none did."""
        return next((check.name for check in self.checks if not check.passed), "")

    def as_dict(self) -> dict[str, Any]:
        """The decision as it is kept and shown; checks that came after the no were not asked."""
        asked = {check.name for check in self.checks}
        unasked = [name for name in CHECKS_OF[self.channel] if name not in asked] if not self.sent else []
        return {
            "send": self.sent,
            "decided_by": self.decided_by,
            "checks": [check.as_dict() for check in self.checks]
            + [{"check": name, "passed": None, "found": "not asked"} for name in unasked],
            "versions": dict(self.versions),
            "at": self.at,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one contact, sent or not. `cause` explains it; `root` is what began the chain it stands in.

    `send` is the order to many that it belongs to, and `resends` the message that it repeats. `data` is what it was
    rendered with beside the contact, and `asked` what else the order said of it (`reply_to`, `tags`), so that it can be
    sent again. `attachments` are names. `earlier` are decisions
    that an attempt came to before the one that stands. `marks` are what else is known of it, for telling people's
    clicks from machines'. `conversation` is the one that it is a part of, and `transport` what a text message was sent
    as and what it cost: `sender`, `country`, `encoding`, `parts`, and once the provider told `price`, `fee` (both USD),
    `carrier`, `mcc`, `mnc` and `billed_at`; its `links` are the codes of its short links.

    When its person was erased (`erased_at`), so was all of it but that it was and what became of it.
    """

    workspace: str
    contact: str
    id: str
    channel: str
    state: State
    kind: Kind
    template: str
    template_version: int
    address: str
    subject: str = ""
    attempt: str = ""
    claimed_at: datetime | None = None
    provider_id: str = ""
    error: str = ""
    request: str = ""
    cause: Mapping[str, str] = field(default_factory=dict)
    decision: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, str] = field(default_factory=dict)
    root: Node | None = None
    erased_at: datetime | None = None
    topic: str = ""
    send: str = ""
    resends: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    earlier: tuple[Mapping[str, Any], ...] = ()
    marks: Mapping[str, Any] = field(default_factory=dict)
    conversation: str = ""
    transport: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> tuple[str, str]:
        """What ordered it, for reports: `automation` and its name, `send` and its id, or `api`."""
        if self.send:
            return "send", self.send
        if "automation" in self.cause:
            return "automation", self.cause["automation"]
        return "api", ""

    @property
    def unsubscribed(self) -> bool:
        """Whether its reader unsubscribed by it."""
        return UNSUBSCRIBED in self.history

    @property
    def decided_at(self) -> str:
        """When it was first decided whether to send it, ISO 8601: what came of it later does not move it.

        Of an erased person's message no decision is left, and the first of its states tells.
        """
        instants = [one["at"] for one in (self.decision, *self.earlier) if one]
        texts = [to_text(at) if isinstance(at, datetime) else str(at) for at in instants]
        return min(texts or self.history.values(), default="")

    @property
    def node(self) -> Node:
        """The message as a node of a chain of causes."""
        return Node.message(self.id)

    @property
    def caused_by(self) -> Node | None:
        """What led to the message: an enrolment, a call of the API or an event; of an erased person none is left."""
        if "api" in self.cause:
            return Node.call(self.cause["api"])
        if "entry" in self.cause:
            return Node.enrolment(self.contact, self.cause["automation"], self.cause["entry"])
        if "event" in self.cause:
            return Node.parse(self.cause["event"])
        return None

    @property
    def began_by(self) -> Node:
        """What began the chain, as far as it was known when the message was made."""
        return self.root or self.caused_by or self.node

    def as_dict(self) -> dict[str, Any]:
        """The message as the API shows it."""
        return {
            "message": self.id,
            "contact": self.contact,
            "channel": self.channel,
            "state": self.state.value,
            "kind": self.kind.value,
            "topic": self.topic,
            "send": self.send,
            "resends": self.resends,
            "attachments": list(self.attachments),
            "conversation": self.conversation,
            "transport": dict(self.transport),
            "template": self.template,
            "template_version": self.template_version,
            "address": self.address,
            "subject": self.subject,
            "provider_id": self.provider_id,
            "error": self.error,
            "cause": dict(self.cause),
            "node": str(self.node),
            "caused_by": None if self.caused_by is None else str(self.caused_by),
            "root": str(self.began_by),
            "decision": dict(self.decision),
            "earlier": [dict(one) for one in self.earlier],
            "history": dict(self.history),
        }
