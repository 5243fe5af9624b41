"""What one person costs in the reference automation: states entered, and invocations of functions by machines.

At most six states, and eight where an execution may have to rest; one invocation for each component that acts, and one
more for a wait whose time runs out.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from benchmarks.reference import ASKING, REFERENCE, RESTING, passed, ready
from tests.support.machine import Execution
from tests.support.world import World

MOST_STATES = 6


def way(world: World, definition: dict[str, Any], comes: bool) -> tuple[Execution, Counter[str]]:
    ready(world, definition, "ada")
    return passed(world, definition, comes)


def test_who_answers_enters_at_most_six_states_with_one_invocation_for_each_component_that_acts(world: World) -> None:
    execution, invoked = way(world, REFERENCE, comes=True)
    assert execution.states == ["thanks", "answer", "answer-route", "more", "week"]
    assert len(execution.states) <= MOST_STATES
    assert invoked == {"send_email": 2, "wait_for": 1}
    assert len(world.ses.accepted) == 2


def test_who_never_answers_costs_one_state_and_one_invocation_more(world: World) -> None:
    """The time that ran out is settled by a Task of its own, which looks once more whether the event came."""
    execution, invoked = way(world, REFERENCE, comes=False)
    assert execution.states == ["thanks", "answer", "answer-timeout", "answer-route", "sorry", "week"]
    assert len(execution.states) <= MOST_STATES
    assert invoked == {"send_email": 2, "wait_for": 2}


@pytest.mark.parametrize(("comes", "states"), [(True, 6), (False, 7)])
def test_a_branch_of_its_own_costs_a_state_and_its_choice(world: World, comes: bool, states: int) -> None:
    execution, invoked = way(world, ASKING, comes)
    assert [state for state in execution.states if state.startswith("stars")] == ["stars", "stars-route"]
    assert len(execution.states) == states
    assert invoked == {"send_email": 2, "wait_for": 1 if comes else 2, "branch": 1}


def test_where_an_execution_may_have_to_rest_it_enters_at_most_eight(world: World) -> None:
    """With a loop, or a wait until a date that nobody knows, each Task that leads on has a Choice, and Begin is one."""
    execution, invoked = way(world, RESTING, comes=True)
    assert execution.states == [
        *("Begin", "thanks", "thanks-route", "answer", "answer-route", "more", "more-route", "week"),
    ]
    assert invoked == {"send_email": 2, "wait_for": 1}
