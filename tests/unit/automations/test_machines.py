"""What holds for the machine of every automation, found by generating many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statelint.linter import Linter
from tests.unit.automations.strategies import definitions, many_definitions
from tests.unit.automations.walking import components_of, walk

from tidings.automations.components import COMPONENT_TYPES, Awaits, End, Wait
from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.machines.compile import (
    DUE,
    ENDED,
    LEFT,
    RESUMED,
    ROUTE,
    TIMED_OUT,
    Asl,
    StepFunctions,
    resumed,
)
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.machines.graph import Moment, follow, links, state_of, targets
from tidings.automations.machines.lasting import RUN_AT_MOST, renews

ARNS = StepFunctions(
    send_email="arn:aws:lambda:eu-west-1:111122223333:function:send-email",
    branch="arn:aws:lambda:eu-west-1:111122223333:function:branch",
    check_suppression="arn:aws:lambda:eu-west-1:111122223333:function:check-suppression",
    wait_for="arn:aws:lambda:eu-west-1:111122223333:function:wait-for",
    send_sms="arn:aws:lambda:eu-west-1:111122223333:function:send-sms",
    call_webhook="arn:aws:lambda:eu-west-1:111122223333:function:call-webhook",
    act="arn:aws:lambda:eu-west-1:111122223333:function:act",
)
MOMENT = Moment(datetime(2026, 6, 15, 12, tzinfo=UTC), traits={"ZzEnds": "2026-07-01"})

many = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@many
@given(definitions())
def test_statelint_accepts_the_machine_from_wherever_it_begins(definition: Definition) -> None:
    asl = compile_machine(definition, 1, ARNS)
    assert Linter.validate(asl) == []
    for component in asl["States"].keys() & definition.components.keys():
        again = resumed(asl, component)
        if renews(definition):
            assert again == asl  # its input says where it begins
            continue
        assert Linter.validate(again) == []
        waits_on = isinstance(definition.components[component], Awaits)
        assert again["StartAt"] == (component + LEFT if waits_on else component)
        added = {component + LEFT, component + RESUMED} if waits_on else set()
        assert {name for name, state in again["States"].items() if state != asl["States"].get(name)} == added


@many
@given(definitions())
def test_nothing_a_user_wrote_stands_in_the_machine(definition: Definition) -> None:
    text = json.dumps(compile_machine(definition, 1, ARNS)).lower()
    assert "zz" not in text


@many
@given(definitions())
def test_the_same_definition_gives_the_same_machine(definition: Definition) -> None:
    again = parse_definition(json.dumps(dict(reversed(definition.as_dict().items()))))
    assert again == definition
    assert json.dumps(compile_machine(again, 1, ARNS)) == json.dumps(compile_machine(definition, 1, ARNS))


def test_many_automations_compile_to_the_same_bytes_in_another_process() -> None:
    """There the order of sets is another."""
    made = many_definitions(200)
    assert len(made) == 200
    assert {component.type for one in made for component in one.components.values()} == set(COMPONENT_TYPES)
    texts = [json.dumps(compile_machine(one, 1, ARNS)) for one in made]
    told = json.dumps([[one.as_dict() for one in made], asdict(ARNS)])
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", COMPILES],
            input=told,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == texts


COMPILES = """
import json, sys
from tidings.automations.machines.compile import StepFunctions, compile
from tidings.automations.definition.model import parse_definition
written, arns = json.load(sys.stdin)
print(json.dumps([json.dumps(compile(parse_definition(one), 1, StepFunctions(**arns))) for one in written]))
"""


@many
@given(definitions())
def test_every_way_out_of_every_component_enters_no_more_states_than_allowed(definition: Definition) -> None:
    """Covers all paths, since a path is made of such ways: a component, one of its outcomes, the next component."""
    asl = compile_machine(definition, 1, ARNS)
    for component_id, component in definition.components.items():
        if isinstance(component, End):
            assert component_id not in asl["States"]
            continue
        ways = targets(definition, component_id)
        for following in ways:
            if isinstance(component, Wait):
                assert ways_from(asl, component_id) <= {following, following + DUE, ""}
                continue
            route = [component_id + ROUTE] if is_routed(definition, component_id) else []
            # A Choice cannot end a machine: behind one, the end of the way is a state of its own.
            entered, arrived = states_on_the_way(asl, component_id, following)
            assert arrived == following
            assert entered == [component_id, *route, *([ENDED] if route and not following else [])]


def is_routed(definition: Definition, component_id: str) -> bool:
    """Whether outcomes lead apart: to several components, to the end, or to where an execution is continued."""
    component, ways = definition.components[component_id], targets(definition, component_id)
    is_long = isinstance(component, Awaits) and component.length > RUN_AT_MOST
    return len(ways) > 1 or (renews(definition) and (ways != [""] or is_long))


def ways_from(asl: Asl, state: str) -> set[str]:
    return {asl["States"][state].get("Next", "")}


def states_on_the_way(asl: Asl, component_id: str, following: str) -> tuple[list[str], str]:
    """The states entered from the component on, up to the next component's; and that component's, or "" at the end."""
    entered, state = [component_id], asl["States"][component_id]
    while not state.get("End") and state["Type"] != "Succeed":
        if state["Type"] == "Choice":
            following_state = next(choice["Next"] for choice in state["Choices"] if choice["StringEquals"] == following)
        else:
            following_state = state["Next"]
        if not following_state.endswith(ROUTE) and following_state != ENDED:
            return entered, following_state
        entered.append(following_state)
        state = asl["States"][following_state]
    return entered, ""


@many
@given(definitions(), st.data())
def test_the_machine_walks_where_the_definition_leads(definition: Definition, data: st.DataObject) -> None:
    turns: list[str] = []

    def choose(outcomes: list[str]) -> str:
        turns.append(data.draw(st.sampled_from(outcomes)))
        return turns[-1]

    walked = walk(definition, compile_machine(definition, 1, ARNS), MOMENT, choose, most=60)
    passed = components_of(definition, walked.states)
    if len(walked.runs) == 1:  # who goes on in a new execution enters a wait anew
        by_definition = expected(definition, turns)
        assert passed == by_definition[: len(passed)]
        if walked.ended and len(by_definition) > len(passed):
            missed = definition.components[by_definition[len(passed)]]
            assert isinstance(missed, Wait)
            assert missed.may_leave
    acting = sum(definition.components[component].acts for component in passed)
    waits = len(passed) - acting
    timed_out = sum(state.endswith(TIMED_OUT) for state in walked.states)
    due = sum(state.endswith(DUE) for state in walked.states)
    again = 6 * len(walked.runs)  # Begin, Rest, Renew, and what goes on waiting: -left, -resumed, -route
    assert len(walked.states) <= 2 * acting + waits + timed_out + due + again + 1
    assert walked.ended or len(walked.states) == 60


def expected(definition: Definition, turns: list[str]) -> list[str]:
    """The components on the way that these outcomes make, by the definition alone; it may end before a wait."""
    here, left = state_of(definition, definition.start), list(turns)
    passed: list[str] = []
    while here and len(passed) < 60:
        passed.append(here)
        is_timed = isinstance(definition.components[here], Wait)
        if not is_timed and not left:
            break
        here = state_of(definition, links(definition.components[here])["waited" if is_timed else left.pop(0)])
    return passed


@many
@given(definitions())
def test_what_follows_names_the_end_of_every_wait_before_the_next_task(definition: Definition) -> None:
    for component_id in definition.components:
        following = follow(definition, component_id, MOMENT)
        assert following.next == ("" if following.missed == component_id else state_of(definition, component_id))
        here, earlier = component_id, MOMENT.now
        for wait, end in following.until.items():
            assert wait == here
            assert end >= earlier
            here, earlier = links(definition.components[wait]).get("waited", ""), end
        assert not isinstance(definition.components.get(here), Wait | Awaits) or here == following.missed
