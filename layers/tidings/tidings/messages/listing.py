"""Which messages stand behind a report: by what ordered them or by address, with what became of each and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from tidings.consent.model import Channel
from tidings.consent.rules import normalise_address
from tidings.contacts.model import Contact
from tidings.core import cursors
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput
from tidings.messages.decisions import reason
from tidings.messages.model import Message, State
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.reported_store import PAGE, DynamoReportedStore, Place, place_of, read_place
from tidings.messages.reporting import FILTERS, Period, ReportQuestion, lines, read_filters, read_period

# How many messages one request looks at, where a filter lets few of them through, and of how many sources.
LOOKED_AT = 500
MOST_SOURCES = 25

_NOT_DELIVERED = (State.BOUNCED, State.UNDELIVERED, State.REJECTED, State.REFUSED, State.UNKNOWN)
_SINGLE = (*_NOT_DELIVERED, State.SKIPPED, State.COMPLAINED, State.DELAYED)
# What to look for, and in which states that is.
PROBLEMS: Mapping[str, tuple[State, ...]] = {
    **{state.value: (state,) for state in _SINGLE},
    "undelivered": _NOT_DELIVERED,
}


@dataclass(frozen=True, slots=True)
class MessageQuestion:
    """Which messages are meant. Their day is the one on which somebody last tried to send them."""

    workspace: str
    period: Period
    only: Mapping[str, str] = field(default_factory=dict)
    states: tuple[State, ...] = tuple(State)
    address: str = ""
    channel: str = Channel.EMAIL.value

    @property
    def scope(self) -> tuple[str, ...]:
        """What a cursor is bound to."""
        days = (self.period.first.isoformat(), self.period.last.isoformat())
        only = (self.only.get(name, "") for name in FILTERS)
        return (self.workspace, f"reported {self.channel}", *days, *only, ",".join(self.states), self.address)

    @property
    def source(self) -> tuple[str, str] | None:
        """The one that is named; None if none is."""
        named = [(name, self.only[name]) for name in ("automation", "send") if name in self.only]
        return named[0] if named else ("api", "") if self.only.get("source") == "api" else None

    def takes(self, message: Message) -> bool:
        """Whether a message is one of those meant."""
        source, name = message.source
        told = {"template": message.template, "kind": message.kind.value, "source": source, source: name}
        if any(told.get(asked, "") != wanted for asked, wanted in self.only.items()):
            return False
        if message.channel != self.channel:
            return False
        return message.state in self.states and (not self.address or message.address == self.address)


def read_message_question(
    workspace: str, query: Mapping[str, str], now: datetime, channel: Channel = Channel.EMAIL
) -> MessageQuestion:
    """The question that a query asks. Raises InvalidInput."""
    states = tuple(State)
    if query.get("state"):
        states = (_state(query["state"]),)
    if query.get("problem"):
        if query["problem"] not in PROBLEMS:
            raise InvalidInput("unknown_problem", f"problem is one of {', '.join(PROBLEMS)}.", "problem")
        states = tuple(state for state in states if state in PROBLEMS[query["problem"]])
    address = normalise_address(channel, query["address"]) if query.get("address") else ""
    return MessageQuestion(workspace, read_period(query, now), read_filters(query), states, address, channel.value)


def listed(message: Message) -> dict[str, Any]:
    """A message as lists show it; of an erased person's, no address is left."""
    source, name = message.source
    return {
        "message": message.id,
        "contact": message.contact,
        "address": message.address,
        "state": message.state.value,
        "kind": message.kind.value,
        "topic": message.topic,
        "template": message.template,
        "template_version": message.template_version,
        "source": source,
        "automation": name if source == "automation" else "",
        "component": message.cause.get("component", ""),
        "send": name if source == "send" else "",
        "decided_by": str(message.decision.get("decided_by", "")),
        "error": message.error,
        "reason": reason(message),
        "decided_at": message.decided_at,
        "last_tried_at": to_text(message.claimed_at) if message.claimed_at else None,
        "updated_at": max(message.history.values(), default=None),
        "history": dict(message.history),
        **(_carried(message) if message.channel == Channel.SMS else {}),
    }


def _carried(message: Message) -> dict[str, Any]:
    """How a text message went, and what it cost (USD): as far as that is known."""
    told = message.transport
    texts = {name: str(told.get(name) or "") for name in ("country", "sender", "price", "fee", "carrier")}
    return {**texts, "parts": int(told.get("parts") or 0)}


class MessageListing:
    """Messages behind reports, page by page."""

    def __init__(
        self,
        reports: DynamoReportStore,
        store: DynamoReportedStore,
        holders: Callable[[str, str], Sequence[Contact]],
        of_contact: Callable[[str, Sequence[str]], list[Message]],
    ) -> None:
        """`holders` finds the contacts of an address, `of_contact` the messages of contact ids, in a workspace."""
        self._reports = reports
        self._store = store
        self._holders = holders
        self._of_contact = of_contact

    def page(self, question: MessageQuestion, limit: int, cursor: str) -> tuple[list[Message], str]:
        """Up to `limit` messages, those tried last first, and the cursor of the next page, empty at the end.

        Looks at no more than 500 and then stops short. Raises InvalidInput, also where too many sources are meant.
        """
        if question.address:
            theirs = [one for one in self._to(question) if question.takes(one)]
            return cursors.latest_first(theirs, place_of, limit, question.scope, cursor)
        place, period = read_place(question.scope, cursor), question.period
        sources = self._sources(question) if question.states else []
        places = self._store.latest(question.workspace, sources, period.begins, period.ends, place)
        return self._filled(question, places, limit)

    def _filled(self, question: MessageQuestion, places: Iterator[Place], limit: int) -> tuple[list[Message], str]:
        page: list[Message] = []
        for _ in range(LOOKED_AT // PAGE):
            stretch = list(islice(places, PAGE))
            read = self._store.read(question.workspace, [message for _, message in stretch])
            for place in stretch:
                message = read.get(place[1])
                if message is None or not question.takes(message):
                    continue
                if len(page) == limit:
                    return page, cursors.write(question.scope, place_of(page[-1]))
                page.append(message)
            if len(stretch) < PAGE:
                return page, ""
        return page, cursors.write(question.scope, stretch[-1])

    def _sources(self, question: MessageQuestion) -> list[tuple[str, str]]:
        """What ordered the messages: as it is named, or else as the report of the period knows."""
        if question.source is not None:
            return [question.source]
        period = question.period
        rows = self._reports.rows(question.workspace, period.first.isoformat(), period.last.isoformat())
        asked = ReportQuestion(question.workspace, period, question.only, ("source",), question.channel)
        sources = sorted({source for line in lines(asked, rows) for source in line.sources})
        if len(sources) > MOST_SOURCES:
            told = f"More than {MOST_SOURCES} automations and sends are meant: name one of them, or fewer days."
            raise InvalidInput("too_many_sources", told, "automation")
        return sources

    def _to(self, question: MessageQuestion) -> list[Message]:
        """What was meant for an address in the period, whoever has it."""
        period = question.period
        found: dict[str, Message] = {}
        for contact in self._holders(question.workspace, question.address):
            for one in self._of_contact(contact.workspace, contact.shown_ids):
                tried = place_of(one)[0]
                if period.begins <= tried <= period.ends and contact.shows(one.contact, from_text(tried)):
                    found[one.id] = one
        return list(found.values())


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError as error:
        raise InvalidInput("invalid_state", f"state is one of {', '.join(State)}.", "state") from error
