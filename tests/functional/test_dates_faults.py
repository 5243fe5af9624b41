"""Whoever writes dates down, and whoever tells of them, is killed at each AWS call and repeated: none lost, none twice.

Three faults for every call, as in `test_faults`; how many calls there are is counted first, in a world of its own.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_dates import agenda_of, at, automation, person, publish, told
from tests.support.faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.world import AGENDA, World

DAY = timedelta(days=1)
# How many calls each function makes in the story below, and at how many of them it is struck: most of what
# run_jobs does is the same again and again.
CALLS = {"react": 13, "run_jobs": 25, "agenda": 9}
STRUCK = {"react": 13, "run_jobs": 8, "agenda": 9}


def play(world: World, function: str, number: int, mode: str) -> Fault:
    """Bo is known when the birthdays are published, Ada comes later; both are told. Everybody is repeated."""
    fault, repeating = Fault(world, function, number, mode), Repeating(world)
    world.template("birthday")
    person(world, "bo", birthday="1985-12-01")
    world.recorder.before, world.recorder.after = fault.before, fault.after
    world.automation(automation())
    jobs(world, repeating)
    body = {"userId": "ada", "traits": {"birthday": "1990-12-01", "email": "ada@people.example"}, "messageId": "m-ada"}
    assert world.ingest("identify", body)[0] == 200
    repeating.react()
    world.task = repeating.task  # type: ignore[method-assign]
    world.pump = repeating.react  # type: ignore[method-assign]
    world.run(30 * DAY)
    world.recorder.before = world.recorder.after = None
    return fault


def jobs(world: World, repeating: Repeating) -> None:
    """Let run_jobs work off its queue, as SQS does: what fails comes again."""
    for _ in range(40):
        for body in world.messages_in("jobs"):
            record = {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]}
            for _ in range(5):
                answer = repeating.tried(lambda told=record: world.invoke("run_jobs", told), "run_jobs")
                if answer == {"batchItemFailures": []}:
                    break
        world.now += timedelta(seconds=world.delayed)
        world.delayed = 0


@pytest.mark.parametrize(
    ("function", "number", "mode"),
    [(name, number, mode) for name, most in STRUCK.items() for number in range(most) for mode in MODES],
)
def test_a_fault_at_any_call_loses_nobody_and_tells_nobody_twice(
    world: World, function: str, number: int, mode: str
) -> None:
    fault = play(world, function, number, mode)
    assert fault.struck, "there are fewer calls than this test says"
    assert len(told(world, "ada")) == len(told(world, "bo")) == 1
    assert sorted(mail["Destination"]["ToAddresses"][0] for mail in world.ses.accepted) == [
        "ada@people.example",
        "bo@people.example",
    ]
    assert len(agenda_of(world)) == 4, "next year's, of both"


def test_all_calls_are_struck(world: World) -> None:
    """Who makes more calls than are listed above needs more faults."""
    made: dict[str, int] = dict.fromkeys(CALLS, 0)

    def count(call: Call) -> None:
        if world.running in made:
            made[world.running] += 1

    world.template("birthday")
    person(world, "bo", birthday="1985-12-01")
    world.recorder.after = count
    world.automation(automation())
    jobs(world, Repeating(world))
    person(world, "ada", birthday="1990-12-01")
    world.run(30 * DAY)
    assert made == CALLS


@pytest.mark.parametrize("refusals", [1, 3])
def test_where_step_functions_has_no_room_the_queue_starts_the_wait(world: World, refusals: int) -> None:
    world.template("birthday")
    publish(world)
    world.start_failures = ["ThrottlingException"] * refusals
    person(world, birthday="1990-12-01")
    assert [arn for arn in world.executions if ":agenda:" in arn] == []
    (body,) = world.messages_in("starts")
    answers = []
    for _ in range(refusals):
        answers.append(start(world, body))
    assert answers[-1] == {"batchItemFailures": []}
    world.run(30 * DAY)
    assert told(world) == [at("2026-12-01 09:00")]


def start(world: World, body: dict[str, Any]) -> Any:
    """Give a message to start_enrolments."""
    record = {"messageId": "q-1", "body": json.dumps(body)}
    return world.invoke("start_enrolments", {"Records": [record]})


def test_a_wait_that_was_lost_is_begun_again_by_the_next_who_has_a_date_then(world: World) -> None:
    world.template("birthday")
    publish(world)
    person(world, birthday="1990-12-01")
    (lost,) = [arn for arn in world.executions if ":agenda:" in arn]
    world.executions[lost].state = ""  # somebody stopped it
    world.cold("react")
    person(world, "bo", birthday="1985-12-01")
    world.run(30 * DAY)
    assert told(world) == told(world, "bo") == [at("2026-12-01 09:00")]


def test_a_date_that_is_years_ahead_is_waited_for_by_one_execution_after_another(world: World) -> None:
    """Each lasts 300 days at most, since Step Functions ends them after a year."""
    world.template("birthday")
    publish(world, date={"trait": "renews_on", "at": "09:00"})
    person(world, renews_on="2029-06-01")
    world.run(1000 * DAY)
    stops = [one.waits or one.data["at"]["until"] for arn, one in world.executions.items() if ":agenda:" in arn]
    assert len(stops) == 4
    assert told(world) == [at("2029-06-01 09:00")]
    world.cold("agenda")


def test_a_machine_that_wakes_too_early_tells_nobody_and_rests(world: World) -> None:
    """On a local system waits are shorter than they should be."""
    world.template("birthday")
    publish(world)
    person(world, birthday="1990-12-01")
    (execution,) = [one for arn, one in world.executions.items() if ":agenda:" in arn]
    left = at("2026-12-01 09:00") - world.now
    for state, pause in [("rest", 15 * 60)] * 3 + [("doze", 15)] * 2:
        if state == "doze":
            world.now += left - timedelta(minutes=5)
            left = timedelta(minutes=5)
        execution.step(world.task, world.now)  # the wait is over, though it is not
        execution.step(world.task, world.now)
        execution.step(world.task, world.now)
        assert execution.state == state
        execution.step(world.task, world.now)
        assert execution.wait() == world.now + timedelta(seconds=pause)
        execution.step(world.task, world.now)
        assert execution.state == "wait"
    assert told(world) == []
    world.run(30 * DAY)
    assert told(world) == [at("2026-12-01 09:00")]


def test_an_entry_that_breaks_keeps_nobody_behind_it_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.template("birthday")
    publish(world)
    for user in ("ada", "bo", "cy"):
        person(world, user, birthday="1990-12-01")
    broken = world.contact(user_id="bo")["contact"]
    module = world.function("agenda").agenda
    look = module._look

    def breaks(workspace: Any, entry: Any, *rest: Any) -> None:
        if entry.contact == broken:
            raise RuntimeError
        look(workspace, entry, *rest)

    monkeypatch.setattr(module, "_look", breaks)
    world.run(30 * DAY)
    assert [len(told(world, user)) for user in ("ada", "bo", "cy")] == [1, 0, 1]
    assert len(agenda_of(world, broken)) == 2, "it can be found what went wrong"
    assert AGENDA


def test_those_whose_wait_was_lost_are_told_late_once_what_was_lost_is_resumed(world: World) -> None:
    """As after a stop of the local system, whose engine fails what ran."""
    world.template("birthday")
    publish(world)
    person(world, "told", birthday="1990-11-25")
    person(world, "lost", birthday="1990-12-01")
    person(world, "ahead", birthday="1990-12-20")
    world.run(6 * DAY)
    for arn, execution in world.executions.items():
        if ":agenda:" in arn:
            execution.state = ""
    world.run(6 * DAY)
    assert told(world, "lost") == []
    for name in ("react", "run_jobs", "agenda"):
        world.cold(name)
    person(world, "late", birthday="1990-12-02")
    resume = "POST /v1/automations/{name}/resume"
    status, answer = world.call("automations", resume, {"lost": True}, path={"name": "birthday"})
    assert status == 200, answer
    world.work_jobs()
    world.run(20 * DAY)
    assert [len(told(world, user)) for user in ("told", "lost", "ahead", "late")] == [1, 1, 1, 0]
    assert told(world, "ahead") == [at("2026-12-20 09:00")]
    world.run(365 * DAY)
    assert [len(told(world, user)) for user in ("told", "lost", "ahead", "late")] == [2, 2, 2, 1]
