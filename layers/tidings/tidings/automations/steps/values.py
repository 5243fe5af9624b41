"""What the values come to that a component names: written ones, and those of a property, a trait or an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tidings.automations.components.acts import Added, FromAnswer, FromProperty, FromTrait, Now
from tidings.automations.enrolments.model import StepTaken
from tidings.automations.steps.answers import answers_of
from tidings.automations.steps.runner import Situation, StepRunner
from tidings.conditions.values import is_number, lookup
from tidings.contacts.model import Contact
from tidings.contacts.rules import SNAKE_CASE
from tidings.core.clock import Clock, to_text

Steps = Callable[[], list[StepTaken]]


class Valuing:
    """Works out values; the steps taken are read only where an answer is named."""

    def __init__(self, runner: StepRunner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    def of(self, situation: Situation, written: Mapping[str, Any], contact: Contact) -> dict[str, Any]:
        """Values by their names, for a contact as it is now. What is nowhere to be found is left out."""
        answers: Mapping[str, Any] = {}
        if any(isinstance(value, FromAnswer) for value in written.values()):
            answers = answers_of(self._runner.enrolments.steps_of(situation.enrolment))
        found = {name: self._value(name, value, situation, contact, answers) for name, value in written.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, name: str, value: Any, situation: Situation, contact: Contact, answers: Mapping[str, Any]) -> Any:
        if isinstance(value, FromProperty):
            return lookup(situation.properties, value.property)
        if isinstance(value, FromTrait):
            return lookup(contact.values, value.trait)
        if isinstance(value, FromAnswer):
            return lookup(answers, value.answer)
        if isinstance(value, Now):
            return to_text(self._clock.now())
        if isinstance(value, Added):
            return added(contact.values.get(SNAKE_CASE.get(name, name)), value.add)
        return value


def added(known: object, more: float) -> float:
    """A number more than there is, as it would be worked out on paper: 0.1 and 0.2 make 0.3. No number counts as 0."""
    base = known if is_number(known) else 0
    total = Decimal(str(base)) + Decimal(str(more))
    return int(total) if total == total.to_integral_value() and not isinstance(more, float) else float(total)
