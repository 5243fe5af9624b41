"""Ways through automations as they stood at an earlier instant: told from the steps; an enrolment keeps the present.

What nothing tells of is shown as it mostly was: somebody who was parked or had failed, and was resumed since, as live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidings.automations.enrolments.model import OVER, Enrolment, EnrolmentState, StepTaken
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.statistics.room import Room
from tidings.core.clock import from_text

# At which component a version begins; empty where the version is not there.
Begins = Callable[[Enrolment], str]


@dataclass(frozen=True, slots=True)
class Then:
    """An instant, and what is to be known to show ways as they stood then."""

    at: datetime
    begins: Begins

    def had_begun(self, enrolment: Enrolment) -> bool:
        """Whether somebody had entered by then."""
        return enrolment.started_at <= self.at

    def seen(self, enrolments: DynamoEnrolmentStore, enrolment: Enrolment) -> tuple[Enrolment, list[StepTaken]]:
        """An enrolment and its steps as they stood then: a query."""
        return as_of(enrolment, enrolments.steps_of(enrolment), self)

    def with_steps(self, enrolments: DynamoEnrolmentStore, enrolment: Enrolment, room: Room) -> dict[str, Any]:
        """An enrolment as the API shows it, with the steps it had taken, as far as there is room."""
        seen, steps = self.seen(enrolments, enrolment)
        told = room.shown({**seen.as_dict(), "why": dict(seen.why)})
        return {**told, "path": room.path([step.as_dict() for step in steps])}


def as_of(enrolment: Enrolment, steps: Sequence[StepTaken], then: Then) -> tuple[Enrolment, list[StepTaken]]:
    """An enrolment that had begun by an instant, and its steps, with nothing of later.

    Of its first wait it is not kept until when it lasted, once another step was taken.
    """
    taken = [step for step in steps if step.at <= then.at]
    converted = enrolment.converted_at
    seen = replace(enrolment, converted_at=converted if converted is not None and converted <= then.at else None)
    if enrolment.updated_at is None or enrolment.updated_at <= then.at:
        return seen, taken
    component, until = _place(enrolment, taken, then)
    left = enrolment.left if _has_left(enrolment, then.at) else {}
    state = EnrolmentState.LIVE
    if left:
        state = enrolment.state
    elif taken and not taken[-1].next:
        state = EnrolmentState.COMPLETED
    return replace(
        seen,
        state=state,
        component=component,
        until=until,
        n=len(taken),
        updated_at=max([*(step.at for step in taken), *_left_at(left)], default=None),
        error="",
        left=left,
    ), taken


def _place(enrolment: Enrolment, taken: Sequence[StepTaken], then: Then) -> tuple[str, Mapping[str, str]]:
    if taken:
        return taken[-1].next, taken[-1].until
    return (then.begins(enrolment), {}) if enrolment.n else (enrolment.component, enrolment.until)


def _has_left(enrolment: Enrolment, at: datetime) -> bool:
    return enrolment.state in OVER and any(left <= at for left in _left_at(enrolment.left))


def _left_at(left: Mapping[str, Any]) -> list[datetime]:
    return [from_text(left["at"])] if "at" in left else []
