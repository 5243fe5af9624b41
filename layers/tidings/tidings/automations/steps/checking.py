"""The Task of the component `check_suppression`."""

from __future__ import annotations

from typing import Any

from tidings.automations.components import CheckSuppression
from tidings.automations.enrolments.model import StepCall, StepTaken
from tidings.automations.steps.runner import Situation, StepRunner, wrong_component
from tidings.consent.gate import Gate
from tidings.consent.model import MARKETING, Channel, Check, Kind
from tidings.core.errors import InvalidInput


class CheckSuppressionTask:
    """Asks whether the contact may be written to, without writing."""

    def __init__(self, runner: StepRunner, gate: Gate) -> None:
        self._runner = runner
        self._gate = gate

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer. Somebody without an address is as good as suppressed."""
        situation = self._runner.begin(call)
        if isinstance(situation, StepTaken):
            return situation.answer
        component = situation.component
        if not isinstance(component, CheckSuppression):
            raise wrong_component(call)
        check = self._check(situation, component)
        outcome = "clear" if check.passed else "suppressed"
        return self._runner.take(situation, outcome, outcome, check.as_dict())

    def _check(self, situation: Situation, component: CheckSuppression) -> Check:
        contact, kind = situation.contact, Kind(component.kind) if component.kind else None
        channel = Channel(component.channel)
        address, what = {
            Channel.EMAIL: (contact.email, "e-mail address"),
            Channel.SMS: (contact.phone, "phone number"),
        }[channel]
        if not address:
            return Check("address", False, f"the contact has no {what}")
        topic = component.topic or MARKETING.name
        try:
            return self._gate.ask(situation.workspace, contact, channel, address, kind, topic).deciding
        except InvalidInput as error:
            return Check("address", False, error.message)
