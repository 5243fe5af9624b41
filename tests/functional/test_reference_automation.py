"""What one person costs in the reference automation: two mails, a wait for an event that leads apart, a timed wait.

Counted in the machine that runs it: states entered, and invocations of functions by machines.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.support.machine import Execution
from tests.support.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_STATES = 6
REFERENCE: dict[str, Any] = {
    "automation": "reference",
    "trigger": {"event": "Order Placed"},
    "start": "thanks",
    "components": {
        "thanks": {"type": "send_email", "template": "thanks", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "Rated", "event": "Order Rated", "next": "more"}],
            "timeout": "3 days",
            "on_timeout": "sorry",
        },
        "more": {"type": "send_email", "template": "more", "next": "week"},
        "sorry": {"type": "send_email", "template": "sorry", "next": "week"},
        "week": {"type": "wait", "for": "4 days"},
    },
}
RATED = {"name": "rated", "when": {"did": "Order Rated", "since": "enrolment"}, "next": "more"}
ASKS: dict[str, Any] = {
    **REFERENCE["components"],
    "answer": {**REFERENCE["components"]["answer"], "on_timeout": "stars", "arms": [
        {"name": "Rated", "event": "Order Rated", "next": "stars"}
    ]},
    "stars": {"type": "branch", "arms": [RATED], "otherwise": "sorry"},
}  # fmt: skip


@pytest.fixture
def ada(world: World) -> World:
    for template in ("thanks", "more", "sorry"):
        world.template(template)
    world.identify("ada", email="ada@people.example")
    return world


def passed(world: World, definition: dict[str, Any], rates: bool) -> tuple[Execution, Counter[str]]:
    """Ada's way through it, and how often machines called each function."""
    called: Counter[str] = Counter()
    task = world.task

    def counted(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        called[arn.rpartition(":")[2]] += 1
        return task(arn, payload)

    world.task = counted  # type: ignore[method-assign]
    world.automation(definition)
    world.track("ada", "Order Placed")
    world.run(DAY)
    if rates:
        world.track("ada", "Order Rated")
    world.run(8 * DAY)
    (execution,) = world.executions.values()
    assert execution.is_over
    return execution, called


def test_who_answers_enters_at_most_six_states_with_one_invocation_for_each_component_that_acts(ada: World) -> None:
    execution, called = passed(ada, REFERENCE, rates=True)
    assert execution.states == ["thanks", "answer", "answer-route", "more", "week"]
    assert len(execution.states) <= MOST_STATES
    assert called == {"send_email": 2, "wait_for": 1}
    assert len(ada.ses.accepted) == 2


def test_who_never_answers_costs_one_state_and_one_invocation_more(ada: World) -> None:
    """The time that ran out is settled by a Task of its own, which looks once more whether the event came."""
    execution, called = passed(ada, REFERENCE, rates=False)
    assert execution.states == ["thanks", "answer", "answer-timeout", "answer-route", "sorry", "week"]
    assert len(execution.states) <= MOST_STATES
    assert called == {"send_email": 2, "wait_for": 2}


@pytest.mark.parametrize(("rates", "states"), [(True, 6), (False, 7)])
def test_a_branch_of_its_own_costs_a_state_and_its_choice(ada: World, rates: bool, states: int) -> None:
    execution, called = passed(ada, {**REFERENCE, "components": ASKS}, rates)
    assert [state for state in execution.states if state.startswith("stars")] == ["stars", "stars-route"]
    assert len(execution.states) == states
    assert called == {"send_email": 2, "wait_for": 1 if rates else 2, "branch": 1}


def test_where_an_execution_may_have_to_rest_it_enters_at_most_eight(ada: World) -> None:
    """With a loop, or a wait until a date that nobody knows, each Task that leads on has a Choice, and Begin is one."""
    components = {**REFERENCE["components"], "week": {"type": "wait", "until": {"trait": "renews"}}}
    execution, called = passed(ada, {**REFERENCE, "components": components}, rates=True)
    assert execution.states == [
        *("Begin", "thanks", "thanks-route", "answer", "answer-route", "more", "more-route", "week"),
    ]
    assert called == {"send_email": 2, "wait_for": 1}
