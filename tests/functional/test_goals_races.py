"""A goal's event that is reacted to before the enrolment it belongs to is written: it converts all the same, once.

The two came by two identities of a person, hence by two shards of the stream, which are read independently.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.functional.test_goals import converted, enrolments, told
from tests.functional.test_waits import at_call
from tests.support.faults import MODES
from tests.support.recorder import Call, Killed
from tests.support.world import World

from tidings.automations.enrolments.model import EnrolmentOver
from tidings.core.clock import from_text

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
GOAL = {"event": "Subscribed", "where": {"property": "plan", "is": "team"}, "within": "10 days"}
MAIL = {"type": "send_email", "template": "tips"}
PAUSE = {"type": "wait", "for": "2 days", "next": "tips"}
EXIT = {"name": "Subscribed", "event": "Subscribed"}


def trial(world: World, *, first: dict[str, Any] | None = None, **more: Any) -> None:
    """An automation whose first step is its last, with a person who has a device; `first` may come before."""
    world.template("tips")
    components = {"tips": MAIL} if first is None else {"first": first, "tips": MAIL}
    definition = {"automation": "trial", "trigger": {"event": "Trial Started"}, "start": next(iter(components))}
    written = {**definition, "goal": GOAL, "components": components, **more}
    world.automation({name: value for name, value in written.items() if value is not None})
    both = {"userId": "ada", "anonymousId": "device", "traits": {"email": "ada@people.example"}}
    assert world.ingest("identify", {**both, "messageId": world.fresh()})[0] == 200
    world.pump()


def did(world: World, event: str, /, device: bool = False, **properties: Any) -> dict[str, Any]:
    """What Ada does, a second after the last; the stream record, to which nobody has reacted."""
    world.now += SECOND
    whose = {"anonymousId": "device"} if device else {"userId": "ada"}
    message = {**whose, "event": event, "properties": properties, "messageId": world.fresh()}
    assert world.ingest("track", message)[0] == 200
    (record,) = world.new_records()
    return record


def react(world: World, *records: dict[str, Any]) -> None:
    for record in records:
        assert world.invoke("react", {"Records": [record]}) == {"batchItemFailures": []}


def overtaken(world: World, **properties: Any) -> None:
    """Ada begins a trial on her device, subscribes as a user, and the second is reacted to first."""
    began, reached = did(world, "Trial Started", device=True), did(world, "Subscribed", plan="team", **properties)
    react(world, reached, began)


def run(world: World, until: timedelta = timedelta()) -> None:
    """Let the execution run, also into being told that all is over."""
    try:
        world.run(until)
    except EnrolmentOver:
        for execution in world.executions.values():
            execution.end()


# --- it converts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [None, PAUSE], ids=["its first step is its last", "it begins with a wait"])
def test_a_goal_that_was_reacted_to_before_the_enrolment_converts(world: World, first: Any) -> None:
    trial(world, first=first)
    overtaken(world)
    reached = world.now
    assert converted(world) == 0
    run(world, 5 * DAY)
    assert converted(world) == 1
    assert from_text(enrolments(world)[0]["converted_at"]) == reached
    assert len(world.ses.accepted) == 1


def test_a_goal_between_the_question_who_enters_and_the_enrolment_converts(world: World) -> None:
    trial(world)
    began, reached = did(world, "Trial Started", device=True), did(world, "Subscribed", plan="team")
    at_call(world, "react", "dynamodb:TransactWriteItems", lambda: react(world, reached))
    react(world, began)
    run(world)
    assert converted(world) == 1


def test_who_leaves_at_the_first_step_by_what_came_before_the_enrolment_converts(world: World) -> None:
    trial(world, exits=[EXIT])
    overtaken(world)
    run(world)
    (one,) = enrolments(world)
    assert (one["state"], world.ses.accepted) == ("exited", [])
    assert converted(world) == 1


def test_who_leaves_before_the_first_step_by_an_event_that_came_later_converts(world: World) -> None:
    trial(world, first=PAUSE, exits=[{"name": "Closed", "event": "Account Closed"}])
    overtaken(world)
    closed = did(world, "Account Closed")
    for _ in range(3):
        react(world, closed)
    assert enrolments(world)[0]["state"] == "exited"
    assert converted(world) == 1


@pytest.mark.parametrize(("team", "expected"), [("a", 1), ("b", 0)])
def test_a_goal_that_must_match_converts_by_what_is_the_same(world: World, team: str, expected: int) -> None:
    trial(world, goal={**GOAL, "match": "team"})
    began = did(world, "Trial Started", device=True, team="a")
    react(world, did(world, "Subscribed", plan="team", team=team), began)
    run(world)
    assert converted(world) == expected


@pytest.mark.parametrize(("team", "expected"), [("a", 1), ("b", 0)])
def test_so_it_does_for_who_leaves_before_the_first_step(world: World, team: str, expected: int) -> None:
    closed = {"name": "Closed", "event": "Account Closed"}
    trial(world, first=PAUSE, goal={**GOAL, "match": "team"}, exits=[closed])
    began = did(world, "Trial Started", device=True, team="a")
    react(world, did(world, "Subscribed", plan="team", team=team), began, did(world, "Account Closed"))
    assert converted(world) == expected


# --- in its window, by the right event --------------------------------------------------------------------------------


def test_what_is_no_goal_converts_nobody(world: World) -> None:
    trial(world)
    began = did(world, "Trial Started", device=True)
    react(world, did(world, "Subscribed", plan="free"), did(world, "Looked", plan="team"), began)
    run(world)
    assert converted(world) == 0


def test_neither_what_came_before_the_trigger_nor_the_trigger_converts(world: World) -> None:
    trial(world, trigger={"event": "Subscribed"})
    before, began = did(world, "Subscribed", plan="team"), did(world, "Subscribed", device=True, plan="team")
    react(world, began)
    run(world)
    assert converted(world) == 0
    react(world, before)
    run(world)
    assert told(world)["started"] == 2
    assert converted(world) == 1  # what was reacted to first is the goal of what came before it


def test_what_came_too_late_converts_nobody_though_the_first_step_finds_it(world: World) -> None:
    trial(world)
    began = did(world, "Trial Started", device=True)
    world.now += 10 * DAY
    react(world, did(world, "Subscribed", plan="team"), began)
    run(world)
    assert converted(world) == 0


# --- once -------------------------------------------------------------------------------------------------------------


def test_react_and_the_first_step_count_one_conversion(world: World) -> None:
    trial(world)
    began, reached = did(world, "Trial Started", device=True), did(world, "Subscribed", plan="team")
    react(world, reached, began)
    at_call(world, "send_email", "dynamodb:TransactWriteItems", lambda: react(world, reached))
    run(world)
    react(world, reached, began)
    run(world)
    assert converted(world) == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_first_step_that_dies_at_any_call_and_is_repeated_counts_once(world: World, mode: str) -> None:
    trial(world)
    overtaken(world)
    execution = next(iter(world.executions.values()))
    for number in range(20):
        made = [0]

        def strike(call: Call, at: int = number, made: list[int] = made) -> None:
            made[0] += 1
            if made[0] == at + 1:
                raise ReadTimeoutError(endpoint_url="https://aws") if mode == "lost" else Killed(call.name)

        setattr(world.recorder, "before" if mode == "before" else "after", strike)
        with suppress(Killed, Exception):
            execution.step(world.task, world.now)
        world.recorder.before = world.recorder.after = None
        world.now += timedelta(minutes=5)  # a mail of which nothing is heard is settled then
        if execution.is_over:
            break
    run(world)
    assert execution.is_over
    assert (converted(world), told(world)["started"]) == (1, 1)


# --- what it costs ----------------------------------------------------------------------------------------------------

COUNTS = {"name": "Subscribed", "when": {"did": "Subscribed", "at_least": 9, "since": "enrolment"}}
# Her own id, her user id and her device's: what she did is looked for under each of them.
IDENTITIES = 3


def queries(world: World, **more: Any) -> list[int]:
    """How often each of two steps asks for what happened, where nothing did."""
    arms = [{"name": "All", "percent": 100, "next": "tips"}]
    trial(world, **{"first": {"type": "split", "arms": arms}, "goal": None, **more})
    react(world, did(world, "Trial Started", device=True))
    (execution,) = world.executions.values()
    counted = []
    for _ in range(2):
        world.recorder.clear()
        execution.step(world.task, world.now)
        counted.append(world.recorder.names().count("dynamodb:Query"))
        # What stands around the step, and the version that a new process reads.
        assert world.recorder.names().count("dynamodb:BatchGetItem") == 2
    return counted


@pytest.mark.parametrize(
    ("exits", "goal", "expected"),
    [
        ([], None, [0, 0]),
        ([], GOAL, [IDENTITIES, 0]),
        ([EXIT], None, [IDENTITIES, IDENTITIES]),
        ([EXIT], GOAL, [IDENTITIES, IDENTITIES]),
        ([COUNTS], None, [IDENTITIES, IDENTITIES]),
        ([COUNTS], GOAL, [IDENTITIES, IDENTITIES]),
    ],
    ids=["nothing", "a goal", "an exit", "both", "a counting exit", "a goal and a counting exit"],
)
def test_a_goal_costs_queries_at_the_first_step_and_none_where_exits_ask_the_same(
    world: World, exits: list[Any], goal: Any, expected: list[int]
) -> None:
    assert queries(world, exits=exits, goal=goal) == expected


def test_who_converted_before_the_first_step_is_not_asked_again(world: World) -> None:
    trial(world)
    react(world, did(world, "Trial Started", device=True), did(world, "Subscribed", plan="team"))
    world.recorder.clear()
    run(world)
    assert "dynamodb:Query" not in world.recorder.names()
    assert converted(world) == 1
