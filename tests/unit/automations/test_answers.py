"""What servers answered, as the steps of an enrolment keep it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tidings.automations.enrolments.model import StepTaken
from tidings.automations.steps.answers import answers_of

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def step(n: int, component: str, why: dict[str, Any]) -> StepTaken:
    return StepTaken(n, component, "answered", "", {}, AT, why)


def test_of_several_visits_the_last_one_s_answer_counts() -> None:
    old, new = {"status": 200, "body": {"plan": "free"}}, {"status": 200, "body": {"plan": "team"}}
    steps = [step(3, "ask", {"answer": new}), step(1, "ask", {"answer": old}), step(2, "tell", {"answer": old})]
    assert answers_of(steps) == {"ask": new, "tell": old}


def test_a_branch_with_an_arm_that_is_called_answer_answered_nothing() -> None:
    table = {"result": True, "expected": "x", "found": 1, "sentence": "X."}
    assert answers_of([step(1, "who", {"answer": table}), step(2, "sent", {})]) == {}


def test_before_any_step_nothing_was_answered() -> None:
    assert answers_of([]) == {}
