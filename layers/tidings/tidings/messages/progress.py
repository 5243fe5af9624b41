"""What news of a message changes in it, and in what reports count: the same whatever order the news comes in.

A message's state and error are the highest of all that was told, its history has each milestone once, at its earliest
instant, and each milestone is counted once. So news that is doubled, late or overtaken leads to the same end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidings.core.clock import to_text
from tidings.messages.costs import Bill, charged
from tidings.messages.model import Message, State

# What milestones are called in a message's history, where that is not their own name.
HISTORY = {"sent": State.ACCEPTED.value}
PERMANENT = "Permanent/"
# Why a text message was not delivered as far as anybody knew, and may have arrived all the same: the carrier said
# nothing for 72 hours, or it could not go as RCS and goes as SMS instead.
DOUBTFUL = ("TEXT_UNKNOWN", "RCS_")

# A message in one of these was not sent by us: whatever is told of it, it stays.
_OURS = frozenset({State.REFUSED, State.SKIPPED})
_OPEN = frozenset({State.CLAIMED, State.RELEASED, State.UNKNOWN})
_WEIGHT = {
    State.CLAIMED: 0,
    State.RELEASED: 0,
    State.UNKNOWN: 0,
    State.ACCEPTED: 1,
    State.DELAYED: 2,
    State.BOUNCED: 3,
    State.UNDELIVERED: 3,
    State.DELIVERED: 4,
    State.REJECTED: 6,
    State.COMPLAINED: 7,
}
_FOR_GOOD = 5


@dataclass(frozen=True, slots=True)
class News:
    """What a provider tells of a message that it took at `mailed_at`.

    `milestone` is what reports count once for a message and `total` what they count each time; each may be empty.
    `state` is where the news moves it, if anywhere, and `error` what went wrong, such as `Permanent/NoEmail`. `bill` is
    what it cost, where the news tells that.
    """

    at: datetime
    mailed_at: datetime
    milestone: str = ""
    state: State | None = None
    error: str = ""
    total: str = ""
    provider_id: str = ""
    bill: Bill | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What news changes. `state` and `error` are None where both stay; `history` are instants to write, ISO 8601.

    `transport` is what stands in the message in place of its own, None where that stays.
    """

    state: State | None = None
    error: str | None = None
    history: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    transport: Mapping[str, Any] | None = None

    @property
    def moves(self) -> bool:
        """Whether anything changes in the message itself."""
        return self.state is not None or bool(self.history) or self.transport is not None


def progress(message: Message, news: News) -> Progress:
    """What news changes in a message as it stands.

    A delivery that comes after a permanent bounce, or after the final word that a text did not arrive, is a milestone
    and no more; a transient bounce takes no delivery back, and neither does a doubtful word. Whatever is told of a
    message tells that it was sent, also of one that had been given up as unknown. What was never sent, or is of
    somebody who was erased, counts nothing.
    """
    if message.state in _OURS:
        return Progress()
    history, counts = _milestones(message, news)
    if message.state is State.UNKNOWN:
        counts["unknown"] = -1
    if news.total:
        counts[news.total] = 1
    before = (message.state, message.error)
    after = max(before, *_reached(news), key=_weight)
    transport = None
    if news.bill is not None and (billed := charged(message.transport, news.bill)) is not None:
        transport = billed[0]
        counts.update(billed[1])
    if message.erased_at is not None:
        counts, after, transport = {}, (after[0], ""), None
    if after == before:
        return Progress(history=history, counts=counts, transport=transport)
    return Progress(after[0], after[1], history, counts, transport)


def _milestones(message: Message, news: News) -> tuple[dict[str, str], dict[str, int]]:
    """The instants that go into the history, and what is thereby counted for the first time.

    None is earlier than the decision to send, whatever the provider's clock shows. When a message was taken both the
    provider's answer and its events tell: the first to come stays.
    """
    history: dict[str, str] = {}
    counts: dict[str, int] = {}
    told = [("sent", news.mailed_at), *([(news.milestone, news.at)] if news.milestone not in ("", "sent") else [])]
    for milestone, at in told:
        name = HISTORY.get(milestone, milestone)
        instant, known = max(to_text(at), message.decided_at), message.history.get(name)
        if known is None:
            counts[milestone] = 1
        if known is None or (instant < known and milestone != "sent"):
            history[name] = instant
    return history, counts


def _reached(news: News) -> list[tuple[State, str]]:
    """The states that the news tells of, each with its error."""
    return [(State.ACCEPTED, ""), *([(news.state, news.error)] if news.state else [])]


def _weight(reached: tuple[State, str]) -> tuple[int, str]:
    state, error = reached
    bounced = state is State.BOUNCED and error.startswith(PERMANENT)
    missed = state is State.UNDELIVERED and not error.startswith(DOUBTFUL)
    return (_FOR_GOOD if bounced or missed else _WEIGHT[state]), error
