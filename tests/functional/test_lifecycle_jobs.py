"""Jobs over everybody inside an automation: throttled, interrupted, told twice; and finding those who are lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.faults import MODES, Fault, Repeating
from tests.support.lifecycle import TOUR, act, done, enrolments, go, mails, show, state
from tests.support.recorder import Call
from tests.support.world import World

from tidings.automations.lifecycle.jobs import MOST_ROUNDS

PEOPLE = ("ada", "bob", "eve")


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a live tour of two mails, on which three people are, waiting for the second."""
    world.template("tips")
    world.automation(TOUR)
    for name in PEOPLE:
        world.identify(name, email=f"{name}@people.example")
        world.track(name, "Signed Up")
    go(world, hours=1)
    return world


def parked(world: World) -> None:
    """Let everybody come to the second mail while all is paused."""
    done(act(world, "pause", {"what": "all"}))
    go(world, days=3)
    assert {state(world, name) for name in PEOPLE} == {"parked"}


def jobs(world: World) -> dict[str, Any]:
    """The queue's messages, as Lambda gives them to run_jobs."""
    bodies = [json.dumps(body) for body in world.messages_in("jobs")]
    return {"Records": [{"messageId": f"q-{number}", "body": body} for number, body in enumerate(bodies)]}


def refused(world: World, records: dict[str, Any]) -> list[dict[str, Any]]:
    """What run_jobs gives back of some records, as it was."""
    failed = {one["itemIdentifier"] for one in world.invoke("run_jobs", records)["batchItemFailures"]}
    return [one for one in records["Records"] if one["messageId"] in failed]


def throttling(world: World, operation: str, code: str, times: int) -> None:
    """Let Step Functions refuse an operation some times."""
    left = [code] * times

    def before(call: Call) -> None:
        if call.operation == operation and left:
            raise ClientError({"Error": {"Code": left.pop(), "Message": code}}, operation)

    world.recorder.before = before


def lost(world: World, **query: str) -> tuple[int, dict[str, Any]]:
    """A page of those who are lost."""
    return world.call("automations", "GET /v1/automations/{name}/lost", path={"name": "tour"}, query=query)


def all_lost(world: World, limit: int = 50) -> list[dict[str, Any]]:
    """Everybody who is lost."""

    def pages() -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            page = done(lost(world, limit=str(limit), cursor=cursor))
            yield from page["enrolments"]
            cursor = page["cursor"]
            if not cursor:
                return

    return list(pages())


def test_of_who_has_come_to_an_end_nothing_is_read_but_the_index(acme: World) -> None:
    go(acme, days=3)
    acme.track("bob", "Signed Up")
    go(acme, hours=1)
    assert {state(acme, name) for name in ("ada", "eve")} == {"completed"}
    done(act(acme, "end"))
    acme.recorder.clear()
    assert refused(acme, jobs(acme)) == []
    (read,) = acme.recorder.of("dynamodb:BatchGetItem")
    ((_, keys),) = read.arguments["RequestItems"].items()
    assert len(keys["Keys"]) == 1
    assert all_lost(acme) == []
    acme.work_jobs()
    assert {state(acme, name) for name in ("ada", "eve")} == {"completed"}
    assert sorted(one["state"] for one in enrolments(acme, "bob")) == ["completed", "exited"]


def test_a_page_looks_at_so_many_whether_or_not_they_have_come_to_an_end(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(acme, days=3)
    monkeypatch.setattr("tidings.automations.lifecycle.job_runner.LOOKED_AT", 1)
    done(act(acme, "end"))
    assert refused(acme, jobs(acme)) == []
    (following,) = acme.messages_in("jobs")
    assert following["place"][:2] == [1, 1], "the first round goes on"
    assert following["place"][2] < 4


# --- throttled -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_whoever_cannot_be_stopped_yet_is_ended_at_once_and_stopped_later(acme: World, code: str) -> None:
    done(act(acme, "end"))
    assert refused(acme, jobs(acme)) == []
    throttling(acme, "StopExecution", code, 2)
    waiting = refused(acme, jobs(acme))
    assert len(waiting) == 2
    assert {state(acme, name) for name in PEOPLE} == {"exited"}
    assert sorted(one.is_over for one in acme.executions.values()) == [False, False, True]
    assert refused(acme, {"Records": waiting}) == []
    assert all(one.is_over for one in acme.executions.values())
    (job,) = show(acme)["jobs"]
    assert (job["found"], job["done"]) == (3, 3)


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "ExecutionLimitExceeded"])
def test_whoever_finds_no_room_at_a_resume_waits_in_the_queue_and_is_not_lost(acme: World, code: str) -> None:
    parked(acme)
    done(act(acme, "resume"))
    assert refused(acme, jobs(acme)) == []
    before = len(acme.executions)
    acme.start_failures = [code] * 4
    waiting = refused(acme, jobs(acme))
    while waiting:
        waiting = refused(acme, {"Records": waiting})
    assert acme.start_failures == []
    assert len(acme.executions) == before + 3
    acme.work_jobs()
    go(acme)
    assert [mails(acme, name) for name in PEOPLE] == [2, 2, 2]


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded"])
def test_whoever_enters_while_starts_are_throttled_and_the_queue_takes_nothing_is_not_lost(
    acme: World, code: str
) -> None:
    """react tries the record again, finds the enrolment that it stored, and starts it then."""
    acme.ingest("track", {"userId": "ada", "event": "Signed Up", "messageId": "m-again"})
    records = acme.new_records()
    acme.start_failures = [code]

    def before(call: Call) -> None:
        if call.name == "sqs:SendMessage":
            acme.recorder.before = None
            raise ClientError({"Error": {"Code": "InternalError", "Message": "x"}}, call.operation)

    acme.recorder.before = before
    answer = acme.invoke("react", {"Records": records})
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    assert acme.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert acme.messages_in("starts") == []
    acme.pump()
    go(acme, days=3)
    assert mails(acme) == 4


def test_a_page_whose_messages_are_not_all_taken_is_turned_again(acme: World) -> None:
    parked(acme)
    done(act(acme, "resume"))
    first = jobs(acme)
    acme.recorder.doubles["sqs:SendMessageBatch"] = lambda _: {"Failed": [{"Id": "0", "Code": "x"}]}
    again = refused(acme, first)
    assert len(again) == 1
    acme.recorder.doubles["sqs:SendMessageBatch"] = acme._send_messages
    assert refused(acme, {"Records": again}) == []
    acme.work_jobs()
    go(acme)
    assert [mails(acme, name) for name in PEOPLE] == [2, 2, 2]


# --- repeated and interrupted ----------------------------------------------------------------------------------------


def test_messages_that_come_twice_resume_and_count_once(acme: World) -> None:
    parked(acme)
    done(act(acme, "resume"))
    for _ in range(12):
        records = jobs(acme)
        for _ in range(2):
            assert refused(acme, records) == []
        acme.now += timedelta(minutes=3)
    (job,) = show(acme)["jobs"]
    assert (job["state"], job["found"], job["done"]) == ("done", 3, 3)
    go(acme)
    assert [mails(acme, name) for name in PEOPLE] == [2, 2, 2]
    assert len(acme.executions) == 6


def test_messages_that_come_twice_end_and_count_once(acme: World) -> None:
    done(act(acme, "end"))
    for _ in range(12):
        records = jobs(acme)
        for _ in range(2):
            assert refused(acme, records) == []
        acme.now += timedelta(minutes=3)
    (job,) = [one for one in show(acme)["jobs"] if one["kind"] == "end"]
    assert (job["state"], job["found"], job["done"]) == ("done", 3, 3)


def test_whoever_was_erased_before_the_job_came_to_them_is_left_alone(acme: World) -> None:
    done(act(acme, "end"))
    assert refused(acme, jobs(acme)) == []
    records = jobs(acme)
    acme.erase(acme.contact(user_id="ada")["contact"])
    assert refused(acme, records) == []


def test_a_job_that_is_interrupted_after_a_round_goes_on_though_nobody_is_found_by_then(acme: World) -> None:
    parked(acme)
    done(act(acme, "resume"))
    assert refused(acme, jobs(acme)) == []
    first = jobs(acme)["Records"]  # each of the three, and the second round, which comes before them
    ones, second = ([one for one in first if ("place" in one["body"]) is page] for page in (False, True))

    def before(call: Call) -> None:
        if call.name == "sqs:SendMessage":
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, call.operation)

    acme.recorder.before = before
    assert refused(acme, {"Records": second}) == second
    acme.recorder.before = None
    assert refused(acme, {"Records": ones}) == []
    assert refused(acme, {"Records": second}) == []
    for _ in range(4):
        assert refused(acme, jobs(acme)) == []
    (job,) = show(acme)["jobs"]
    assert (job["state"], job["found"], job["done"]) == ("done", 3, 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize("what", ["resume", "end"])
def test_a_job_that_is_interrupted_anywhere_is_done_by_its_repeat(
    acme: World, what: str, number: int, mode: str
) -> None:
    parked(acme)
    done(act(acme, what))
    fault = Fault(acme, "run_jobs", number, mode)
    acme.recorder.before, acme.recorder.after = fault.before, fault.after
    repeating = Repeating(acme)
    pending = acme.messages_in("jobs")
    while pending:
        body = pending.pop(0)
        records = {"Records": [{"messageId": "q", "body": json.dumps(body)}]}
        if repeating.tried(lambda given=records: acme.invoke("run_jobs", given), "run_jobs") != {
            "batchItemFailures": []
        }:
            pending.append(body)
        pending += acme.messages_in("jobs")
        acme.now += timedelta(minutes=1)
    if what == "end":
        acme.call("automations", "POST /v1/automations/{name}/resume", {}, path={"name": "tour"})
    go(acme, days=1)
    expected = {"resume": (2, 2, 2), "end": (1, 1, 1)}[what]
    assert tuple(mails(acme, name) for name in PEOPLE) == expected
    if what == "end":
        assert {state(acme, name) for name in PEOPLE} == {"exited"}


def test_what_nobody_understands_goes_back_alone(acme: World) -> None:
    done(act(acme, "end"))
    good = jobs(acme)["Records"]
    poison = ["no JSON", "{}", "[]", "null", '"x"', '{"do": "end"}', '{"do": "sing", "runs": 1}', '{"job": "1"}']
    records = [{"messageId": body, "body": body} for body in poison]
    answer = acme.invoke("run_jobs", {"Records": [*records, *good]})
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == poison
    acme.work_jobs()
    assert state(acme) == "exited"


def test_whoever_is_not_come_to_in_time_goes_back_and_is_done_later(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(act(acme, "end"))
    assert refused(acme, jobs(acme)) == []
    records = jobs(acme)
    with monkeypatch.context() as patch:
        patch.setattr(acme.function("run_jobs"), "SECONDS", 0)
        assert refused(acme, records) == records["Records"]
    assert {state(acme, name) for name in PEOPLE} == {"live"}
    assert refused(acme, records) == []
    assert {state(acme, name) for name in PEOPLE} == {"exited"}


def test_messages_name_ids_only(acme: World) -> None:
    done(act(acme, "end"))
    seen = [*(bodies := acme.messages_in("jobs"))]
    for body in bodies:
        acme.invoke("run_jobs", {"Records": [{"messageId": "q", "body": json.dumps(body)}]})
    seen += acme.messages_in("jobs")
    assert len(seen) == 5
    assert "people.example" not in json.dumps(seen)


def test_a_job_that_never_comes_to_an_end_is_told_to_be_unfinished(acme: World) -> None:
    parked(acme)
    done(act(acme, "resume"))
    for _ in range(MOST_ROUNDS * 3):
        for body in acme.messages_in("jobs"):
            if "do" not in body:  # whoever is handed on is among the dead letters
                assert refused(acme, {"Records": [{"messageId": "q", "body": json.dumps(body)}]}) == []
    (job,) = show(acme)["jobs"]
    assert (job["state"], job["found"], job["done"]) == ("unfinished", 3, 0)


# --- lost ------------------------------------------------------------------------------------------------------------


def test_those_without_an_execution_are_listed_and_those_that_wait_are_not(acme: World) -> None:
    assert all_lost(acme) == []
    arn = next(iter(acme.executions))
    acme.lose(arn)
    (found,) = all_lost(acme, limit=1)
    assert (found["lost"], found["component"], found["state"]) == ("gone", "pause", "live")
    assert f"{found['contact']}" in acme.started[arn]


def test_those_who_failed_are_listed(acme: World) -> None:
    arn = next(iter(acme.executions))
    told = {"executionArn": arn, "status": "FAILED", "input": acme.started[arn], "error": "x"}
    acme.invoke("settle_executions", {"source": "aws.states", "detail": told})
    assert [one["lost"] for one in all_lost(acme)] == ["failed"]


def test_those_parked_are_listed_only_where_nothing_is_paused(acme: World) -> None:
    parked(acme)
    assert all_lost(acme) == []
    done(act(acme, "resume"))
    acme.messages_in("jobs")  # and are never heard of again
    assert [one["lost"] for one in all_lost(acme)] == ["parked"] * 3
    assert done(act(acme, "resume"))["resumed"] == 3
    assert all_lost(acme) == []
    go(acme)
    assert [mails(acme, name) for name in PEOPLE] == [2, 2, 2]


def test_one_is_resumed_by_hand(acme: World) -> None:
    for arn in list(acme.executions):
        acme.lose(arn)
    (ada,) = enrolments(acme)
    order = {"contact": ada["contact"], "entry": ada["entry"]}
    assert done(act(acme, "resume", order))["resumed"] == 1
    assert done(act(acme, "resume", order))["resumed"] == 0
    assert len(acme.executions) == 1
    status, answer = act(acme, "resume", {**order, "entry": "nobodys"})
    assert (status, answer["code"]) == (404, "unknown_enrolment")
    assert act(acme, "resume", order, key=acme.other_secret)[0] == 404


def test_all_are_resumed_in_the_background(acme: World) -> None:
    for arn in list(acme.executions):
        acme.lose(arn)
    assert done(act(acme, "resume", {"background": True}))["job"]
    acme.work_jobs()
    go(acme, days=3)
    assert [mails(acme, name) for name in PEOPLE] == [2, 2, 2]


def test_the_lost_of_a_paused_automation_are_resumed_without_lifting_the_pause(acme: World) -> None:
    """As the local system does at its start: what they then come to parks them."""
    for arn in list(acme.executions):
        acme.lose(arn)
    done(act(acme, "pause", {"what": "all"}))
    cursor, resumed = "", 0
    while True:
        answer = done(act(acme, "resume", {"lost": True, "cursor": cursor, "limit": 2}))
        resumed, cursor = resumed + answer["resumed"], answer["cursor"]
        if not cursor:
            break
    assert (resumed, show(acme)["state"]) == (3, "paused")
    go(acme, days=3)
    assert {state(acme, name) for name in PEOPLE} == {"parked"}


def test_a_question_too_many_is_told_to_be_asked_later(acme: World) -> None:
    throttling(acme, "DescribeExecution", "ThrottlingException", 1)
    status, answer = next(page for page in _pages(acme) if page[0] != 200)
    assert (status, answer["code"]) == (429, "describe_throttled")


def _pages(world: World) -> Iterator[tuple[int, dict[str, Any]]]:
    cursor = ""
    for _ in range(4):
        status, answer = lost(world, cursor=cursor)
        yield status, answer
        cursor = answer.get("cursor", "")


def test_a_cursor_of_another_automation_is_refused(acme: World) -> None:
    acme.automation({**TOUR, "automation": "other"})
    cursor = done(lost(acme, limit="1"))["cursor"]
    query = {"cursor": cursor}
    status, answer = acme.call("automations", "GET /v1/automations/{name}/lost", path={"name": "other"}, query=query)
    assert (status, answer["code"]) == (400, "invalid_cursor")
