"""What servers answered to the components of an enrolment, as its steps keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tidings.automations.enrolments.model import StepTaken

# The name under which a step keeps what was answered; a branch keeps its arms' tables by names that may be this one.
ANSWER = "answer"
STATUS = "status"


def answers_of(steps: Iterable[StepTaken]) -> dict[str, Mapping[str, Any]]:
    """What was answered by component: `status`, `body` and `reason`. Of several visits the last one's counts."""
    answers: dict[str, Mapping[str, Any]] = {}
    for step in sorted(steps, key=lambda one: one.n):
        answer = step.why.get(ANSWER)
        if isinstance(answer, Mapping) and STATUS in answer:
            answers[step.component] = answer
    return answers
