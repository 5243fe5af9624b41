"""The component `start_automation`: asks another automation to take the person in, by an event beside the step."""

from __future__ import annotations

from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.automations.components import StartAutomation
from tidings.automations.entering.requests import request_of_step
from tidings.automations.steps.runner import Situation, StepRunner
from tidings.automations.steps.values import Valuing
from tidings.core.clock import Clock
from tidings.core.store import ConditionFailed, Database

REQUESTED = "requested"


class AskingAutomation:
    """Writes the request and the step in one transaction: a repeat finds the step, and asks nobody again.

    Whether the contact enters is decided where the event is reacted to; what spoke against it is kept there.
    """

    def __init__(
        self, database: Database, runner: StepRunner, events: DynamoEventStore, values: Valuing, clock: Clock
    ) -> None:
        self._database = database
        self._runner = runner
        self._events = events
        self._values = values
        self._clock = clock

    def act(self, situation: Situation, component: StartAutomation) -> dict[str, Any]:
        """Take the step; the machine's answer."""
        call = situation.call
        event = request_of_step(
            situation.contact,
            situation.enrolment,
            call.n + 1,
            component.automation,
            self._values.of(situation, component.properties, situation.contact),
            situation.properties,
            self._clock.now(),
        )
        why = {"check": REQUESTED, "found": f"{component.automation} was asked", "event": str(event.node)}
        step = self._runner.step(situation, REQUESTED, REQUESTED, why)
        parts = [self._events.new_part(event), *self._runner.enrolments.record(call, step)]
        try:
            self._database.transact(parts)
        except ConditionFailed as error:
            return self._runner.answer_of_earlier(call, error)
        return step.answer
