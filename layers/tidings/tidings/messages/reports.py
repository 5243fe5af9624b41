"""What reports count: for each message at most once each of its milestones, on the day it was decided.

A report is about messages, not about days: what became of a mail counts on the day that the mail was decided, so that
rates compare what was sent with what became of just that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tidings.consent.model import Channel
from tidings.messages.costs import FEE, PARTS, PRICE
from tidings.messages.model import Message

# Milestones count messages, totals events, and sums what messages come to: money in millionths of a US dollar.
MILESTONES = (
    "sent",
    "delivered",
    "delayed",
    "undelivered",
    "opened",
    "machine_opened",
    "clicked",
    "machine_clicked",
    "hard_bounced",
    "soft_bounced",
    "spam_bounced",
    "complained",
    "unsubscribed",
    "rejected",
    "refused",
    "skipped",
    "unknown",
)
TOTALS = ("opens", "machine_opens", "clicks", "machine_clicks")
SUMS = (PARTS, PRICE, FEE)
COUNTED = (*MILESTONES, *TOTALS, *SUMS)
# What is counted of the messages of a channel: the rest cannot happen to them.
COUNTED_OF: Mapping[str, tuple[str, ...]] = {
    Channel.EMAIL.value: (*(name for name in MILESTONES if name != "undelivered"), *TOTALS),
    Channel.SMS.value: (
        *("sent", "delivered", "delayed", "undelivered", "opened", "clicked", "machine_clicked", "unsubscribed"),
        *("refused", "skipped", "unknown", "opens", "clicks", "machine_clicks", *SUMS),
    ),
}
# Milestones that somebody wants to know the reason of; each is counted by its reasons too.
PROBLEMS = ("hard_bounced", "soft_bounced", "spam_bounced", "undelivered", "rejected", "refused", "skipped")
REASON_CHARACTERS = 64
UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Row:
    """What was counted of messages alike: of one channel, day, kind, source, component and version of a template.

    `day` is `YYYY-MM-DD` in UTC; `source` is `automation`, `send` or `api`, and `name` says which.
    """

    day: str
    kind: str
    source: str
    name: str
    component: str
    template: str
    version: int
    counts: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many for each problem and its reason: together as many as `counts` has of the problem."""
    channel: str = Channel.EMAIL.value


def reason_of(message: Message, problem: str, told: str = "") -> str:
    """Why a message came to a problem: the check that said no, else what the provider told (or the message's error).

    Reasons are few: a text of the provider's is cut, so that a row of a report stays small.
    """
    if problem == "skipped":
        return str(message.decision.get("decided_by") or UNSTATED)
    words = " ".join((told or message.error).split())
    return words[:REASON_CHARACTERS].strip() or UNSTATED


def row_of(message: Message) -> Row:
    """The row that a message counts in; it never changes."""
    source, name = message.source
    return Row(
        day=message.decided_at[:10],
        kind=message.kind.value,
        source=source,
        name=name,
        component=message.cause.get("component", ""),
        template=message.template,
        version=message.template_version,
        channel=message.channel or Channel.EMAIL.value,
    )


def total(rows: Iterable[Row]) -> dict[str, int]:
    """All that rows counted, together."""
    counts = dict.fromkeys(COUNTED, 0)
    for row in rows:
        for name, number in row.counts.items():
            counts[name] += number
    return counts
