"""Work on everybody inside an automation, as it stands in the queue of jobs: one page at a time, then each by itself.

A job goes round everybody who entered, and hands those that it concerns on, each as a message of its own: so what
Step Functions throttles waits in the queue, and nobody holds up those behind. It goes round until it finds nobody
more, since somebody may be on their way in while it looks. Every message may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.automations.enrolments.model import INSIDE, Enrolment, EnrolmentState
from tidings.core.clock import from_text, to_text

# How many are handed on by one message at most, and how many are looked at to find them.
PAGE = 50
LOOKED_AT = 400
# The second round begins when every Task has ended that began before the first one: those may still park somebody, or
# enrol them. Each later one waits longer.
BETWEEN_ROUNDS = 120
LONGEST_DELAY = 900
# By then hours have passed, and who is still found has messages among the dead letters.
MOST_ROUNDS = 20


class JobKind(StrEnum):
    """What is done."""

    RESUME = "resume"  # those that are parked, lost or failed get a new run
    END = "end"  # they are ended, where they are
    SWEEP = "sweep"  # machines are deleted that nobody is in


class JobState(StrEnum):
    """How far a job is."""

    RUNNING = "running"
    DONE = "done"
    UNFINISHED = "unfinished"  # it went round often enough, and somebody was left each time


@dataclass(frozen=True, slots=True)
class Place:
    """How far a job has come: pages turned, and where the next one begins. `found` counts those of this round."""

    page: int = 0
    round: int = 1
    shard: int = 0
    after: dict[str, Any] | None = None
    found: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, by whose order. `before` names the version below which it concerns people (0: all).

    `parked_only` leaves out who was lost or failed. `machines` are those that a sweep would delete: it leaves out those
    in which it finds somebody.
    """

    workspace: str
    automation: str
    id: str
    kind: JobKind
    who: str
    at: datetime
    before: int = 0
    version: int = 0
    parked_only: bool = False
    machines: tuple[str, ...] = ()
    place: Place = field(default_factory=Place)

    def concerns(self, enrolment: Enrolment) -> bool:
        """Whether something is to be done about an enrolment, as far as it tells itself."""
        if (self.version and enrolment.version != self.version) or (self.before and enrolment.version >= self.before):
            return False
        if self.kind is JobKind.RESUME and (self.parked_only or self.place.round > 1):
            return enrolment.state is EnrolmentState.PARKED
        # Whoever enters after everybody was to be ended is not concerned.
        entered_later = not (self.before or self.version) and enrolment.started_at > self.at
        return enrolment.state in INSIDE and not (self.kind is JobKind.END and entered_later)

    def turned(self, shard: int, after: dict[str, Any] | None, found: int) -> Job:
        """The job at its next page."""
        place = Place(self.place.page + 1, self.place.round, shard, after, self.place.found + found)
        return replace(self, place=place)

    def another_round(self) -> Job:
        """The job from the beginning, with its next round."""
        return replace(self, place=Place(self.place.page + 1, self.place.round + 1))

    @property
    def delay(self) -> int:
        """How many seconds its next page waits."""
        is_first = not self.place.shard and not self.place.after and self.place.page
        return min(BETWEEN_ROUNDS * 2 ** (self.place.round - 2), LONGEST_DELAY) if is_first else 0

    def as_message(self) -> dict[str, Any]:
        """The job as it stands in its queue: ids and numbers only."""
        place = self.place
        return {
            "job": self.id,
            "kind": self.kind.value,
            "workspace": self.workspace,
            "automation": self.automation,
            "who": self.who,
            "at": to_text(self.at),
            "before": self.before,
            "version": self.version,
            "parked_only": self.parked_only,
            "machines": list(self.machines),
            "place": [place.page, place.round, place.shard, place.after, place.found],
        }

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Job:
        """The job of a message. Raises KeyError, TypeError or ValueError for a message of another shape."""
        page, turn, shard, after, found = message["place"]
        return cls(
            workspace=str(message["workspace"]),
            automation=str(message["automation"]),
            id=str(message["job"]),
            kind=JobKind(message["kind"]),
            who=str(message["who"]),
            at=from_text(message["at"]),
            before=int(message["before"]),
            version=int(message["version"]),
            parked_only=bool(message["parked_only"]),
            machines=tuple(map(str, message["machines"])),
            place=Place(int(page), int(turn), int(shard), after, int(found)),
        )

    def one(self, enrolment: Enrolment) -> dict[str, Any]:
        """The message that asks for one enrolment: its run, so that a repeat does not give it another one."""
        return one_of(enrolment, self.kind) | {"job": self.id}


def one_of(enrolment: Enrolment, kind: JobKind) -> dict[str, Any]:
    """The message that asks something for one enrolment."""
    return {
        "do": kind.value,
        "workspace": enrolment.workspace,
        "contact": enrolment.contact,
        "automation": enrolment.automation,
        "entry": enrolment.entry,
        "runs": enrolment.runs,
    }


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: `found` were found inside in its first round, `done` were resumed or ended."""

    id: str
    kind: JobKind
    state: JobState
    who: str
    at: datetime
    found: int = 0
    done: int = 0
    page: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The progress as the API shows it."""
        return {
            "job": self.id,
            "kind": self.kind.value,
            "state": self.state.value,
            "who": self.who,
            "at": self.at,
            "found": max(self.found, self.done),
            "done": self.done,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to an automation."""

    what: str
    who: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The change as the API shows it."""
        return {"what": self.what, "who": self.who, "at": self.at, "details": dict(self.details)}
