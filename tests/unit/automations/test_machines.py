"""What holds for the machine of every automation, found by generating many."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statelint.linter import Linter
from tests.unit.automations.strategies import definitions
from tests.unit.automations.walking import walk

from tidings.automations.compile import ENDED, LEFT, RESUMED, ROUTE, StepFunctions, resumed
from tidings.automations.compile import compile as compile_machine
from tidings.automations.graph import Moment, follow, links, state_of
from tidings.automations.model import Definition, End, Wait, WaitFor, parse_definition

ARNS = StepFunctions(
    send_email="arn:aws:lambda:eu-west-1:111122223333:function:send-email",
    branch="arn:aws:lambda:eu-west-1:111122223333:function:branch",
    check_suppression="arn:aws:lambda:eu-west-1:111122223333:function:check-suppression",
    wait_for="arn:aws:lambda:eu-west-1:111122223333:function:wait-for",
    send_sms="arn:aws:lambda:eu-west-1:111122223333:function:send-sms",
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
    for component in asl["States"]:
        if component in definition.components:
            again = resumed(asl, component)
            assert Linter.validate(again) == []
            waits_on = isinstance(definition.components[component], WaitFor)
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


@many
@given(definitions())
def test_every_way_out_of_every_component_enters_no_more_states_than_allowed(definition: Definition) -> None:
    """Covers all paths, since a path is made of such ways: a component, one of its outcomes, the next component."""
    asl = compile_machine(definition, 1, ARNS)
    for component_id, component in definition.components.items():
        if isinstance(component, End):
            assert component_id not in asl["States"]
            continue
        for target in set(links(component).values()):
            following = state_of(definition, target)
            leads_apart = len({state_of(definition, way) for way in links(component).values()}) > 1
            entered, arrived = states_on_the_way(asl, component_id, following)
            assert arrived == following
            # A Choice cannot end a machine: behind one, the end of the way is a state of its own.
            route = [component_id + ROUTE] if leads_apart else []
            assert entered == [component_id, *route, *([ENDED] if leads_apart and not following else [])]
            assert not (route and isinstance(component, Wait))


def states_on_the_way(asl: dict, component_id: str, following: str) -> tuple[list[str], str]:  # type: ignore[type-arg]
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

    walked = walk(definition, compile_machine(definition, 1, ARNS), MOMENT, choose)
    assert walked.components == expected(definition, turns, len(walked.components))
    acting = sum(definition.components[component].acts for component in walked.components)
    waits = len(walked.components) - acting
    assert len(walked.states) <= 2 * acting + waits + (walked.states[-1] == ENDED)
    assert walked.ended or len(walked.states) == 60


def expected(definition: Definition, turns: list[str], most: int) -> list[str]:
    """The components on the way that these outcomes make, by the definition alone."""
    here, left = state_of(definition, definition.start), list(turns)
    passed: list[str] = []
    while here and len(passed) < most:
        passed.append(here)
        ways = links(definition.components[here])
        outcome = "waited" if isinstance(definition.components[here], Wait) else left.pop(0)
        here = state_of(definition, ways[outcome])
    return passed


@many
@given(definitions())
def test_what_follows_names_the_end_of_every_wait_before_the_next_task(definition: Definition) -> None:
    for component_id in definition.components:
        following = follow(definition, component_id, MOMENT)
        assert following.next == state_of(definition, component_id)
        here, earlier = component_id, MOMENT.now
        for wait, end in following.until.items():
            assert wait == here
            assert end >= earlier
            here, earlier = links(definition.components[wait]).get("waited", ""), end
        assert not isinstance(definition.components.get(here), Wait | WaitFor)
