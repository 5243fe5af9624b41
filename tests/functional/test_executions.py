"""Executions end, fail, are stopped or get lost: enrolments settle, and who was lost is resumed where they were."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.machine import Execution
from tests.support.world import World

ADA = "ada@people.example"
TOUR = {
    "automation": "tour",
    "trigger": {"event": "Signed Up"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "longer"},
        "longer": {"type": "wait", "for": "2 days", "next": "second"},
        "second": {"type": "send_email", "template": "tips", "next": "third"},
        "third": {"type": "send_email", "template": "tips"},
    },
}


@pytest.fixture
def ada(world: World) -> World:
    """A workspace with a tour of three mails, on which Ada has just been sent."""
    world.template("tips")
    world.automation(TOUR)
    world.identify("ada", email=ADA)
    world.track("ada", "Signed Up", plan="team")
    return world


def enrolment(world: World) -> dict[str, Any]:
    """Ada's one enrolment."""
    (found,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    return found


def last(world: World) -> tuple[str, Execution]:
    """The execution that was started last, by its ARN."""
    return list(world.executions.items())[-1]


def step(world: World, times: int = 1) -> None:
    """Let the last execution take some steps, each wait to its end."""
    for _ in range(times):
        execution = last(world)[1]
        world.now = max(world.now, execution.wait() or world.now)
        execution.step(world.task)


def ended(world: World, status: str, execution: str = "", **detail: Any) -> Any:
    """What EventBridge tells of the last execution, or of a named one."""
    arn = execution or last(world)[0]
    told = {"executionArn": arn, "status": status, "input": world.started[arn], "error": None, **detail}
    event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": told}
    return world.invoke("settle_executions", event)


def resume(world: World, name: str = "tour", key: str = "secret") -> tuple[int, dict[str, Any]]:
    """Resume everybody, page by page, also those whose execution was lost before its first step; how many were."""
    resumed, cursor = 0, ""
    while True:
        body = {"lost": True, "starting": True, "cursor": cursor}
        status, answer = world.call(
            "automations", "POST /v1/automations/{name}/resume", body, key=key, path={"name": name}
        )
        if status != 200:
            return status, answer
        resumed, cursor = resumed + answer["resumed"], answer["cursor"]
        if not cursor:
            return status, {"resumed": resumed}


def having(world: World, status: str) -> None:
    """Let Step Functions say that every execution has this status."""
    world.recorder.doubles["stepfunctions:DescribeExecution"] = lambda _: {"status": status}


def subjects(world: World) -> int:
    """How many mails Ada got, each with an id of its own."""
    assert len(set(world.ses.messages())) == len(world.ses.accepted)
    return len(world.ses.to(ADA))


# --- status changes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "detail", "state", "error"),
    [
        ("SUCCEEDED", {}, "completed", ""),
        ("FAILED", {"error": "States.TaskFailed"}, "failed", "States.TaskFailed"),
        ("FAILED", {}, "failed", "FAILED"),
        ("TIMED_OUT", {}, "failed", "TIMED_OUT"),
        ("ABORTED", {}, "stopped", "ABORTED"),
        ("RUNNING", {}, "live", ""),
        ("PENDING_REDRIVE", {}, "live", ""),
    ],
)
def test_each_status_settles_the_enrolment(
    ada: World, status: str, detail: dict[str, Any], state: str, error: str
) -> None:
    assert ended(ada, status, **detail) is None
    found = enrolment(ada)
    assert (found["state"], found["error"]) == (state, error)


def test_a_status_that_is_told_twice_or_late_changes_nothing(ada: World) -> None:
    ended(ada, "SUCCEEDED")
    settled = enrolment(ada)
    ada.now += timedelta(minutes=1)
    for status in ("SUCCEEDED", "FAILED", "ABORTED"):
        ended(ada, status)
    assert enrolment(ada) == settled


def test_an_execution_of_somebody_else_is_let_be(ada: World) -> None:
    for given in (None, "{}", '{"workspace": "acme"}', "[]", '"text"', "7", "null"):
        ended(ada, "FAILED", input=given)
        assert enrolment(ada)["state"] == "live", given


def test_an_execution_of_an_enrolment_that_is_gone_is_let_be(ada: World) -> None:
    given = json.loads(ada.started[last(ada)[0]])
    ended(ada, "FAILED", input=json.dumps({**given, "contact": "cnobody"}))
    ended(ada, "FAILED", input=json.dumps({**given, "workspace": "other"}))
    assert enrolment(ada)["state"] == "live"


def test_a_stale_execution_ends_nothing(ada: World) -> None:
    arn, _ = last(ada)
    ada.lose(arn)
    assert resume(ada) == (200, {"resumed": 1})
    ended(ada, "FAILED", arn)
    assert enrolment(ada)["state"] == "live"
    ended(ada, "SUCCEEDED")
    assert enrolment(ada)["state"] == "completed"


@pytest.mark.parametrize("status", ["ABORTED", "FAILED"])
def test_whoever_was_stopped_or_failed_gets_no_further_mail_from_a_task_still_under_way(
    ada: World, status: str
) -> None:
    ended(ada, status)
    with pytest.raises(Exception, match="first"):
        step(ada)
    assert ada.ses.accepted == []


def test_a_task_of_an_enrolment_that_is_over_raises_the_error_that_machines_do_not_retry(ada: World) -> None:
    ended(ada, "ABORTED")
    _, execution = last(ada)
    with pytest.raises(Exception, match="first") as caught:
        execution.step(ada.task)
    assert type(caught.value).__name__ == "EnrolmentOver"
    retry = execution.definition["States"]["first"]["Retry"]
    assert retry[0] == {"ErrorEquals": ["EnrolmentOver", "EnrolmentParked"], "MaxAttempts": 0}


def test_a_stop_between_decision_and_claim_still_stops(ada: World) -> None:
    arn, _ = last(ada)

    def before(call: Any) -> None:
        if call.operation == "TransactWriteItems" and ada.running == "send_email":
            ada.recorder.before = None
            ended(ada, "ABORTED", arn)

    ada.recorder.before = before
    with pytest.raises(Exception, match="first"):
        step(ada)
    assert ada.ses.accepted == []
    assert ada.of_contact(ada.contact(user_id="ada")["contact"], "messages") == []


# --- resuming --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", range(5))
def test_a_lost_execution_is_resumed_where_it_was_and_every_mail_is_sent_once(ada: World, steps: int) -> None:
    step(ada, steps)
    before = enrolment(ada)
    ada.lose(last(ada)[0])
    ada.now += timedelta(hours=1)
    assert resume(ada) == (200, {"resumed": 1})
    _, execution = last(ada)
    now = ada.now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    waits = before["until"].items()
    # A wait that is over is passed, if there is another one behind it.
    until = {wait: end for wait, end in waits if end > now} or dict(list(waits)[-1:])
    here = next(iter(until), before["component"])
    assert execution.states == [here]
    assert execution.data["at"] == {"n": before["steps"], "next": here, "until": until}
    ada.run(timedelta(days=5))
    assert subjects(ada) == 3
    assert [one["component"] for one in enrolment(ada)["path"]] == ["first", "second", "third"]


def test_a_wait_ends_when_it_would_have_ended(ada: World) -> None:
    step(ada)
    until = enrolment(ada)["until"]
    assert until == {"pause": "2026-11-22T09:00:00.000000Z", "longer": "2026-11-24T09:00:00.000000Z"}
    ada.lose(last(ada)[0])
    ada.now += timedelta(hours=20)
    resume(ada)
    ada.run(timedelta(days=2, hours=3, minutes=59))
    assert subjects(ada) == 1
    ada.run(timedelta(minutes=1))
    assert subjects(ada) == 3


def test_whoever_was_lost_several_times_is_resumed_each_time(ada: World) -> None:
    for _ in range(3):
        ada.lose(last(ada)[0])
        assert resume(ada) == (200, {"resumed": 1})
        step(ada)
    ada.run(timedelta(days=5))
    assert subjects(ada) == 3
    assert len(ada.started) == 4


def test_a_running_execution_is_not_resumed(ada: World) -> None:
    for _ in range(2):
        assert resume(ada) == (200, {"resumed": 0})
    assert len(ada.executions) == 1


def test_resuming_twice_resumes_once(ada: World) -> None:
    ada.lose(last(ada)[0])
    assert [resume(ada)[1]["resumed"] for _ in range(2)] == [1, 0]
    assert len(ada.executions) == 1


def test_two_who_resume_at_once_resume_once(ada: World) -> None:
    ada.lose(last(ada)[0])
    answers: list[Any] = []

    def before(call: Any) -> None:
        if call.operation == "TransactWriteItems":
            ada.recorder.before = None
            answers.append(resume(ada))

    ada.recorder.before = before
    answers.append(resume(ada))
    assert sorted(answer[1]["resumed"] for answer in answers) == [0, 1]
    ada.run(timedelta(days=5))
    assert subjects(ada) == 3


def test_a_failed_enrolment_is_resumed_and_its_error_forgotten(ada: World) -> None:
    step(ada)
    having(ada, "FAILED")
    ended(ada, "FAILED", error="States.TaskFailed")
    assert resume(ada) == (200, {"resumed": 1})
    found = enrolment(ada)
    assert (found["state"], found["error"]) == ("live", "")


def test_whoever_finished_unnoticed_is_completed_and_not_resumed(ada: World) -> None:
    components = {**TOUR["components"], "third": {**TOUR["components"]["third"], "next": "rest"}}
    ada.automation({**TOUR, "components": {**components, "rest": {"type": "wait", "for": "1 day"}}})
    ada.lose(last(ada)[0])
    ada.track("ada", "Signed Up")
    ada.run(timedelta(days=5))
    found = ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments")[0]
    assert found["state"] == "live"  # nobody has told yet that the execution ended
    having(ada, "SUCCEEDED")
    assert resume(ada) == (200, {"resumed": 0})
    states = [one["state"] for one in ada.of_contact(ada.contact(user_id="ada")["contact"], "enrolments")]
    assert states == ["completed", "completed"]
    assert subjects(ada) == 3


def test_whose_last_step_was_taken_is_completed_though_the_execution_is_lost(ada: World) -> None:
    ada.run(timedelta(days=5))
    ada.lose(last(ada)[0])
    assert resume(ada) == (200, {"resumed": 0})
    assert enrolment(ada)["state"] == "completed"


@pytest.mark.parametrize("status", ["SUCCEEDED", "ABORTED"])
def test_whoever_is_over_is_not_resumed(ada: World, status: str) -> None:
    ended(ada, status)
    ada.lose(last(ada)[0])
    assert resume(ada) == (200, {"resumed": 0})
    assert ada.executions == {}


def test_whoever_was_stopped_unnoticed_is_stopped_and_not_resumed(ada: World) -> None:
    having(ada, "ABORTED")
    assert resume(ada) == (200, {"resumed": 0})
    assert enrolment(ada)["state"] == "stopped"


def test_when_step_functions_has_no_room_the_caller_is_told_and_the_repeat_resumes(ada: World) -> None:
    ada.lose(last(ada)[0])
    ada.start_failures = ["ThrottlingException"]
    status, answer = resume(ada)
    assert (status, answer["code"]) == (429, "start_throttled")
    assert resume(ada) == (200, {"resumed": 1})
    ada.run(timedelta(days=5))
    assert subjects(ada) == 3


def test_each_is_resumed_on_the_version_they_entered(ada: World) -> None:
    short = {**TOUR, "start": "third", "components": {"third": {"type": "send_email", "template": "tips"}}}
    ada.automation(short)
    ada.track("bob", "Signed Up")
    for arn in list(ada.executions):
        ada.lose(arn)
    assert resume(ada) == (200, {"resumed": 2})
    ada.run(timedelta(days=5))
    assert subjects(ada) == 3
    assert enrolment(ada)["version"] == 1


def test_an_automation_that_is_not_there_cannot_be_resumed(ada: World) -> None:
    assert resume(ada, "nobodys")[1]["code"] == "unknown_automation"
    assert resume(ada, key=ada.other_secret)[1]["code"] == "unknown_automation"


# --- repeated tasks --------------------------------------------------------------------------------------------------


def test_a_task_that_is_repeated_answers_the_same_and_sends_nothing_more(ada: World) -> None:
    _, execution = last(ada)
    payload = {**json.loads(ada.started[last(ada)[0]]), "n": 0, "component": "first"}
    answers = [ada.invoke("send_email", payload) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["next"] == "pause"
    assert subjects(ada) == 1
    assert execution.states == ["first"]


def test_a_task_for_a_component_that_is_not_of_its_kind_is_a_fault(ada: World) -> None:
    changes = [{"component": "nobodys"}, {"component": "pause"}, {"version": 99}, {"workspace": "other"}]
    for function in ("send_email", "branch", "check_suppression"):
        for change in changes:
            payload = {**json.loads(ada.started[last(ada)[0]]), "n": 0, "component": "pause", **change}
            with pytest.raises((LookupError, Exception), match=r"unknown|nobodys"):
                ada.invoke(function, payload)
    assert ada.ses.accepted == []
    assert enrolment(ada)["path"] == []
