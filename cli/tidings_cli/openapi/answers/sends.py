"""Orders for many mails, or for a later day."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tidings_cli.openapi.answers.base import Cursor, Instant, Shape

Count = Annotated[int, Field(ge=0)]
Outcome = Literal["accepted", "skipped", "refused", "unknown", "failed", "waiting"]


class SendShown(Shape):
    """One order, and where it is."""

    send: str
    state: Literal["scheduled", "sending", "done", "cancelled"]
    template: str
    template_version: Count
    """The version that was live when sending began; 0 until then."""
    kind: Literal["", "marketing", "transactional"]
    """What was asked for; empty for what the template says."""
    topic: str
    recipients: Count
    attachments: list[str]
    at: Instant | None
    """The instant that it waits, or waited, for."""
    created_at: Instant
    begun_at: Instant | None
    ended_at: Instant | None


class SendCounted(SendShown):
    """One order, and how many of its recipients are in which state."""

    counts: dict[Outcome, Count]


class Sends(Shape):
    """A page of orders, latest first."""

    sends: list[SendShown]
    cursor: Cursor


class ProblemShown(Shape):
    """A recipient whom the mail did not go to; `recipient` is the place in the order, from 0."""

    recipient: Count
    state: Literal["skipped", "refused", "unknown", "failed"]
    code: str
    """The check that said no, SES's reason, or the code of the error."""
    contact: str | None
    message: str | None


class Problems(Shape):
    """A page of recipients whom the mail did not go to, in the order of the request."""

    problems: list[ProblemShown]
    cursor: Cursor
