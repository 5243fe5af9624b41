"""Reports, and why somebody got something or not."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, create_model
from pydantic.json_schema import SkipJsonSchema

from tidings.automations.entering.refusals import Reason
from tidings.automations.telling.explaining import Standing
from tidings.consent.model import Kind
from tidings.messages.model import State
from tidings.messages.reporting import BY, MAIL_RATES, TEXT_RATES
from tidings.messages.reports import COUNTED_OF, PROBLEMS
from tidings_cli.openapi.answers.base import Cursor, Instant, Shape
from tidings_cli.openapi.answers.contacts import DecisionShown, NothingKept, StepShown

Number = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0)]
SourceKind = Literal["automation", "send", "api"]

Counts = create_model("Counts", __base__=Shape, __doc__="How many; what machines did is counted apart.",
                      **dict.fromkeys(COUNTED_OF["email"], int))  # type: ignore[call-overload]  # fmt: skip
Rates = create_model("Rates", __base__=Shape, __doc__="Fractions of one; null where there is nothing to compare with.",
                     **dict.fromkeys(MAIL_RATES, float | None))  # type: ignore[call-overload]  # fmt: skip
TextCounts = create_model("TextCounts", __base__=Shape,
                          __doc__="How many; what machines did is apart. Money is in millionths of a US dollar.",
                          **dict.fromkeys(COUNTED_OF["sms"], int))  # type: ignore[call-overload]  # fmt: skip
TextRates = create_model("TextRates", __base__=Shape,
                         __doc__="Fractions of one; null where there is nothing to compare with.",
                         **dict.fromkeys(TEXT_RATES, float | None))  # type: ignore[call-overload]  # fmt: skip


class ErrorCounted(Shape):
    """A problem, its reason, and how many messages had it."""

    problem: Annotated[str, Field(json_schema_extra={"enum": list(PROBLEMS)})]
    reason: str
    messages: int


class SourceShown(Shape):
    """What ordered messages: an automation or a send, and its name, or the API."""

    source: SourceKind
    name: str


class RowOf(Shape):
    """Messages alike in what the report is by: only those fields are there."""

    day: date | SkipJsonSchema[None] = None
    kind: Kind | SkipJsonSchema[None] = None
    source: SourceKind | SkipJsonSchema[None] = None
    automation: str | SkipJsonSchema[None] = None
    component: str | SkipJsonSchema[None] = None
    send: str | SkipJsonSchema[None] = None
    template: str | SkipJsonSchema[None] = None
    version: Number | SkipJsonSchema[None] = None
    errors: list[ErrorCounted]
    sources: list[SourceShown]
    """Those that sent most, at most 20."""
    more_sources: Number


class ReportRow(RowOf):
    """Mails alike in what the report is by: only those fields are there."""

    counts: Counts
    rates: Rates


class TextRow(RowOf):
    """Text messages alike in what the report is by: only those fields are there."""

    counts: TextCounts
    rates: TextRates


class ReportTotals(Shape):
    """All rows together, also those of other pages."""

    counts: Counts
    rates: Rates
    errors: list[ErrorCounted]


class Report(Shape):
    """A page of a report."""

    from_: date = Field(alias="from")
    to: date
    by: list[Annotated[str, Field(json_schema_extra={"enum": list(BY)})]]
    rows: list[ReportRow]
    totals: ReportTotals
    cursor: Cursor


class TextTotals(Shape):
    """All rows together, also those of other pages."""

    counts: TextCounts
    rates: TextRates
    errors: list[ErrorCounted]


class TextReport(Shape):
    """A page of a report of text messages."""

    from_: date = Field(alias="from")
    to: date
    by: list[Annotated[str, Field(json_schema_extra={"enum": list(BY)})]]
    rows: list[TextRow]
    totals: TextTotals
    cursor: Cursor


class ReportedMessage(Shape):
    """What became of one mail, and why."""

    message: str
    contact: str
    address: str
    state: State
    kind: Kind
    topic: str
    template: str
    template_version: Number
    source: SourceKind
    automation: str
    component: str
    send: str
    decided_by: str
    """The check that said no."""
    error: str
    """What the provider told."""
    reason: str
    decided_at: Instant
    last_tried_at: Instant | None
    updated_at: Instant | None
    history: dict[str, Instant]


class ReportedMessages(Shape):
    """A page of mails, those tried last first."""

    messages: list[ReportedMessage]
    cursor: Cursor


class ReportedText(ReportedMessage):
    """What became of one text message, why, and what it cost."""

    country: str
    sender: str
    price: str
    """What AWS takes for it, in USD; empty while it is not told."""
    fee: str
    """What the carrier takes beside, in USD."""
    carrier: str
    parts: Number


class ReportedTexts(Shape):
    """A page of text messages, those tried last first."""

    messages: list[ReportedText]
    cursor: Cursor


class DecisionOfMessage(Shape):
    """What was decided about one message, what became of it, and both in a sentence."""

    message: str
    contact: str
    channel: str
    kind: Kind
    topic: str
    template: str
    template_version: Number
    source: SourceKind
    name: str
    component: str
    address: str
    state: State
    sentence: str
    decided_at: Instant
    decision: DecisionShown | NothingKept
    earlier: list[DecisionShown]
    history: dict[str, Instant]


class DecisionPage(Shape):
    """A page of decisions, latest first."""

    decisions: list[DecisionOfMessage]
    cursor: Cursor


class WayShown(Shape):
    """A way through an automation as it stood, with regard to the mail in question."""

    automation: str
    version: Number
    entry: str
    started_at: Instant
    why: dict[str, Any]
    """The truth table of the trigger's condition, if it has one."""
    standing: Standing
    sentence: str
    component: str
    until: Instant | None
    turned_at: StepShown | None
    """The step after which the mail could not come any more."""
    path: list[StepShown]


class RefusedShown(Shape):
    """One automation that did not take somebody in, with the values that it went by."""

    automation: str
    version: Number
    reason: Reason
    why: dict[str, Any]
    sentence: str


class RefusalsShown(Shape):
    """Why automations did not take somebody in because of an event; `more` were not kept."""

    contact: str
    at: Instant
    event: dict[str, str]
    refused: list[RefusedShown]
    more: Number


class Account(Shape):
    """Why: one sentence, a code for programs, and what it rests on."""

    contact: str | None
    others: list[str]
    """Who else has the address that was asked for."""
    at: Instant | None
    code: str
    answer: str
    notes: list[str]
    decisions: list[DecisionOfMessage]
    ways: list[WayShown]
    refused: list[RefusalsShown]
