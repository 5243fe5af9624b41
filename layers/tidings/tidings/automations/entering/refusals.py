"""Why somebody did not enter the automations that listen to an event: what is kept of it, and how it is told.

One document for each event, whichever automations refused. A trigger's condition is kept as a truth table with the
values that it saw. However many automations listen, `MOST_KEPT` are told of, and the others counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tidings.activity.model import Event
from tidings.core.clock import to_text

KEPT_FOR = timedelta(days=30)
MOST_KEPT = 20
# Rules of all truth tables of an event together; one takes at most 1,000 bytes.
MOST_RULES = 60


class Reason(StrEnum):
    """Why an automation did not take somebody in."""

    WHERE = "where"  # the trigger's condition did not hold
    REENTRY = "reentry"  # they entered before, as often as they may for now
    NO_KEY = "no_key"  # the event lacks the property by which entries are told apart
    EXIT_HOLDS = "exit_holds"  # an exit would let them out at once
    DATE_PAST = "date_past"  # it begins with a wait until a date that was past, and is left then
    PAUSED = "paused"
    ARCHIVED = "archived"
    TOO_DEEP = "too_deep"  # automations started each other in too long a chain
    NOT_PUBLISHED = "not_published"  # it was asked for by its name, and there was none
    NOT_BY_REQUEST = "not_by_request"  # it was asked for by its name, and began otherwise


@dataclass(frozen=True, slots=True)
class Refused:
    """One automation that did not take somebody in: the version, why, and the values that it went by."""

    automation: str
    version: int
    reason: Reason
    why: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Why, as the end of a sentence: `because …`."""
        return _SAID[self.reason](self.why)

    def as_dict(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "automation": self.automation,
            "version": self.version,
            "reason": self.reason.value,
            "why": dict(self.why),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Refused:
        """What `as_dict` kept."""
        return cls(kept["automation"], int(kept["version"]), Reason(kept["reason"]), kept["why"])


@dataclass(frozen=True, slots=True)
class Refusals:
    """Why the automations that listen to an event did not take a contact in; `more` were not kept.

    `event` names it: its identity, message id and name; `at` is when it was received.
    """

    contact: str
    at: datetime
    event: Mapping[str, str]
    refused: Sequence[Refused]
    more: int = 0

    @property
    def expires_at(self) -> datetime:
        """When it is not kept any more."""
        return self.at + KEPT_FOR

    def is_of(self, event: Event) -> bool:
        """Whether it is told of an event: a message may come under two ids of the same person."""
        return self.event["message_id"] == event.message_id

    def of(self, automation: str) -> Refused | None:
        """Why one of the automations refused."""
        return next((one for one in self.refused if one.automation == automation), None)

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        told = {"refused": [{**one.as_dict(), "sentence": _told(one)} for one in self.refused], "more": self.more}
        return {"contact": self.contact, "at": to_text(self.at), "event": dict(self.event), **told}


def refusals(contact: str, event: Event, refused: Sequence[Refused], more: int = 0) -> Refusals:
    """What is kept of an event that automations listen to and did not take the contact in for, in their order.

    `more` refused that are not told of.
    """
    named = {"identity": str(event.identity), "message_id": event.message_id, "event": event.name}
    more += max(0, len(refused) - MOST_KEPT)
    return Refusals(contact, event.received_at, named, refused[:MOST_KEPT], more)


def not_again(refused: Iterable[Refusals], entered: Mapping[str, datetime]) -> list[str]:
    """Why somebody did not enter again what they had entered: the latest of each automation, since their last entry."""
    told: dict[str, str] = {}
    for kept in refused:
        for one in kept.refused:
            if one.automation in entered and kept.at > entered[one.automation] and one.automation not in told:
                did = f'They did "{kept.event["event"]}" on {kept.at:%Y-%m-%d %H:%M:%S} UTC'
                told[one.automation] = f"{did}, and did not enter {one.automation} again because {one.sentence}."
    return list(told.values())


def in_vain(refused: Iterable[Refusals], automation: str) -> Refusals | None:
    """The latest time that an automation was asked for which no request starts; they are given latest first."""
    for kept in refused:
        one = kept.of(automation)
        if one is not None and one.reason in (Reason.NOT_PUBLISHED, Reason.NOT_BY_REQUEST):
            return kept
    return None


def asked_in_vain(kept: Refusals, automation: str) -> str:
    """What `in_vain` found, as the answer why somebody never entered."""
    because = "".join(one.sentence for one in kept.refused if one.automation == automation)
    at = f"{kept.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"They never entered {automation}: it was asked on {at} to take them in, and did not because {because}."


def because(explanation: Mapping[str, Any]) -> str:
    """What of a truth table decided that it holds or does not, in words; at most three of its rules."""
    said = _deciding(explanation)
    left = len(said) - 3
    return "; ".join(said[:3]) + (f"; and {left} more" if left > 0 else "")


def _deciding(explanation: Mapping[str, Any]) -> list[str]:
    """The single rules by which a group came out as it did: those that have the result that it took."""
    parts = explanation.get("parts")
    if not parts:
        return [_plain(explanation["sentence"])]
    if not explanation["expected"].startswith("none of: "):
        mattering = [part for part in parts if part["result"] is explanation["result"]]
        return [said for part in mattering or parts for said in _deciding(part)]
    mattering = [part for part in parts if part["result"] is not explanation["result"]]
    wrong = "" if explanation["result"] else ", which must not be so"
    return [f"{said}{wrong}" for part in mattering or parts for said in _deciding(part)]


def _plain(sentence: str) -> str:
    """A sentence of a rule inside another one: `Trait plan is …` as `their plan is …`."""
    for kind, said in (("Trait ", "their "), ("Property ", "the event's "), ("The ", "the ")):
        if sentence.startswith(kind):
            sentence = said + sentence.removeprefix(kind)
    return sentence.removesuffix(".")


def _told(one: Refused) -> str:
    return f"They did not enter {one.automation} because {one.sentence}."


def _date(why: Mapping[str, Any]) -> str:
    seen = f"was {why['found']}, which is past" if why.get("found") is not None else "is missing"
    return f'it begins with the wait "{why["component"]}", whose date {seen}, and who is too late leaves there'


def _deep(why: Mapping[str, Any]) -> str:
    return f"it was started by a chain of {why['depth']} automations, and {why['most']} are the most"


_SAID: dict[Reason, Callable[[Mapping[str, Any]], str]] = {
    Reason.WHERE: lambda why: because(why["where"]),
    Reason.REENTRY: lambda why: str(why["sentence"]),
    Reason.NO_KEY: lambda why: str(why["sentence"]),
    Reason.EXIT_HOLDS: lambda why: f'its exit "{why["exit"]}" would let them out at once: {because(why["when"])}',
    Reason.DATE_PAST: _date,
    Reason.PAUSED: lambda why: "it was paused",
    Reason.ARCHIVED: lambda why: "it was archived",
    Reason.TOO_DEEP: _deep,
    Reason.NOT_PUBLISHED: lambda why: "it was not published",
    Reason.NOT_BY_REQUEST: lambda why: "its trigger was not `api: true`",
}
