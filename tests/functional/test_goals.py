"""Reaching an automation's goal: who converts, once, by which version's goal, and what is counted of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from tests.support.recorder import Call
from tests.support.world import World

from tidings.core.clock import to_text

TRIAL = {
    "automation": "trial",
    "trigger": {"event": "Trial Started"},
    "goal": {"event": "Subscribed", "where": {"property": "plan", "is": "team"}, "within": "10 days"},
    "start": "which",
    "components": {
        "which": {
            "type": "branch",
            "arms": [{"name": "Big", "when": {"trait": "plan", "is": "team"}, "next": "rest"}],
            "otherwise": "rest",
        },
        "rest": {"type": "wait", "for": "2 days", "next": "tips"},
        "tips": {"type": "send_email", "template": "tips"},
    },
}
DAY = timedelta(days=1)


@pytest.fixture
def ada(world: World) -> World:
    """A workspace with a trial, which Ada has just begun."""
    world.template("tips")
    world.automation(TRIAL)
    world.identify("ada", email="ada@people.example", plan="team")
    world.track("ada", "Trial Started")
    world.run()
    world.now += timedelta(seconds=1)
    return world


def told(world: World) -> dict[str, Any]:
    route = "GET /v1/automations/{name}/statistics"
    status, answer = world.call("statistics", route, path={"name": "trial"})
    assert status == 200, answer
    return answer


def converted(world: World) -> int:
    return int(told(world)["converted"])


def enrolments(world: World, user: str = "ada") -> list[dict[str, Any]]:
    return world.of_contact(world.contact(user_id=user)["contact"], "enrolments")


def test_who_reaches_the_goal_in_time_converts_and_is_counted_by_the_arms_taken(ada: World) -> None:
    ada.track("ada", "Subscribed", plan="team")
    answer = told(ada)
    assert (answer["started"], answer["converted"], answer["conversion_rate"]) == (1, 1, 1.0)
    assert enrolments(ada)[0]["converted_at"] is not None
    took = {(one["component"], one["arm"]): (one["took"], one["converted"]) for one in answer["arms"]}
    assert took == {("which", "Big"): (1, 1), ("which", "otherwise"): (0, 0)}


def test_an_event_that_is_not_the_goal_converts_nobody(ada: World) -> None:
    ada.track("ada", "Subscribed", plan="free")
    ada.track("ada", "Bought", plan="team")
    assert converted(ada) == 0


def test_who_comes_too_late_does_not_convert(ada: World) -> None:
    ada.now += DAY * 10
    ada.track("ada", "Subscribed", plan="team")
    assert converted(ada) == 0


def test_who_finished_converts_still(ada: World) -> None:
    ada.run(DAY * 5)
    assert enrolments(ada)[0]["state"] == "completed"
    ada.track("ada", "Subscribed", plan="team")
    assert converted(ada) == 1


def test_an_enrolment_converts_once_and_each_by_itself(ada: World) -> None:
    ada.track("ada", "Trial Started")
    for _ in range(3):
        ada.now += DAY
        ada.track("ada", "Subscribed", plan="team")
    assert converted(ada) == 2
    assert len({one["converted_at"] for one in enrolments(ada)}) == 1


def test_a_batch_with_the_trigger_and_the_goal_converts(ada: World) -> None:
    ada.identify("ben", email="ben@people.example")
    for event in ("Trial Started", "Subscribed"):
        message = {"userId": "ben", "event": event, "properties": {"plan": "team"}, "messageId": ada.fresh()}
        assert ada.ingest("track", message)[0] == 200
        ada.now += timedelta(seconds=1)
    ada.pump()
    assert converted(ada) == 1


def under_a_device(world: World, event: str, **properties: Any) -> None:
    """Somebody does something on a device that nobody knows yet."""
    message = {"anonymousId": "device", "event": event, "properties": properties, "messageId": world.fresh()}
    assert world.ingest("track", message)[0] == 200
    world.pump()


def signs_in(world: World) -> None:
    message = {"anonymousId": "device", "userId": "ada", "messageId": world.fresh()}
    assert world.ingest("identify", message)[0] == 200
    world.pump()


def test_what_somebody_did_under_another_contact_converts_with_the_merge(ada: World) -> None:
    under_a_device(ada, "Subscribed", plan="small")
    ada.now += DAY
    under_a_device(ada, "Subscribed", plan="team")
    reached = ada.now
    assert converted(ada) == 0
    ada.now += 20 * DAY
    signs_in(ada)
    assert converted(ada) == 1
    assert enrolments(ada)[0]["converted_at"] == to_text(reached)


def test_what_they_did_before_they_entered_or_too_late_converts_nobody_by_the_merge(world: World) -> None:
    world.template("tips")
    world.automation(TRIAL)
    world.identify("ada", email="ada@people.example", plan="team")
    under_a_device(world, "Subscribed", plan="team")
    world.now += DAY
    world.track("ada", "Trial Started")
    world.now += 11 * DAY
    under_a_device(world, "Subscribed", plan="team")
    signs_in(world)
    assert converted(world) == 0


def test_a_merge_costs_no_read_more_where_nobody_has_a_goal(world: World) -> None:
    counted = []
    for goal in ({}, {"goal": TRIAL["goal"]}):
        world.template("tips")
        world.automation({name: value for name, value in TRIAL.items() if name != "goal"} | goal)
        device = {"anonymousId": f"d{len(goal)}", "event": "Seen", "messageId": world.fresh()}
        assert world.ingest("track", device)[0] == 200
        world.identify(f"u{len(goal)}", plan="team")
        world.pump()
        both = {"anonymousId": f"d{len(goal)}", "userId": f"u{len(goal)}", "messageId": world.fresh()}
        assert world.ingest("identify", both)[0] == 200
        before = len(world.recorder.of("dynamodb:Query"))
        world.pump()
        counted.append(len(world.recorder.of("dynamodb:Query")) - before)
    assert counted[1] - counted[0] == 2  # one for each id that the contact goes by


def test_what_react_repeats_converts_nobody_twice(ada: World) -> None:
    message = {"userId": "ada", "event": "Subscribed", "properties": {"plan": "team"}, "messageId": ada.fresh()}
    assert ada.ingest("track", message)[0] == 200
    records = ada.new_records()
    for _ in range(3):
        assert ada.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert converted(ada) == 1


def test_a_lost_answer_to_the_write_counts_once(ada: World) -> None:
    message = {"userId": "ada", "event": "Subscribed", "properties": {"plan": "team"}, "messageId": ada.fresh()}
    assert ada.ingest("track", message)[0] == 200
    records = ada.new_records()
    lost: list[str] = []

    def after(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not lost:
            lost.append(call.name)
            raise TimeoutError("the answer was lost")

    ada.recorder.after = after
    ada.invoke("react", {"Records": records})
    ada.recorder.after = None
    assert lost
    assert ada.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert converted(ada) == 1


def test_each_converts_by_the_goal_of_its_own_version(ada: World) -> None:
    ada.automation({**TRIAL, "goal": {"event": "Invited"}})
    ada.track("ada", "Trial Started")
    ada.now += timedelta(seconds=1)
    ada.track("ada", "Invited")
    assert [(one["version"], one["converted"]) for one in told(ada)["versions"]] == [(2, 1), (1, 0)]
    ada.track("ada", "Subscribed", plan="team")
    assert [(one["version"], one["converted"]) for one in told(ada)["versions"]] == [(2, 1), (1, 1)]


def test_an_event_that_is_nobody_s_goal_costs_no_read_more(ada: World) -> None:
    ada.track("ada", "Looked")
    ada.recorder.clear()
    ada.track("ada", "Looked")
    assert "dynamodb:Query" not in ada.recorder.names()


# --- components that are goals ----------------------------------------------------------------------------------------

PLACE: dict[str, Any] = {
    "automation": "trial",
    "trigger": {"event": "Trial Started"},
    "start": "which",
    "components": {
        "which": {
            "type": "split",
            "arms": [{"name": name, "percent": 50, "next": "there"} for name in ("One", "Other")],
        },
        "there": {"type": "goal", "next": "rest"},
        "rest": {"type": "wait", "for": "1 day", "next": "again"},
        "again": {"type": "goal", "next": "tips"},
        "tips": {"type": "send_email", "template": "tips"},
    },
}


@pytest.fixture
def there(world: World) -> World:
    """Ada is in an automation with two components that are goals."""
    world.template("tips")
    world.automation(PLACE)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Trial Started")
    return world


def test_whoever_comes_to_a_goal_converts_once_however_many_goals_they_come_to(there: World) -> None:
    there.run(timedelta(days=2))
    answer = told(there)
    assert (answer["started"], answer["converted"]) == (1, 1)
    assert {one["component"]: one["reached"] for one in answer["goals"]} == {"there": 1, "again": 1}
    assert sorted((one["took"], one["converted"]) for one in answer["arms"]) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("lost", range(4))
def test_a_goal_whose_answer_is_lost_is_counted_once(there: World, lost: int) -> None:
    execution = next(iter(there.executions.values()))
    execution.step(there.task, there.now)
    calls = [0]

    def loses(call: Call) -> None:
        calls[0] += 1
        if calls[0] == lost + 1:
            raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    there.recorder.after = loses
    with suppress(Exception):
        execution.step(there.task, there.now)
    there.recorder.after = None
    there.run(timedelta(days=2))
    assert converted(there) == 1
