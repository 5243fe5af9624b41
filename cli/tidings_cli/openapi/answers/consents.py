"""Consents, topics, suppression rules and wishes to subscribe."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings.consent.imports import ROWS
from tidings.consent.model import Asking, By, Channel, Reply
from tidings_cli.openapi.answers.automations import CheckMade, SuppressionShown
from tidings_cli.openapi.answers.base import Cursor, Instant, Shape

Said = Literal["subscribed", "unsubscribed"]


class ProofShown(Shape):
    """How a reply came about; `message` is the mail whose link led to it."""

    by: By
    source: str
    at: Instant
    ip: str
    wording: str
    message: str


class ReplyShown(Shape):
    """What was said. `asked_at` is when a confirmation was asked for that is still awaited."""

    reply: Reply
    confirmed: bool
    asked_at: Instant | None
    proof: ProofShown


class TopicReply(Shape):
    """A topic, what the address said of it, and what a marketing mail about it would be answered now."""

    topic: str
    title: str
    consent: Asking | None
    said: ReplyShown | None
    decided_by: str | None
    """The topic whose reply decides, `*` for all marketing."""
    marketing: CheckMade


class ConsentsShown(Shape):
    """All that is known of an address, and what a transactional mail would be answered now."""

    channel: Channel
    address: str
    suppression: SuppressionShown | None
    transactional: CheckMade
    everything: ReplyShown | None
    """What was said about all marketing on the channel."""
    topics: list[TopicReply]


class ReplySet(ReplyShown):
    """What holds for the topic since."""

    result: Literal["set", "unchanged"]
    topic: str


class LogShown(Shape):
    """One change of what is known of an address. What does not apply is left out."""

    channel: Channel
    at: Instant
    what: Literal["consent", "suppression", "merge"]
    topic: str | SkipJsonSchema[None] = None
    reply: str | SkipJsonSchema[None] = None
    before: str | SkipJsonSchema[None] = None
    by: str | SkipJsonSchema[None] = None
    wording: str | SkipJsonSchema[None] = None
    ip: str | SkipJsonSchema[None] = None
    message: str | SkipJsonSchema[None] = None
    given_at: Instant | SkipJsonSchema[None] = None
    lifted: str | SkipJsonSchema[None] = None
    change: str | SkipJsonSchema[None] = None
    topics: list[str] | SkipJsonSchema[None] = None
    reason: str | SkipJsonSchema[None] = None
    expires_at: Instant | SkipJsonSchema[None] = None
    source: str | SkipJsonSchema[None] = None
    actor: str | SkipJsonSchema[None] = None
    note: str | SkipJsonSchema[None] = None


class LogPage(Shape):
    """Changes, latest first."""

    log: list[LogShown]
    cursor: Cursor


class ImportRow(Shape):
    """What an address said, before it came here."""

    address: str
    topic: str
    reply: Said
    source: str | SkipJsonSchema[None] = None
    wording: str | SkipJsonSchema[None] = None
    at: Instant | SkipJsonSchema[None] = None
    confirmed: bool = False


class ImportOrder(Shape):
    """Rows to import; with `dry_run` nothing is written."""

    rows: Annotated[list[ImportRow], Field(min_length=1, max_length=ROWS)]
    channel: Channel = Channel.EMAIL
    dry_run: bool = False


class RowDone(Shape):
    """What became of a row: `kept` is the person's own no. `code`, `message` and `field` say what is wrong with it."""

    row: Annotated[int, Field(ge=1)]
    result: Literal["set", "unchanged", "kept", "invalid"]
    code: str | SkipJsonSchema[None] = None
    message: str | SkipJsonSchema[None] = None
    field: str | SkipJsonSchema[None] = None


class Imported(Shape):
    """What became of each row."""

    rows: list[RowDone]


class TopicShown(Shape):
    """What marketing may be about; `confirmation` is the template that asks to confirm."""

    topic: str
    title: str
    description: str
    consent: Asking
    confirmation: str


class Topics(Shape):
    """All topics, `marketing` among them."""

    topics: list[TopicShown]


class RuleShown(Shape):
    """Whoever meets `when` gets no message of these kinds on the channel."""

    rule: str
    channel: Channel
    description: str
    kinds: Literal["marketing", "all"]
    when: dict[str, Any]


class Rules(Shape):
    """All suppression rules."""

    suppression_rules: list[RuleShown]


class Forgotten(Shape):
    """It is gone."""

    deleted: Literal[True]


class Wished(Shape):
    """The wish was taken; `subscribed` is told to secret keys only."""

    state: Literal["pending", "subscribed"]
