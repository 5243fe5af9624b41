"""Numbers of automations, and the people behind them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tidings_cli.openapi.answers.base import Cursor, Instant, Shape
from tidings_cli.openapi.answers.contacts import DecisionShown, EnrolmentShown, NothingKept, StepShown

Count = Annotated[int, Field(ge=0)]
Counts = dict[str, int]
Rate = Annotated[float, Field(ge=0)] | None
Version = Annotated[int, Field(ge=1)]


class Totals(Shape):
    """How many began, and how many of them are inside, finished, left by an exit, failed, were stopped, converted."""

    started: Count
    inside: int
    finished: Count
    exited: Count
    exits: Counts
    failed: Count
    stopped: Count
    converted: Count
    conversion_rate: Rate


class VersionTotals(Totals):
    """The same of one version."""

    version: Version


class ComponentNumbers(Shape):
    """What is told of a component: `entered` is `acted`, `skipped`, `left` and `waiting` together."""

    component: str
    type: str
    entered: int
    acted: int
    skipped: Count
    left: int
    waiting: Count
    waiting_is_exact: bool
    """False where too many stand in a chain of waits to say of each which one they are in."""
    outcomes: Counts
    reasons: dict[str, Counts]
    """By outcome the checks that decided so, such as those by which somebody was skipped."""
    left_by: Counts
    exits: Counts


class ArmNumbers(Shape):
    """How often an arm was taken, and how many who took it converted."""

    component: str
    arm: str
    took: Count
    converted: Count
    conversion_rate: Rate


class GoalNumbers(Shape):
    """How often people came to a component that is a goal."""

    component: str
    reached: Count


class Statistics(Totals):
    """The numbers of one version of an automation, or of all (`version` null)."""

    automation: str
    version: Version | None
    at: Instant
    versions: list[VersionTotals]
    components: list[ComponentNumbers]
    arms: list[ArmNumbers]
    goals: list[GoalNumbers]


class EnrolmentListed(EnrolmentShown):
    """An enrolment, and the address at which it is shown with its steps."""

    path_at: str


class AutomationEnrolments(Shape):
    """A page of everybody who entered an automation, latest first."""

    enrolments: list[EnrolmentListed]
    cursor: Cursor


class MessageOfStep(Shape):
    """The message of a step: what became of it, and what was decided about it."""

    message: str
    state: str
    decision: DecisionShown | NothingKept
    earlier: list[DecisionShown]


class StepWithMessage(StepShown):
    """A step, and if its component sends, the message."""

    message: MessageOfStep | None


class EnrolmentPath(EnrolmentListed):
    """An enrolment with each step that was taken."""

    path: list[StepWithMessage]


class PersonWhoActed(Shape):
    """Somebody who passed a component, what came of it and why.

    `at` is null of a wait at which the enrolment began, once more followed.
    """

    contact: str
    entry: str
    version: Version
    n: int
    outcome: str
    at: Instant | None
    next: str
    why: dict[str, Any]
    path_at: str


class PersonWaiting(Shape):
    """Somebody who is at a component, until when if they wait there."""

    contact: str
    entry: str
    version: Version
    state: Literal["live", "parked"]
    started_at: Instant
    until: Instant | None
    path_at: str


class PeopleAtComponent(Shape):
    """A page of people; one may be short and still have a next one."""

    people: list[PersonWhoActed | PersonWaiting]
    cursor: Cursor
