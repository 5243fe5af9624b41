"""Those who are about to start: written, and not started yet, since Step Functions has no room or `react` is at it.

Neither the list of those lost nor resuming takes them for lost while the queue of starts still tries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_lifecycle_jobs import all_lost
from tests.functional.test_react import queued
from tests.functional.test_waits import at_call
from tests.support.lifecycle import TOUR, act, done, enrolments, go, mails
from tests.support.world import World

from tidings.automations.lifecycle.resuming import STARTING

START = "stepfunctions:StartExecution"
SECOND = timedelta(seconds=1)


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a live tour of two mails, and Ada, who is known."""
    world.template("tips")
    world.automation(TOUR)
    world.identify("ada", email="ada@people.example")
    return world


def throttled(world: World) -> None:
    """Ada enters, and there is no room for her execution."""
    world.start_failures = ["ThrottlingException"]
    world.track("ada", "Signed Up")
    assert world.executions == {}


def starts(world: World) -> int:
    """How often anybody asked for an execution."""
    return len(world.recorder.of(START))


def order(world: World, **more: Any) -> dict[str, Any]:
    (one,) = enrolments(world)
    return {"contact": one["contact"], "entry": one["entry"], **more}


def resumed(world: World, **more: Any) -> int:
    return int(done(act(world, "resume", {"lost": True, "limit": 200, **more}))["resumed"])


def test_who_waits_for_a_start_is_not_lost(acme: World) -> None:
    throttled(acme)
    acme.now += STARTING - SECOND
    assert all_lost(acme) == []


def test_who_waits_for_a_start_is_not_resumed_by_anybody(acme: World) -> None:
    throttled(acme)
    before = starts(acme)
    assert resumed(acme) == 0
    assert done(act(acme, "resume", order(acme)))["resumed"] == 0
    done(act(acme, "resume", {"background": True}))
    acme.work_jobs()
    assert starts(acme) == before
    assert acme.invoke("start_enrolments", queued(acme)) == {"batchItemFailures": []}
    go(acme, days=3)
    assert (len(acme.executions), mails(acme)) == (1, 2)


def test_whom_the_queue_gave_up_on_is_lost_and_resumed(acme: World) -> None:
    throttled(acme)
    acme.now += STARTING
    (found,) = all_lost(acme)
    assert (found["lost"], found["steps"]) == ("gone", 0)
    assert resumed(acme) == 1
    go(acme, days=3)
    assert mails(acme) == 2


def test_the_time_counts_from_when_they_were_written_where_react_is_behind(acme: World) -> None:
    assert acme.ingest("track", {"userId": "ada", "event": "Signed Up", "messageId": acme.fresh()})[0] == 200
    acme.now += timedelta(hours=8)
    acme.start_failures = ["ThrottlingException"]
    acme.pump()
    assert (all_lost(acme), resumed(acme)) == ([], 0)
    acme.now += STARTING
    assert len(all_lost(acme)) == 1


def test_who_is_resumed_between_the_write_and_the_start_begins_once(acme: World) -> None:
    found: list[Any] = []
    at_call(acme, "react", START, lambda: found.append((all_lost(acme), resumed(acme))))
    acme.track("ada", "Signed Up")
    assert found == [([], 0)]
    assert len(acme.executions) == 1
    go(acme, days=3)
    assert mails(acme) == 2


def test_who_took_a_step_is_lost_at_once(acme: World) -> None:
    acme.track("ada", "Signed Up")
    acme.run()
    acme.lose(next(iter(acme.executions)))
    assert [one["lost"] for one in all_lost(acme)] == ["gone"]
    assert resumed(acme) == 1


def test_whose_execution_failed_before_the_first_step_is_lost_at_once(acme: World) -> None:
    acme.track("ada", "Signed Up")
    acme.recorder.doubles["stepfunctions:DescribeExecution"] = lambda _: {"status": "FAILED"}
    assert [one["lost"] for one in all_lost(acme)] == ["failed"]
    assert resumed(acme) == 1


@pytest.mark.parametrize("by_name", [True, False])
def test_those_about_to_start_are_resumed_at_once_where_they_are_meant_too(acme: World, by_name: bool) -> None:
    """As the local system does at its start. Whoever would have started them finds that they run."""
    throttled(acme)
    assert resumed(acme, starting=True, **(order(acme) if by_name else {})) == 1
    assert acme.invoke("start_enrolments", queued(acme)) == {"batchItemFailures": []}
    assert len(acme.executions) == 1
    go(acme, days=3)
    assert mails(acme) == 2


@pytest.mark.parametrize("deleted", [False, True])
def test_a_resume_that_found_no_room_is_done_by_its_repeat_and_lists_nobody(acme: World, deleted: bool) -> None:
    acme.track("ada", "Signed Up")
    acme.run()
    acme.now += STARTING
    acme.lose(next(iter(acme.executions)))
    acme.start_failures = ["ThrottlingException"]
    assert act(acme, "resume", {"lost": True, "limit": 200})[0] == 429
    assert all_lost(acme) == []
    if deleted:  # it is made again, for a run of its own
        for machine in [one for one in acme.machines if "tour" in one]:
            del acme.machines[machine]
    assert [resumed(acme) for _ in range(2)] == [1, 0]
    assert len(acme.executions) == 1
    go(acme, days=3)
    assert mails(acme) == 2


def test_a_job_leaves_out_those_about_to_start_and_says_so_where_they_are_meant(acme: World) -> None:
    status, answer = act(acme, "resume", {"background": True, "starting": True})
    assert (status, answer["code"], answer["field"]) == (400, "invalid_request", "starting")
