"""The component `start_automation`: asks another automation to take the person in, by an event beside the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.automations.components import StartAutomation
from tidings.automations.enrolments.model import StepCall
from tidings.automations.entering.refusals import Refused
from tidings.automations.entering.requests import refusal_of, request_of_step
from tidings.automations.steps.acting import Acting
from tidings.automations.steps.runner import Situation, StepRunner
from tidings.automations.steps.values import Valuing
from tidings.automations.store import DynamoAutomationStore
from tidings.core.clock import Clock
from tidings.core.store import ConditionFailed, Database, Key

REQUESTED = "requested"


class AskingAutomation(Acting):
    """Writes the request and the step in one transaction: a repeat finds the step, and asks nobody again.

    Whether the contact enters is decided where the event is reacted to; what spoke against it is kept there. The step
    says what was to be seen of it before: that the other automation takes nobody in whom another one sends.
    """

    def __init__(
        self, database: Database, runner: StepRunner, events: DynamoEventStore, values: Valuing, clock: Clock
    ) -> None:
        self._database = database
        self._runner = runner
        self._events = events
        self._values = values
        self._automations = DynamoAutomationStore(database)
        self._clock = clock

    def reads(self, call: StepCall, component: StartAutomation) -> Sequence[Key]:
        """The automation that is asked, as it is published."""
        return [self._automations.live_key(call.workspace, component.automation)]

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
        why = {"check": REQUESTED, **self._seen(situation, component.automation), "event": str(event.node)}
        step = self._runner.step(situation, REQUESTED, REQUESTED, why)
        parts = [self._events.new_part(event), *self._runner.enrolments.record(call, step)]
        try:
            self._database.transact(parts)
        except ConditionFailed as error:
            return self._runner.answer_of_earlier(call, error)
        return step.answer

    def _seen(self, situation: Situation, name: str) -> dict[str, str]:
        item = situation.found.get(self._automations.live_key(situation.call.workspace, name))
        live = None if item is None else self._automations.entity(item)
        reason = refusal_of(live)
        if reason is None:
            return {"found": f"{name} was asked"}
        because = Refused(name, 0 if live is None else live.version, reason).sentence
        return {"found": f"{name} was asked, which took nobody in because {because}", "reason": reason.value}
