"""Continuing an execution by a new one, before it has lasted too long for Step Functions (`lasting`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepCall, until_texts
from tidings.automations.entering.enrol import reference, start
from tidings.automations.machines.following import REST
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.automations.machines.graph import remaining
from tidings.automations.steps.runner import StepRunner
from tidings.core.clock import Clock, from_text
from tidings.core.errors import Unavailable


def next_run(definition: Definition, enrolment: Enrolment, now: datetime) -> Enrolment:
    """The enrolment in the run after its current one, which begins `now` and goes on where it is."""
    until = {wait: from_text(end) for wait, end in enrolment.until.items()}
    following = remaining(definition, enrolment.component, until, now)
    return replace(
        enrolment,
        state=EnrolmentState.LIVE,
        component=following.next,
        until=until_texts(following),
        runs=enrolment.runs + 1,
        run_at=now,
        run_n=enrolment.n,
        error="",
    )


def rested(enrolment: Enrolment, now: datetime) -> datetime:
    """When a rest was over: where days are made shorter for a local system, that is before its time."""
    end = enrolment.until.get(REST)
    return now if end is None else max(now, from_text(end))


class Renewing:
    """What the state `Renew` asks for: exactly one new execution, however often it asks."""

    def __init__(self, runner: StepRunner, machines: StepFunctionsGateway, starts: QueueGateway, clock: Clock) -> None:
        self._runner = runner
        self._machines = machines
        self._starts = starts
        self._clock = clock

    def renew(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Give an enrolment its next run, if `execution` is the name of its current one, and start the current one.

        Nothing is done for somebody who is not live any more. At most two calls and one StartExecution. Raises
        Throttled, Unavailable (also where the enrolment was changed at the same time), and KeyError for a payload of
        another shape.
        """
        call, store = StepCall.of({**payload, "component": ""}), self._runner.enrolments
        enrolment = store.get(*call.place)
        if enrolment is None or enrolment.state is not EnrolmentState.LIVE:
            return {}
        if enrolment.execution_name == payload["execution"]:
            again = next_run(self._runner.definition(call), enrolment, rested(enrolment, self._clock.now()))
            if not store.run_again(enrolment, again):
                raise Unavailable("enrolment_changed", "The enrolment was changed at the same time.")
            enrolment = again
        if start(self._machines, enrolment).is_put_off:
            self._starts.put(reference(enrolment))
        return {}
