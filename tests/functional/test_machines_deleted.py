"""Machines are deleted when nobody is in them, and made again for who needs one: nobody is lost on the way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.faults import MODES, Fault, Repeating
from tests.support.lifecycle import TOUR, act, done, enrolments, go, mails, state
from tests.support.recorder import Call
from tests.support.world import World, variables

SHORT = {**TOUR, "start": "second", "components": {"second": TOUR["components"]["second"]}}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a live tour, on which Ada is."""
    world.template("tips")
    world.automation(TOUR)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    go(world, hours=1)
    return world


def machines(world: World) -> set[str]:
    """Those of automations."""
    return {arn for arn in world.machines if ":tidings-" in arn}


def noted(world: World) -> set[str]:
    """The machines that are written down."""
    return {
        item["sk"]["S"].rpartition("#")[2]
        for item in world.items("TABLE_AUTOMATIONS")
        if item["sk"]["S"].startswith("machine#")
    }


def told(world: World, status: str, arn: str = "") -> None:
    """What EventBridge tells of an execution."""
    arn = arn or list(world.executions)[-1]
    detail = {"executionArn": arn, "status": status, "input": world.started[arn], "error": None}
    world.invoke("settle_executions", {"source": "aws.states", "detail": detail})


def finish(world: World) -> None:
    """Let everybody come to the end."""
    go(world, days=3)
    for arn in list(world.executions):
        told(world, "SUCCEEDED", arn)


def test_a_machine_is_kept_while_somebody_is_in_it_and_deleted_after_the_next_publication(acme: World) -> None:
    (first,) = machines(acme)
    acme.automation({**TOUR, "description": "two"})
    acme.work_jobs()
    assert first in machines(acme)
    finish(acme)
    acme.automation({**TOUR, "description": "three"})
    acme.work_jobs()
    assert len(machines(acme)) == 1
    assert {arn.rpartition(":")[2] for arn in machines(acme)} == noted(acme)
    acme.track("ada", "Signed Up")
    go(acme, days=3)
    assert mails(acme) == 4


def test_what_is_live_is_read_once_before_a_machine_is_deleted(acme: World) -> None:
    finish(acme)
    acme.automation({**TOUR, "description": "two"})
    (begun,) = acme.messages_in("jobs")
    for _ in range(2):
        acme.recorder.clear()
        acme.invoke("run_jobs", {"Records": [{"messageId": "q-1", "body": json.dumps(begun)}]})
        reads = [call.arguments["RequestItems"] for call in acme.recorder.of("dynamodb:BatchGetItem")]
        assert [list(tables) for tables in reads] == [[variables()["TABLE_AUTOMATIONS"]]]
        begun = next(iter(acme.messages_in("jobs")), None)
    assert len(machines(acme)) == 1


@pytest.mark.parametrize("whose", ["parked", "failed"])
def test_a_machine_is_kept_for_who_is_parked_or_failed(acme: World, whose: str) -> None:
    (first,) = machines(acme)
    if whose == "parked":
        done(act(acme, "pause", {"what": "all"}))
        go(acme, days=3)
    else:
        told(acme, "FAILED")
    assert state(acme) == whose
    acme.automation({**TOUR, "description": "two"})
    acme.work_jobs()
    assert first in machines(acme)


def test_the_machines_of_who_was_ended_are_deleted_when_the_job_is_over(acme: World) -> None:
    acme.automation({**TOUR, "description": "two"})
    done(act(acme, "end", {"version": 1}))
    acme.work_jobs()
    assert len(machines(acme)) == 1


def test_the_machine_of_an_archived_automation_is_deleted_and_made_again(acme: World) -> None:
    finish(acme)
    done(act(acme, "archive"))
    acme.work_jobs()
    assert machines(acme) == noted(acme) == set()
    done(act(acme, "unarchive"))
    acme.track("ada", "Signed Up")
    assert len(machines(acme)) == 0
    starts(acme)
    assert len(machines(acme)) == 1
    go(acme, days=3)
    assert mails(acme) == 4


def starts(world: World) -> None:
    """Let start_enrolments and then run_jobs work off what is in their queues."""
    for body in world.messages_in("starts"):
        answer = world.invoke("start_enrolments", {"Records": [{"messageId": "q", "body": json.dumps(body)}]})
        assert answer == {"batchItemFailures": []}
    world.work_jobs()


def test_an_archived_automation_that_is_live_again_in_time_keeps_its_machine(acme: World) -> None:
    finish(acme)
    done(act(acme, "archive"))
    acme.work_jobs(rounds=1)
    done(act(acme, "unarchive"))
    acme.work_jobs()
    assert len(machines(acme)) == 1


def test_the_machine_of_a_resumed_run_is_deleted_when_nobody_is_in_it(acme: World) -> None:
    (first,) = acme.executions
    acme.lose(first)
    done(act(acme, "resume", {"contact": enrolments(acme)[0]["contact"], "entry": enrolments(acme)[0]["entry"]}))
    assert len(machines(acme)) == 2
    acme.automation({**TOUR, "description": "two"})
    acme.work_jobs()
    assert len(machines(acme)) == 2  # she is in the one that she was given, and nobody in that of the first version
    finish(acme)
    assert mails(acme) == 2
    acme.automation({**TOUR, "description": "three"})
    acme.work_jobs()
    assert len(machines(acme)) == 1


def test_who_begins_on_an_earlier_version_while_its_machine_is_deleted_is_not_lost(acme: World) -> None:
    """A batch of events that began before the publication, and ends after the sweep."""
    finish(acme)
    acme.ingest("track", {"userId": "ada", "event": "Signed Up", "messageId": "m-late"})

    def before(call: Call) -> None:
        if acme.running == "react" and call.operation == "StartExecution":
            acme.recorder.before = None
            # Nobody takes as long as this; and the sweep had looked at her before she was stored.
            for arn in machines(acme):
                acme.machines.pop(arn)

    acme.recorder.before = before
    acme.pump()
    assert len(acme.executions) == 1
    assert sorted(one["state"] for one in enrolments(acme)) == ["completed", "live"]
    starts(acme)
    go(acme, days=3)
    assert mails(acme) == 4


def test_who_is_stored_before_the_sweep_and_started_after_it_keeps_the_machine(acme: World) -> None:
    finish(acme)
    acme.ingest("track", {"userId": "ada", "event": "Signed Up", "messageId": "m-late"})

    def before(call: Call) -> None:
        if acme.running == "react" and call.operation == "StartExecution":
            acme.recorder.before = None
            acme.automation({**TOUR, "description": "two"})
            acme.work_jobs()

    acme.recorder.before = before
    acme.pump()
    assert acme.messages_in("starts") == []
    go(acme, days=3)
    assert mails(acme) == 4


def test_a_resume_while_a_sweep_goes_on_keeps_the_machine_that_it_gives(acme: World) -> None:
    """The sweep had marked it, and looked at everybody, when somebody was given it."""
    lost, _ = next(iter(acme.executions.items()))
    (ada,) = enrolments(acme)
    order = {"contact": ada["contact"], "entry": ada["entry"]}
    acme.track("bob", "Signed Up")
    acme.automation({**SHORT, "description": "two"})
    acme.lose(lost)

    def before(call: Call) -> None:
        if (
            acme.running == "run_jobs"
            and call.operation == "UpdateItem"
            and "deleting" in json.dumps(call.arguments, default=str)
        ):
            acme.recorder.before = None
            done(act(acme, "resume", order))

    done(act(acme, "resume", order))  # a machine for whoever is at this component
    lost = list(acme.executions)[-1]
    acme.executions[lost].state = ""  # it fails, and nobody has told yet
    acme.recorder.doubles["stepfunctions:DescribeExecution"] = lambda _: {"status": "FAILED"}
    acme.recorder.before = before
    acme.work_jobs()
    assert all(
        arn.replace(":execution:", ":stateMachine:").rpartition(":")[0] in acme.machines
        for arn, one in acme.executions.items()
        if not one.is_over
    )


def test_a_machine_that_is_being_deleted_is_made_again_a_little_later(acme: World) -> None:
    """Step Functions takes its time, and refuses the name meanwhile."""
    (lost,) = acme.executions
    acme.lose(lost)
    acme.machines = {arn: one for arn, one in acme.machines.items() if arn not in machines(acme)}
    (ada,) = enrolments(acme)
    order = {"contact": ada["contact"], "entry": ada["entry"]}

    def before(call: Call) -> None:
        if call.operation == "CreateStateMachine":
            acme.recorder.before = None
            raise ClientError({"Error": {"Code": "StateMachineDeleting", "Message": "x"}}, call.operation)

    acme.recorder.before = before
    assert act(acme, "resume", order)[0] == 503
    assert done(act(acme, "resume", order))["resumed"] == 1
    go(acme, days=3)
    assert mails(acme) == 2


def test_an_account_without_room_for_machines_says_so_and_nobody_is_concerned(acme: World) -> None:
    def before(call: Call) -> None:
        if call.operation == "CreateStateMachine":
            acme.recorder.before = None
            raise ClientError({"Error": {"Code": "StateMachineLimitExceeded", "Message": "x"}}, call.operation)

    acme.call("automations", "PUT /v1/automations/{name}", SHORT, path={"name": "tour"})
    acme.recorder.before = before
    status, answer = act(acme, "publish")
    assert (status, answer["code"]) == (503, "machine_limit")
    go(acme, days=3)
    assert mails(acme) == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(8))
def test_a_sweep_that_is_interrupted_anywhere_is_done_by_its_repeat(acme: World, number: int, mode: str) -> None:
    finish(acme)
    acme.automation({**TOUR, "description": "two"})
    fault = Fault(acme, "run_jobs", number, mode)
    acme.recorder.before, acme.recorder.after = fault.before, fault.after
    repeating = Repeating(acme)
    pending = acme.messages_in("jobs")
    while pending:
        records: dict[str, Any] = {"Records": [{"messageId": "q", "body": json.dumps(pending[0])}]}
        answer = repeating.tried(lambda given=records: acme.invoke("run_jobs", given), "run_jobs")
        pending = pending[1:] if answer == {"batchItemFailures": []} else pending
        pending += acme.messages_in("jobs")
        acme.now += timedelta(minutes=1)
    assert len(machines(acme)) == 1
    assert {arn.rpartition(":")[2] for arn in machines(acme)} == noted(acme)
