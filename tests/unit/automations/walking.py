"""Walking a machine on a clock of its own, with what the Tasks do reduced to what they answer.

The machine runs in `tests.support.machine`; who walks is an Enrolment, which takes steps by `graph.follow` and goes on
in new executions by `renewing.next_run`, as in production.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.support.machine import Execution

from tidings.automations.components import Awaits
from tidings.automations.definition.model import Definition
from tidings.automations.definition.names import TIMEOUT
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepCall, StepTaken, until_texts
from tidings.automations.lifecycle.renewing import next_run, rested
from tidings.automations.machines.compile import RESUMED, Asl
from tidings.automations.machines.following import REST, Run
from tidings.automations.machines.graph import Moment, follow, links
from tidings.automations.machines.lasting import renews
from tidings.automations.waits.rules import OpenWait
from tidings.core.clock import from_text, to_text

Choose = Callable[[list[str]], str]


@dataclass(frozen=True)
class Entered:
    """A state that was entered, when, and in which execution."""

    state: str
    at: datetime
    run: int


@dataclass
class Walk:
    """What became of a way: states, components, the Tasks that were called, and when each execution began and ended."""

    entered: list[Entered] = field(default_factory=list)
    called: list[tuple[str, str]] = field(default_factory=list)  # function, and what it was asked beside its component
    runs: list[tuple[datetime, datetime, int]] = field(default_factory=list)  # from, to, steps
    acted: list[tuple[str, str, datetime]] = field(default_factory=list)  # component, outcome, when
    deadlines: dict[int, datetime] = field(default_factory=dict)
    ended: bool = False

    @property
    def states(self) -> list[str]:
        """Names of the states that were entered."""
        return [one.state for one in self.entered]


class Walker:
    """One person on the way. `choose(outcomes)` says how each component turns out; `later()` when an event comes."""

    def __init__(
        self,
        definition: Definition,
        asl: Asl,
        moment: Moment,
        choose: Choose,
        later: Callable[[timedelta], timedelta] = lambda length: length / 2,
    ) -> None:
        self.definition, self.asl, self.moment = definition, asl, moment
        self.choose, self.later = choose, later
        self.now, self.walk = moment.now, Walk()
        began = follow(definition, definition.start, replace(moment, run=Run(self.now)))
        self.enrolment = Enrolment(
            *("acme", "ada", definition.automation, 1, "e", EnrolmentState.LIVE, self.now, "machine"),
            began.next,
            until_texts(began),
        )
        self.waiting: tuple[str, datetime] | None = None  # the outcome, and when it comes
        self.goes_on = False

    def go(self, most: int = 60) -> Walk:
        """Walk to the end, or until that many states were entered."""
        self.goes_on = True
        while self.goes_on and len(self.walk.entered) < most:
            self.goes_on = False
            began, before = self.now, self.enrolment
            execution = Execution.begin(self.asl, before.input, before.execution_name)
            seen = 0
            while True:
                self.walk.entered += [Entered(state, self.now, before.runs) for state in execution.states[seen:]]
                seen = len(execution.states)
                if execution.is_over or len(self.walk.entered) >= most:
                    break
                self._pass(execution)
            self.walk.runs.append((began, self.now, self.enrolment.n - before.n))
            self.walk.ended = execution.is_over and not self.goes_on
        return self.walk

    def _pass(self, execution: Execution) -> None:
        """One state, at the end of what it waits for: an instant, an event, or the end of its time."""
        if execution.token and self.waiting is not None:
            outcome, at = self.waiting
            assert execution.times_out is not None
            if outcome != TIMEOUT and at < execution.times_out:
                self.now, self.waiting = max(self.now, at), None
                step = self._step(self._call(execution.state), outcome)
                assert execution.answer(execution.token, json.dumps(step.onward))
                return
        self.now = max(self.now, execution.wait() or self.now)
        execution.step(self._task, self.now)

    def _call(self, state: str) -> StepCall:
        one = self.enrolment
        component = state.removesuffix(RESUMED)
        return StepCall(one.workspace, one.contact, one.automation, one.version, one.entry, one.n, component)

    def _task(self, arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        ask = str(payload.get("ask", ""))
        self.walk.called.append((arn.rpartition(":")[2], ask))
        assert payload["n"] == self.enrolment.n
        assert self.enrolment.state is EnrolmentState.LIVE
        if ask == "renew":
            assert payload["execution"] == self.enrolment.execution_name
            self.enrolment = next_run(self.definition, self.enrolment, rested(self.enrolment, self.now))
            self.goes_on = True
            return {}
        call = StepCall.of(payload)
        component = self.definition.components[call.component]
        if not isinstance(component, Awaits):
            return self._step(call, self.choose(sorted(links(component)))).answer
        return self._awaits(call, component, payload, ask)

    def _awaits(self, call: StepCall, component: Awaits, payload: dict[str, Any], ask: str) -> dict[str, Any]:
        deadline = from_text(self.enrolment.until[call.component])
        assert self.walk.deadlines.setdefault(call.n, deadline) == deadline, "the deadline of a wait moved"
        if ask == "left":
            return {"seconds": OpenWait(call, "", self.now, deadline).left(self.now)}
        if ask == TIMEOUT:
            if self.now < deadline and renews(self.definition):
                return {"n": call.n, "next": REST, "until": {REST: to_text(self.now)}}
            assert self.now >= deadline
            self.waiting = None
            return self._step(call, TIMEOUT).answer
        assert payload["token"]
        if self.waiting is None:
            outcome = self.choose(sorted(links(component)))
            self.waiting = (outcome, self.now + self.later(deadline - self.now))
        return {}

    def _step(self, call: StepCall, outcome: str) -> StepTaken:
        run = self.enrolment.run
        moment = replace(self.moment, now=self.now, run=run, n=call.n + 1)
        following = follow(self.definition, links(self.definition.components[call.component])[outcome], moment)
        step = StepTaken(call.n + 1, call.component, outcome, following.next, until_texts(following), self.now)
        self.walk.acted.append((call.component, outcome, self.now))
        self.enrolment = replace(self.enrolment, n=step.n, component=step.next, until=step.until)
        return step


def walk(definition: Definition, asl: Asl, moment: Moment, choose: Choose, most: int = 60) -> Walk:
    """Walks the machine from its start to its end, or through that many states."""
    return Walker(definition, asl, moment, choose).go(most)


def components_of(definition: Definition, states: list[str]) -> list[str]:
    """The components that stand behind states, in their order."""
    return [state for state in states if state in definition.components]
