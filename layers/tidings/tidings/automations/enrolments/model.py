"""What an enrolment and a step taken are: one person's way through one version of an automation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.activity.chain import Node
from tidings.automations.machines.following import REST, Following, Run
from tidings.core.clock import to_text
from tidings.core.ids import digest, message_id

# What the keys of waits for events begin with, which stand beside the enrolments: no automation is called so.
WAITS = "#wait#"


class EnrolmentState(StrEnum):
    """Where a person's way stands."""

    LIVE = "live"
    PARKED = "parked"  # came to a component while the automation was wholly paused; goes on when that is over
    COMPLETED = "completed"
    FAILED = "failed"  # the execution failed or timed out; it can be resumed
    STOPPED = "stopped"  # somebody stopped the execution
    EXITED = "exited"  # the person is not to be in it any more, since they were erased


# Marks an enrolment whose event came by a publishable key.
PUBLISHABLE = "publishable"
# Who is inside an automation: whoever still acts, or can be made to.
INSIDE = (EnrolmentState.LIVE, EnrolmentState.PARKED, EnrolmentState.FAILED)
# Who of them goes on by themselves, or once nothing is paused.
UNDER_WAY = (EnrolmentState.LIVE, EnrolmentState.PARKED)
# Of whom nothing will ever come.
OVER = (EnrolmentState.COMPLETED, EnrolmentState.EXITED)


class EnrolmentOver(Exception):
    """The enrolment is not live any more: nothing is to be done for it. Machines do not retry this."""


class EnrolmentParked(EnrolmentOver):
    """The automation is wholly paused: the enrolment is to go on when that is over, in a run of its own."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One person's way through one version. `n` counts the steps taken; `component` is the state to be entered next.

    `event` is what it began with, and `root` what began the chain before that, if anything did. `runs` counts the
    executions before the one that it is in, which began at `run_at` with `run_n` steps taken (the first with it).
    `stored_at` is when it was written, later than `started_at` by as much as `react` was behind.
    `why` is the truth table of the trigger's condition, where it was read with it, and `left` says by which exit the
    person left, and why. `ended` says where the end was counted of a run that ended or was parked, and as what
    (`tallies`); `converted_at` is when the event came that reached the automation's goal, `conversation` the one that a
    step had to do with last, `waited` until when they waited before where they may come again (`graph.Moment`), and
    `depth` how deep in a chain of automations the last event stood that ended a wait of theirs.
    """

    workspace: str
    contact: str
    automation: str
    version: int
    entry: str
    state: EnrolmentState
    started_at: datetime
    machine: str
    component: str
    until: Mapping[str, str] = field(default_factory=dict)
    n: int = 0
    runs: int = 0
    event: Mapping[str, str] = field(default_factory=dict)
    stored_at: datetime | None = None
    updated_at: datetime | None = None
    error: str = ""
    root: Node | None = None
    run_at: datetime | None = None
    run_n: int = 0
    left: Mapping[str, Any] = field(default_factory=dict)
    why: Mapping[str, Any] = field(default_factory=dict)
    ended: tuple[str, str] | None = None
    converted_at: datetime | None = None
    erased: bool = False
    conversation: str = ""
    waited: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What it is found by: workspace, contact, automation and entry."""
        return (self.workspace, self.contact, self.automation, self.entry)

    @property
    def run(self) -> Run:
        """The execution that it is in."""
        return Run(self.run_at or self.started_at, self.run_n)

    @property
    def run_written_at(self) -> datetime:
        """When it was written down that the run is to begin."""
        return self.run_at or self.stored_at or self.started_at

    @property
    def node(self) -> Node:
        """The enrolment as a node of a chain of causes."""
        return Node.enrolment(self.contact, self.automation, self.entry)

    @property
    def caused_by(self) -> Node | None:
        """The event that it began with."""
        return Node.event(self.event["identity"], self.event["message_id"]) if self.event else None

    @property
    def trigger(self) -> tuple[str, str]:
        """The event that it began with, by its identity and message id; empty texts for none."""
        return (self.event.get("identity", ""), self.event.get("message_id", ""))

    @property
    def is_of_own_event(self) -> bool:
        """Whether it began with an event under the contact's own id, where only our own stand."""
        from tidings.contacts.model import IdentityKind  # late: who only settles enrolments needs nothing of contacts

        return self.trigger[0].startswith(f"{IdentityKind.CONTACT.value}#")

    @property
    def began_by(self) -> Node:
        """What began the chain, as far as it was known when the enrolment began."""
        return self.root or self.caused_by or self.node

    @property
    def is_of_browser(self) -> bool:
        """Whether it began with what a publishable key reported, which anybody may say."""
        return PUBLISHABLE in self.event

    @property
    def execution_name(self) -> str:
        """The execution's name, always the same for the same run, so that starting it twice starts one."""
        return digest("execution", self.workspace, self.contact, self.automation, self.entry, str(self.runs), length=50)

    @property
    def execution_arn(self) -> str:
        """The execution's ARN, which Step Functions makes from the machine's and the name."""
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{self.execution_name}"

    @property
    def input(self) -> str:
        """The execution's input: ids and times, no personal data; byte for byte the same at a repeat."""
        ids = {
            "workspace": self.workspace,
            "contact": self.contact,
            "automation": self.automation,
            "version": self.version,
            "entry": self.entry,
        }
        again = {"run": self.runs} if self.runs else {}
        at = {"n": self.n, "next": _entered(self.component, self.until), "until": dict(sorted(self.until.items()))}
        return json.dumps({**ids, **again, "at": at}, separators=(",", ":"))

    def as_dict(self) -> dict[str, Any]:
        """The enrolment as the API shows it."""
        return {
            "automation": self.automation,
            "version": self.version,
            "entry": self.entry,
            "contact": self.contact,
            "state": self.state.value,
            "started_at": self.started_at,
            "updated_at": self.updated_at,
            "component": self.component,
            "until": dict(self.until),
            "steps": self.n,
            "cause": {name: value for name, value in self.event.items() if name != PUBLISHABLE},
            "node": str(self.node),
            "caused_by": None if self.caused_by is None else str(self.caused_by),
            "root": str(self.began_by),
            "error": self.error,
            "left": dict(self.left) or None,
            "converted_at": self.converted_at,
        }


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One component passed: its outcome, what followed, and why.

    `conversation` is the one that is the closest from then on; empty if the step has nothing to do with any. `waited`
    is what the enrolment keeps of the waits before it, and `depth` what it keeps of the event, if it is another.
    """

    n: int
    component: str
    outcome: str
    next: str
    until: Mapping[str, str]
    at: datetime
    why: Mapping[str, Any] = field(default_factory=dict)
    conversation: str = ""
    waited: Mapping[str, str] = field(default_factory=dict)
    depth: int | None = None

    @property
    def answer(self) -> dict[str, Any]:
        """What the Task answers to its machine."""
        return {"outcome": self.outcome, **self.onward}

    @property
    def onward(self) -> dict[str, Any]:
        """What a machine that waits is told: ids and times only."""
        return {"n": self.n, "next": _entered(self.next, self.until), "until": dict(self.until)}

    def as_dict(self) -> dict[str, Any]:
        """The step as the API shows it."""
        return {
            "n": self.n,
            "component": self.component,
            "outcome": self.outcome,
            "next": self.next,
            "at": self.at,
            "why": dict(self.why),
        }


@dataclass(frozen=True, slots=True)
class StepCall:
    """What a machine asks a Task to do. Raises KeyError or TypeError for a payload of another shape."""

    workspace: str
    contact: str
    automation: str
    version: int
    entry: str
    n: int
    component: str

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What the enrolment is found by: workspace, contact, automation and entry."""
        return (self.workspace, self.contact, self.automation, self.entry)

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> StepCall:
        """The call in a Task's payload."""
        names = ("workspace", "contact", "automation", "entry", "component")
        ids = {name: str(payload[name]) for name in names}
        return cls(version=int(payload["version"]), n=int(payload["n"]), **ids)


def message_of(whose: Enrolment | StepCall, component: str, n: int) -> str:
    """The id of what a visit of a component sends, the same at each repeat; `n` is the number of its step."""
    return message_id(whose.contact, whose.automation, whose.entry, component, str(n - 1))


def _entered(component: str, until: Mapping[str, str]) -> str:
    """The state to enter: one may have to rest first, since an execution does not last long enough."""
    return REST if REST in until else component


def until_texts(following: Following) -> dict[str, str]:
    """The ends of waits as text."""
    return {wait: to_text(instant) for wait, instant in following.until.items()}
