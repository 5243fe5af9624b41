"""How a workspace stands with those it writes to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tidings_cli.openapi.answers.base import Instant, Shape


class SendingCounts(Shape):
    """Marketing mails of the days that count, and what became of them."""

    sent: int
    bounced: int
    complained: int


class SendingRates(Shape):
    """Shares of what was sent."""

    bounced: float
    complained: float


class SendingLimits(Shape):
    """From which share on there is a warning or a stop, and from how many mails and bounces or complaints on."""

    bounces_warn: float
    bounces_stop: float
    complaints_warn: float
    complaints_stop: float
    bounces_from_sent: int
    bounces_from: int
    complaints_from_sent: int
    complaints_from: int


class Sending(Shape):
    """Whether marketing may be sent, and by which rates that was decided."""

    state: Literal["good", "warned", "stopped"]
    why: str
    since: Instant | None
    warned_at: Instant | None
    resumed_at: Instant | None
    days: int
    counts: SendingCounts
    rates: SendingRates
    limits: SendingLimits


class SnsMessage(BaseModel):
    """A message as Amazon SNS posts it; what it has beside is not looked at."""

    model_config = ConfigDict(extra="allow")

    Type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    MessageId: str
    TopicArn: str
    Message: str
    Timestamp: str
    SignatureVersion: Literal["1", "2"]
    Signature: str
    SigningCertURL: str


class Taken(Shape):
    """What became of a message of Amazon SNS."""

    result: Literal["taken", "confirmed", "noted"]
