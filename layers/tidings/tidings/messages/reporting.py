"""What a report says: rows that were counted, narrowed down, put together by what is asked, with rates.

A rate compares two counts of the same messages, those decided in the period; it is None where there is nothing to
compare with. People and machines are told apart throughout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from tidings.consent.model import Channel
from tidings.core import cursors
from tidings.core.errors import InvalidInput
from tidings.messages.reports import COUNTED, COUNTED_OF, Row, total

DAYS = 30
MOST_DAYS = 92
MOST_SOURCES = 20
PRECISION = 6

# What rows can be put together by, and the parts of a row that each goes by: a version alone means nothing.
BY: Mapping[str, tuple[str, ...]] = {
    "day": ("day",),
    "kind": ("kind",),
    "source": ("source",),
    "automation": ("automation",),
    "component": ("automation", "component"),
    "send": ("send",),
    "template": ("template",),
    "version": ("template", "version"),
}
PARTS = tuple(dict.fromkeys(part for parts in BY.values() for part in parts))
SOURCES = ("automation", "send", "api")
FILTERS = ("template", "automation", "send", "source", "kind")

_BOUNCED = ("hard_bounced", "soft_bounced", "spam_bounced")
# Each rate: what is counted, and of what.
MAIL_RATES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "delivered": (("delivered",), "sent"),
    "opened": (("opened",), "delivered"),
    "machine_opened": (("machine_opened",), "delivered"),
    "clicked": (("clicked",), "delivered"),
    "machine_clicked": (("machine_clicked",), "delivered"),
    "clicked_of_opened": (("clicked",), "opened"),
    "bounced": (_BOUNCED, "sent"),
    "hard_bounced": (("hard_bounced",), "sent"),
    "soft_bounced": (("soft_bounced",), "sent"),
    "spam_bounced": (("spam_bounced",), "sent"),
    "complained": (("complained",), "delivered"),
    "unsubscribed": (("unsubscribed",), "delivered"),
}
TEXT_RATES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "delivered": (("delivered",), "sent"),
    "undelivered": (("undelivered",), "sent"),
    "clicked": (("clicked",), "delivered"),
    "machine_clicked": (("machine_clicked",), "delivered"),
    "unsubscribed": (("unsubscribed",), "delivered"),
}
RATES_OF = {Channel.EMAIL.value: MAIL_RATES, Channel.SMS.value: TEXT_RATES}


@dataclass(frozen=True, slots=True)
class Period:
    """Days (UTC) from the first to the last, both in it."""

    first: date
    last: date

    @property
    def begins(self) -> str:
        """Its first instant, as texts of instants are kept."""
        return f"{self.first.isoformat()}T00:00:00.000000Z"

    @property
    def ends(self) -> str:
        """Its last instant."""
        return f"{self.last.isoformat()}T23:59:59.999999Z"


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """Which messages are meant, by what they are put together, and when they were decided."""

    workspace: str
    period: Period
    only: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ("template",)
    channel: str = Channel.EMAIL.value

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a row that make a line."""
        return tuple(dict.fromkeys(part for name in self.by for part in BY[name]))

    @property
    def scope(self) -> tuple[str, ...]:
        """What a cursor is bound to."""
        only = (self.only.get(name, "") for name in FILTERS)
        return (
            self.workspace,
            f"report {self.channel}",
            *map(str, (self.period.first, self.period.last)),
            *only,
            *self.by,
        )

    def takes(self, row: Row) -> bool:
        """Whether a row is one of those meant."""
        return row.channel == self.channel and all(_part(row, name) == wanted for name, wanted in self.only.items())


@dataclass(frozen=True, slots=True)
class Line:
    """Some rows together. `key` says of what, `sources` what ordered the messages: the ones that sent most first."""

    key: Mapping[str, str | int]
    counts: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    sources: tuple[tuple[str, str], ...]
    channel: str = Channel.EMAIL.value

    @property
    def place(self) -> tuple[str, ...]:
        """Where it stands in the order of lines; a version as digits that sort as numbers do."""
        return tuple(f"{value:09d}" if isinstance(value, int) else value for value in self.key.values())

    def as_dict(self) -> dict[str, Any]:
        """The line as the API shows it."""
        shown = self.sources[:MOST_SOURCES]
        return {
            **self.key,
            "counts": shown_counts(self.counts, self.channel),
            "rates": rates(self.counts, self.channel),
            "errors": errors(self.reasons),
            "sources": [{"source": source, "name": name} for source, name in shown],
            "more_sources": len(self.sources) - len(shown),
        }


def read_report_question(
    workspace: str, query: Mapping[str, str], now: datetime, channel: Channel = Channel.EMAIL
) -> ReportQuestion:
    """The question that a query asks. Raises InvalidInput."""
    by = tuple(dict.fromkeys(name.strip() for name in query.get("by", "template").split(",")))
    if set(by) - set(BY):
        raise InvalidInput("unknown_grouping", f"by lists some of {', '.join(BY)}, with commas between.", "by")
    return ReportQuestion(workspace, read_period(query, now), read_filters(query), by, channel.value)


def read_period(query: Mapping[str, str], now: datetime) -> Period:
    """The days from `from` to `to`, by default the last 30. Raises InvalidInput, also for more than 92."""
    last = _day(query, "to") or now.date()
    first = _day(query, "from") or last - min(timedelta(DAYS - 1), last - date.min)
    if not timedelta() <= last - first < timedelta(MOST_DAYS):
        told = f"A report is of 1 to {MOST_DAYS} days, from the earlier to the later."
        raise InvalidInput("invalid_period", told, "from" if "from" in query else "to")
    return Period(first, last)


def read_filters(query: Mapping[str, str]) -> dict[str, str]:
    """What rows are narrowed down by; an empty value is none. Raises InvalidInput."""
    only = {name: query[name].strip() for name in FILTERS if query.get(name, "").strip()}
    if only.get("source", "api") not in SOURCES:
        raise InvalidInput("unknown_source", f"source is one of {', '.join(SOURCES)}.", "source")
    if only.get("kind", "marketing") not in ("marketing", "transactional"):
        raise InvalidInput("unknown_message_kind", "kind is marketing or transactional.", "kind")
    return only


def lines(question: ReportQuestion, rows: Iterable[Row]) -> list[Line]:
    """The rows that are meant, put together by what is asked, in the order of what they are of."""
    groups: dict[tuple[str | int, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if question.takes(row):
            groups[tuple(_part(row, part) for part in question.parts)].append(row)
    named = ((dict(zip(question.parts, key, strict=True)), members) for key, members in groups.items())
    made = [_line(key, members, question.channel) for key, members in named]
    return sorted(made, key=lambda line: line.place)


def whole(found: Iterable[Line], channel: str = Channel.EMAIL.value) -> dict[str, Any]:
    """All lines together: what they add up to, and the rates of that."""
    gathered = list(found)
    counts = {name: sum(line.counts[name] for line in gathered) for name in COUNTED}
    reasons = _sum(line.reasons for line in gathered)
    return {"counts": shown_counts(counts, channel), "rates": rates(counts, channel), "errors": errors(reasons)}


def shown_counts(counts: Mapping[str, int], channel: str) -> dict[str, int]:
    """The counts that messages of a channel have."""
    return {name: counts[name] for name in COUNTED_OF[channel]}


def rates(counts: Mapping[str, int], channel: str = Channel.EMAIL.value) -> dict[str, float | None]:
    """Every rate of some counts, as fractions of one; None where there is nothing that it could be of."""
    found = RATES_OF[channel].items()
    return {name: _rate(sum(counts[one] for one in parts), counts[of]) for name, (parts, of) in found}


def errors(reasons: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Problems with their reasons, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return [
        {"problem": problem, "reason": reason, "messages": number} for (problem, reason), number in ordered if number
    ]


class Rows(Protocol):
    """Where rows are kept."""

    def rows(self, workspace: str, first: str, last: str) -> Iterable[Row]: ...


class ReportService:
    """Answers questions from what was counted."""

    def __init__(self, store: Rows) -> None:
        self._store = store

    def page(self, question: ReportQuestion, limit: int, cursor: str) -> tuple[dict[str, Any], str]:
        """Up to `limit` lines, what all lines come to together, and the cursor of the next page, empty at the end.

        Reads all rows of the period, whatever is asked of them. Raises InvalidInput for a bad cursor.
        """
        place = cursors.read(question.scope, cursor, *[str] * len(question.parts))
        period = question.period
        rows = self._store.rows(question.workspace, period.first.isoformat(), period.last.isoformat())
        found = lines(question, rows)
        rest = [line for line in found if place is None or line.place > tuple(place)]
        page = rest[:limit]
        following = cursors.write(question.scope, page[-1].place) if len(rest) > limit else ""
        shown = {
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "by": list(question.by),
            "rows": [line.as_dict() for line in page],
            "totals": whole(found, question.channel),
        }
        return shown, following


def _line(key: Mapping[str, str | int], rows: list[Row], channel: str) -> Line:
    sent: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        sent[row.source, row.name] += row.counts.get("sent", 0)
    sources = sorted(sent, key=lambda source: (-sent[source], source))
    return Line(key, total(rows), _sum(row.reasons for row in rows), tuple(sources), channel)


def _sum(several: Iterable[Mapping[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    summed: dict[tuple[str, str], int] = defaultdict(int)
    for reasons in several:
        for reason, number in reasons.items():
            summed[reason] += number
    return dict(summed)


def _part(row: Row, part: str) -> str | int:
    """A part of a row; `automation` and `send` are empty for rows of another source."""
    if part in ("automation", "send"):
        return row.name if row.source == part else ""
    value: str | int = getattr(row, part)
    return value


def _rate(number: int, of: int) -> float | None:
    return round(number / of, PRECISION) if of > 0 else None


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("invalid_period", f"{name} is a day such as 2026-11-21.", name) from error
    if day.isoformat() != text:  # a week of a year is a date for Python, and for nobody who asks here
        raise InvalidInput("invalid_period", f"{name} is a day such as 2026-11-21.", name)
    return day
