"""Every component and every way it can end, told twice: to moto's interpreter of ASL, and to our small one.

Both run the machines that our compiler makes, and call our functions. The same messages go out under the same ids, the
same components have the same outcomes, the same states are entered and the same Tasks called as often; nobody ends
otherwise. What is expected stands with each story as well, so that two who are wrong alike are found out.

The stories about components are in `tests/support/plans.py` and `plans_waiting.py`; here are those about leaving,
failing and going on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest
from moto import mock_aws
from tests.support.interpreters import go, motos, ours
from tests.support.plans import (
    DAY,
    HOOK,
    HOUR,
    STORIES,
    Components,
    Path,
    act,
    answer,
    at_call,
    begun,
    broken,
    known,
    mail,
    story,
    vanished,
)
from tests.support.plans_waiting import ANSWER
from tests.support.recorder import Recorder
from tests.support.sample import DAYS, SAMPLE, WAYS
from tests.support.servers import answered, server
from tests.support.world import REGION, World
from tests.unit.automations.test_machines import ARNS

from tidings.automations.components import COMPONENT_TYPES, Wait
from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.machines import lasting
from tidings.automations.machines.compile import compile as compile_machine

# --- leaving, parking, failing, going on ------------------------------------------------------------------------------

LEAVES = {"exits": [{"name": "Gone", "event": "Gone"}]}
PAUSE: Components = {
    "here": mail(next="pause"),
    "pause": {"type": "wait", "for": "1 day", "next": "there"},
    "there": mail(),
}


@story("here=accepted", sent=1, state="exited")
def somebody_leaves_while_they_wait(world: World) -> None:
    begun(world, PAUSE, **LEAVES)
    go(world, HOUR)
    world.track("ada", "Gone")
    go(world, 2 * DAY)


@story("here=accepted", sent=1, state="exited")
def somebody_leaves_while_they_wait_for_an_event(world: World) -> None:
    begun(world, ANSWER, **LEAVES)
    go(world, HOUR)
    world.track("ada", "Gone")
    go(world, 3 * DAY)


@story("here=accepted", sent=1, state="exited")
def a_task_finds_that_somebody_has_left(world: World) -> None:
    """Nobody reacted to the event before: the Task is told that the enrolment is over, and is not repeated."""
    begun(world, PAUSE, **LEAVES)
    go(world, HOUR)
    assert world.ingest("track", {"userId": "ada", "event": "Gone", "messageId": world.fresh()})[0] == 200
    world.now += DAY
    execution = list(world.executions.values())[-1]
    execution.step(world.task, world.now)
    execution.step(world.task, world.now)
    go(world)


@story("here=accepted there=accepted", sent=2)
def everybody_is_parked_and_goes_on(world: World) -> None:
    begun(world, PAUSE)
    go(world, HOUR)
    act(world, "pause", {"what": "all"})
    go(world, 2 * DAY)
    act(world, "resume")
    go(world, DAY)


@story("here=accepted wait=Yes there=accepted", sent=2)
def somebody_who_is_parked_is_answered(world: World) -> None:
    begun(world, ANSWER)
    act(world, "pause", {"what": "all"})
    go(world, HOUR)
    act(world, "resume")
    go(world, HOUR)
    world.track("ada", "Answered", meaning="yes")
    go(world, DAY)


@story("here=accepted there=accepted", sent=2)
def a_task_fails_a_few_times(world: World) -> None:
    begun(world, PAUSE)
    broken(world, "send_email", 5)
    go(world, 3 * DAY)


@story("here=accepted", sent=1, state="failed")
def a_task_fails_for_good(world: World) -> None:
    begun(world, PAUSE)
    go(world, HOUR)
    broken(world, "send_email", 9)
    go(world, 3 * DAY)


@story("here=accepted there=accepted", sent=2)
def whoever_failed_is_resumed(world: World) -> None:
    a_task_fails_for_good(world)
    act(world, "resume", {"lost": True})
    go(world, DAY)


@story("here=accepted there=accepted", sent=2)
def whoever_was_lost_is_resumed(world: World) -> None:
    begun(world, PAUSE)
    go(world, HOUR)
    vanished(world)
    act(world, "resume", {"lost": True})
    go(world, 2 * DAY)


def monthly(until: str = "stays") -> Components:
    gone = {"name": "gone", "when": {"did": "Account Closed", "since": "enrolment"}}
    return {
        "here": mail(next="month"),
        "month": {"type": "wait", "for": "30 days", "next": until},
        "stays": {"type": "branch", "arms": [gone], "otherwise": "here"},
    }


@story(" ".join(["here=accepted stays=otherwise"] * 12) + " here=accepted stays=gone", sent=13)
def a_year_of_months_goes_on_in_a_new_execution(world: World) -> None:
    begun(world, monthly())
    go(world, 12 * 30 * DAY)
    world.track("ada", "Account Closed")
    go(world, 30 * DAY)
    assert len(world.executions) == 2


def long(days: int, came: bool) -> Callable[[World], None]:
    components: Components = {**ANSWER, "wait": {**ANSWER["wait"], "timeout": "700 days"}}

    def happens(world: World) -> None:
        begun(world, components)
        go(world, days * DAY)
        if came:
            world.track("ada", "Answered", meaning="yes")
        go(world, DAY)
        assert len(world.executions) == 3

    return happens


for name, happens, path in (
    ("an_answer_comes_after_two_years", long(650, True), "here=accepted wait=Yes there=accepted"),
    ("no_answer_comes_in_two_years", long(701, False), "here=accepted wait=timeout reminder=accepted"),
):
    happens.__name__ = name
    story(path, sent=2)(happens)


@story("here=accepted wait=Yes there=accepted", sent=2)
def an_answer_comes_while_the_execution_is_continued(world: World) -> None:
    """The old execution has given its token up, and the new one has none yet."""
    begun(world, {**ANSWER, "wait": {**ANSWER["wait"], "timeout": "700 days"}})
    go(world)
    at_call(world, "act", lambda: world.ingest("track", answer(world)))
    go(world, 301 * DAY)
    assert len(world.executions) == 2


@story("here=accepted stays=otherwise here=accepted stays=otherwise here=accepted", sent=3)
def whoever_took_many_steps_rests(world: World) -> None:
    begun(world, monthly())
    most, lasting.MOST_STEPS = lasting.MOST_STEPS, 2
    try:
        go(world, 61 * DAY)
    finally:
        lasting.MOST_STEPS = most
    assert len(world.executions) > 1


STORIES["whoever_took_many_steps_rests"].state = "live"


# --- every kind of state ----------------------------------------------------------------------------------------------


def comes(world: World, user: str) -> None:
    """Somebody enters the sample, and waits to be told to go."""
    world.identify(user, email=f"{user}@people.example")
    world.track(user, "Began", day=(world.now + DAYS[user] * DAY).date().isoformat())
    go(world)


@story("first=accepted hold=Go answer=Yes there=accepted", sent=5)
def every_kind_of_state_is_entered(world: World) -> None:
    world.automation(SAMPLE)
    for user in WAYS:
        comes(world, user)
        if user == "ada":
            act(world, "pause", {"what": "all"})
        world.track(user, "Go")
        go(world)
        if user == "ada":
            act(world, "resume")
            go(world)
        if user != "cleo":
            world.track(user, "Answered")
        go(world, 360 * DAY)
    ways = list(world.executions.values())
    assert [one.states for one in ways] == [states for _, executions in WAYS.values() for states in executions]
    for user, (path, _) in WAYS.items():
        (way,) = world.of_contact(world.contact(user_id=user)["contact"], "enrolments")
        assert steps(way) == path


def test_the_sample_is_of_every_kind_of_state() -> None:
    asl = compile_machine(parse_definition(SAMPLE), 1, ARNS)
    entered = {state for _, executions in WAYS.values() for states in executions for state in states}
    assert entered >= {*asl["States"]} - {"hold-timeout", "hold-left", "hold-resumed"}
    assert {asl["States"][state]["Type"] for state in entered} == {"Task", "Choice", "Wait", "Succeed"}
    for ending in ("-route", "-timeout", "-left", "-resumed", "-due"):
        assert any(state.endswith(ending) for state in entered)


# --- how it is told ---------------------------------------------------------------------------------------------------


def facts(world: World) -> dict[str, Any]:
    """What two who were told the same story must agree on."""
    ada = world.contact(user_id="ada")["contact"]
    ways = sorted(world.of_contact(ada, "enrolments"), key=lambda one: (one["started_at"], one["automation"]))
    executions = [(one.name, one.states, one.called, one.failed, one.is_over) for one in world.executions.values()]  # type: ignore[attr-defined]
    return {
        "messages": (world.ses.messages(), world.sms.messages()),
        "ways": [(way["automation"], way["state"], way["left"] and way["left"]["exit"], steps(way)) for way in ways],
        "executions": executions,
    }


def steps(way: dict[str, Any]) -> Path:
    return [(step["component"], step["outcome"]) for step in way["path"]]


def told(name: str, interpreter: Callable[[World], Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A story in a world of its own, run by an interpreter."""
    recorder = Recorder()
    with mock_aws(), recorder.listening():
        world = World(recorder, monkeypatch)
        known(world)
        with interpreter(world):
            STORIES[name].happens(world)
            found = facts(world)
            found["plan"] = next((way for way in found["ways"] if way[0] == "plan"), ("plan", "", None, []))
            return found


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_the_same_in_both_interpreters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(variable, REGION)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "testing")
    with server(answered(204)) as hook:
        HOOK[:] = [hook]
        small, whole = (told(name, interpreter, monkeypatch) for interpreter in (ours, motos))
    expected = STORIES[name]
    assert small["plan"][1:4:2] == (expected.state, expected.path)
    assert len(small["messages"][0]) + len(small["messages"][1]) == expected.sent
    assert whole == small


class Seen(Exception):
    """What a story is about is known."""


def definition(name: str) -> Definition:
    """The automation that a story is about."""
    world, found = MagicMock(), []
    world.call.return_value = (200, {})
    HOOK[:] = [MagicMock(url="https://hooks.example.com")]

    def automation(told: dict[str, Any]) -> None:
        if told["automation"] == "plan":
            found.append(told)
            raise Seen

    world.automation = automation
    with pytest.raises(Seen):
        STORIES[name].happens(world)
    return parse_definition(found[0])


def test_every_way_in_which_a_component_can_end_has_a_story() -> None:
    told, possible = set(), set()
    for name, one in STORIES.items():
        components = definition(name).components
        told |= {(components[component].type, outcome) for component, outcome in one.path}
        possible |= {
            (component.type, link.outcome)
            for component in components.values()
            for link in component.links()
            if not isinstance(component, Wait)
        }
    assert told >= possible
    sends = {(kind, outcome) for kind in ("send_email", "send_sms") for outcome in ("refused", "skipped", "unknown")}
    assert told >= sends
    kinds = {component.type for name in STORIES for component in definition(name).components.values()}
    assert kinds == set(COMPONENT_TYPES)
