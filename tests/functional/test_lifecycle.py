"""Pausing, resuming, archiving and ending automations: who enters, who acts, who goes on, and that nobody is lost."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.lifecycle import TOUR, act, done, enrolments, go, mails, show, state
from tests.support.recorder import Call
from tests.support.world import World

from tidings.accounts.store import MOST_HALTED
from tidings.automations.enrolments.model import EnrolmentParked

ANSWER: dict[str, Any] = {
    "automation": "answer",
    "trigger": {"event": "Asked"},
    "start": "listen",
    "components": {
        "listen": {
            "type": "wait_for",
            "arms": [{"name": "answered", "event": "Answered", "next": "thanks"}],
            "timeout": "3 days",
            "on_timeout": "reminder",
        },
        "thanks": {"type": "send_email", "template": "thanks"},
        "reminder": {"type": "send_email", "template": "tips"},
    },
}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with a live tour of two mails, two days apart."""
    world.template("tips")
    world.template("thanks")
    world.automation(TOUR)
    for name in ("ada", "bob"):
        world.identify(name, email=f"{name}@people.example")
    return world


# --- entries ---------------------------------------------------------------------------------------------------------


def test_nobody_enters_while_entries_are_paused_and_those_inside_go_on(acme: World) -> None:
    acme.track("ada", "Signed Up")
    assert done(act(acme, "pause")) == {"automation": "tour", "state": "entries_paused", "changed": True, "job": None}
    acme.track("bob", "Signed Up")
    assert enrolments(acme, "bob") == []
    go(acme, days=2)
    assert mails(acme) == 2
    done(act(acme, "resume"))
    acme.track("bob", "Signed Up")
    assert len(enrolments(acme, "bob")) == 1


def test_an_event_during_the_pause_enrols_nobody_later(acme: World) -> None:
    done(act(acme, "pause"))
    acme.track("ada", "Signed Up")
    done(act(acme, "resume"))
    acme.work_jobs()
    assert enrolments(acme) == []


def test_what_is_so_already_changes_nothing(acme: World) -> None:
    for action, body in (("pause", {}), ("pause", {"what": "all"}), ("resume", {}), ("archive", {}), ("unarchive", {})):
        assert done(act(acme, action, body))["changed"] is True
        log = show(acme)["log"]
        assert done(act(acme, action, body))["changed"] is False
        assert show(acme)["log"] == log


def test_a_new_version_of_a_paused_automation_is_paused_too(acme: World) -> None:
    done(act(acme, "pause"))
    acme.automation({**TOUR, "description": "new"})
    assert (show(acme)["state"], show(acme)["live_version"]) == ("entries_paused", 2)
    acme.track("ada", "Signed Up")
    assert enrolments(acme) == []


# --- everything ------------------------------------------------------------------------------------------------------


def test_nothing_happens_while_all_is_paused_and_whoever_came_to_act_does_so_at_resume(acme: World) -> None:
    acme.track("ada", "Signed Up")
    go(acme, hours=1)
    done(act(acme, "pause", {"what": "all"}))
    acme.track("bob", "Signed Up")
    go(acme, days=5)
    assert (mails(acme), state(acme), enrolments(acme, "bob")) == (1, "parked", [])
    answer = done(act(acme, "resume"))
    assert (answer["state"], answer["changed"]) == ("live", True)
    acme.work_jobs()
    go(acme)
    assert (mails(acme), [one["component"] for one in enrolments(acme)[0]["path"]]) == (2, ["first", "second"])


def test_a_wait_goes_on_while_all_is_paused(acme: World) -> None:
    acme.track("ada", "Signed Up")
    go(acme, hours=1)
    done(act(acme, "pause", {"what": "all"}))
    go(acme, days=1)
    assert state(acme) == "live"
    done(act(acme, "resume"))
    acme.work_jobs()
    go(acme, hours=22, minutes=50)
    assert mails(acme) == 1
    go(acme, minutes=20)
    assert mails(acme) == 2


def test_an_event_during_the_pause_is_found_by_who_waits_for_it(acme: World) -> None:
    acme.automation(ANSWER)
    acme.track("ada", "Asked")
    go(acme)
    done(act(acme, "pause", {"what": "all"}, "answer"))
    acme.track("ada", "Answered")
    go(acme, days=1)
    assert (mails(acme), state(acme)) == (0, "parked")
    done(act(acme, "resume", name="answer"))
    acme.work_jobs()
    go(acme)
    (mail,) = acme.ses.accepted
    assert [one["outcome"] for one in enrolments(acme)[0]["path"]] == ["answered", "accepted"], mail


def test_an_event_is_found_by_who_had_not_begun_to_wait_when_all_was_paused(acme: World) -> None:
    acme.automation(ANSWER)
    acme.track("ada", "Asked")
    done(act(acme, "pause", {"what": "all"}, "answer"))
    go(acme)
    assert state(acme) == "parked"
    acme.now += timedelta(hours=1)
    acme.track("ada", "Answered")
    acme.now += timedelta(days=9)
    done(act(acme, "resume", name="answer"))
    acme.work_jobs()
    go(acme)
    assert [one["outcome"] for one in enrolments(acme)[0]["path"]] == ["answered", "accepted"]


def test_a_timeout_during_the_pause_acts_at_resume(acme: World) -> None:
    acme.automation(ANSWER)
    acme.track("ada", "Asked")
    go(acme)
    done(act(acme, "pause", {"what": "all"}, "answer"))
    go(acme, days=4)
    assert (mails(acme), state(acme)) == (0, "parked")
    done(act(acme, "resume", name="answer"))
    acme.work_jobs()
    go(acme, hours=1)
    assert [one["outcome"] for one in enrolments(acme)[0]["path"]] == ["timeout", "accepted"]


def test_who_is_parked_stays_so_whatever_their_execution_is_told_to_have_done(acme: World) -> None:
    acme.track("ada", "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme)
    (arn,) = acme.executions
    for status in ("FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"):
        told = {"executionArn": arn, "status": status, "input": acme.started[arn], "error": None}
        acme.invoke("settle_executions", {"source": "aws.states", "detail": told})
        assert state(acme) == "parked"


def test_a_task_of_the_old_run_that_is_tried_again_after_the_resume_does_nothing_more(acme: World) -> None:
    """The local engine repeats whatever a Task raised."""
    acme.track("ada", "Signed Up")
    (arn,) = acme.executions
    execution = acme.executions[arn]
    done(act(acme, "pause", {"what": "all"}))
    with pytest.raises(EnrolmentParked):
        execution.step(acme.task)
    with pytest.raises(EnrolmentParked):
        execution.step(acme.task)
    done(act(acme, "resume"))
    acme.work_jobs()
    assert execution.is_over  # it was stopped
    go(acme, days=3)
    assert mails(acme) == 2


def test_a_pause_between_the_reading_and_the_claim_of_a_task_parks_nobody_and_loses_nobody(acme: World) -> None:
    """What was begun before may still be done: the mail goes, and they are parked at the next component."""
    acme.track("ada", "Signed Up")

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and acme.running == "send_email":
            acme.recorder.before = None
            done(act(acme, "pause", {"what": "all"}))

    acme.recorder.before = before
    go(acme, days=3)
    assert (mails(acme), state(acme)) == (1, "parked")
    done(act(acme, "resume"))
    acme.work_jobs()
    go(acme)
    assert mails(acme) == 2


def test_a_task_that_parks_after_the_first_round_looked_is_found_by_the_next(acme: World) -> None:
    """It had read the workspace before the resume, and wrote after the job had gone by."""
    acme.track("ada", "Signed Up")
    (execution,) = acme.executions.values()
    done(act(acme, "pause", {"what": "all"}))

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and acme.running == "send_email":
            acme.recorder.before = None
            done(act(acme, "resume"))
            acme.work_jobs(rounds=1)

    acme.recorder.before = before
    with pytest.raises(EnrolmentParked):
        execution.step(acme.task)
    assert state(acme) == "parked"
    acme.work_jobs()
    go(acme, days=3)
    assert mails(acme) == 2


def test_paused_again_before_the_job_came_to_them_they_stay_parked(acme: World) -> None:
    acme.track("ada", "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme)
    done(act(acme, "resume"))
    done(act(acme, "pause", {"what": "all"}))
    acme.work_jobs()
    go(acme, days=3)
    assert (mails(acme), state(acme)) == (0, "parked")
    done(act(acme, "resume"))
    acme.work_jobs()
    go(acme, days=3)
    assert mails(acme) == 2


def test_paused_again_after_the_job_handed_them_on_they_stay_parked(acme: World) -> None:
    acme.track("ada", "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme)
    done(act(acme, "resume"))
    acme.work_jobs(rounds=1)
    done(act(acme, "pause", {"what": "all"}))
    acme.work_jobs()
    go(acme)
    assert (mails(acme), state(acme)) == (0, "parked")


def test_resuming_more_than_one_page_loses_and_doubles_nobody(acme: World) -> None:
    people = [f"user-{number}" for number in range(70)]
    for person in people:
        acme.ingest(
            "identify", {"userId": person, "traits": {"email": f"{person}@people.example"}, "messageId": person}
        )
        acme.ingest("track", {"userId": person, "event": "Signed Up", "messageId": f"s-{person}"})
    acme.pump()
    done(act(acme, "pause", {"what": "all"}))
    go(acme)
    assert acme.ses.accepted == []
    done(act(acme, "resume"))
    acme.work_jobs()
    (job,) = show(acme)["jobs"]
    assert (job["kind"], job["state"], job["found"], job["done"]) == ("resume", "done", 70, 70)
    go(acme, days=3)
    assert sorted(to for mail in acme.ses.accepted for to in mail["Destination"]["ToAddresses"]) == sorted(
        f"{person}@people.example" for person in people * 2
    )


def test_only_so_many_can_be_paused_wholly_at_once(acme: World) -> None:
    names = [f"a{number}" for number in range(MOST_HALTED)]
    acme.dynamodb.update_item(
        TableName="Workspaces",
        Key={"pk": {"S": "acme"}},
        UpdateExpression="SET halted = :names",
        ExpressionAttributeValues={":names": {"SS": names}},
    )
    status, answer = act(acme, "pause", {"what": "all"})
    assert (status, answer["code"]) == (409, "too_many_paused")
    assert show(acme)["state"] == "live"
    assert done(act(acme, "pause"))["state"] == "entries_paused"


# --- archive and end -------------------------------------------------------------------------------------------------


def test_nobody_enters_an_archived_automation_and_those_inside_finish(acme: World) -> None:
    acme.track("ada", "Signed Up")
    assert done(act(acme, "archive"))["state"] == "archived"
    acme.track("bob", "Signed Up")
    go(acme, days=3)
    assert (mails(acme), enrolments(acme, "bob")) == (2, [])
    status, answer = act(acme, "pause")
    assert (status, answer["code"]) == (409, "automation_archived")
    assert done(act(acme, "resume"))["state"] == "archived"
    done(act(acme, "unarchive"))
    acme.track("bob", "Signed Up")
    assert len(enrolments(acme, "bob")) == 1


def test_an_archived_automation_is_not_published(acme: World) -> None:
    done(act(acme, "archive"))
    acme.call("automations", "PUT /v1/automations/{name}", {**TOUR, "description": "new"}, path={"name": "tour"})
    status, answer = act(acme, "publish")
    assert (status, answer["code"]) == (409, "automation_archived")


def test_archiving_ends_those_inside_if_asked_to(acme: World) -> None:
    acme.track("ada", "Signed Up")
    go(acme, hours=1)
    done(act(acme, "archive", {"end": True}))
    acme.work_jobs()
    (found,) = enrolments(acme)
    assert (found["state"], found["error"]) == ("exited", "ended")
    assert all(one.is_over for one in acme.executions.values())
    go(acme, days=3)
    assert mails(acme) == 1


def test_those_parked_go_on_when_their_automation_is_archived(acme: World) -> None:
    acme.track("ada", "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme)
    done(act(acme, "archive"))
    acme.work_jobs()
    go(acme, days=3)
    assert mails(acme) == 2


def test_those_parked_are_ended_too_and_entries_alone_stay_paused(acme: World) -> None:
    acme.track("ada", "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme)
    done(act(acme, "end"))
    acme.work_jobs()
    assert state(acme) == "exited"
    assert done(act(acme, "pause", {"what": "entries"}))["state"] == "entries_paused"


def test_all_inside_are_ended_and_whoever_enters_after_that_is_not(acme: World) -> None:
    acme.track("ada", "Signed Up")
    go(acme, hours=1)
    done(act(acme, "end"))
    acme.now += timedelta(seconds=1)
    acme.track("bob", "Signed Up")
    acme.work_jobs()
    assert (state(acme), state(acme, "bob")) == ("exited", "live")
    (job,) = show(acme)["jobs"]
    assert (job["kind"], job["state"], job["found"], job["done"]) == ("end", "done", 1, 1)


def test_those_of_one_version_are_ended(acme: World) -> None:
    acme.track("ada", "Signed Up")
    acme.automation({**TOUR, "description": "new"})
    acme.track("bob", "Signed Up")
    done(act(acme, "end", {"version": 1}))
    acme.work_jobs()
    assert (state(acme), state(acme, "bob")) == ("exited", "live")


def test_a_failed_enrolment_is_ended_and_not_resumed_after_that(acme: World) -> None:
    acme.track("ada", "Signed Up")
    (arn,) = acme.executions
    told = {"executionArn": arn, "status": "FAILED", "input": acme.started[arn], "error": "x"}
    acme.invoke("settle_executions", {"source": "aws.states", "detail": told})
    done(act(acme, "end"))
    acme.work_jobs()
    assert state(acme) == "exited"
    assert done(act(acme, "resume", {"lost": True}))["resumed"] == 0


def test_the_end_of_an_execution_that_was_ended_is_not_taken_for_another_state(acme: World) -> None:
    acme.track("ada", "Signed Up")
    (arn,) = acme.executions
    done(act(acme, "end"))
    acme.work_jobs()
    for status in ("ABORTED", "FAILED", "SUCCEEDED"):
        told = {"executionArn": arn, "status": status, "input": acme.started[arn], "error": None}
        acme.invoke("settle_executions", {"source": "aws.states", "detail": told})
        assert state(acme) == "exited"


def test_an_end_between_a_tasks_reading_and_its_claim_lets_no_mail_go(acme: World) -> None:
    acme.track("ada", "Signed Up")
    (execution,) = acme.executions.values()

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and acme.running == "send_email":
            acme.recorder.before = None
            done(act(acme, "end"))
            acme.work_jobs()

    acme.recorder.before = before
    with pytest.raises(Exception, match="first"):
        execution.step(acme.task)
    assert (acme.ses.accepted, state(acme)) == ([], "exited")


# --- publishing ------------------------------------------------------------------------------------------------------


def changed(world: World, **fields: Any) -> None:
    path = {"name": "tour"}
    assert world.call("automations", "PUT /v1/automations/{name}", {**TOUR, **fields}, path=path)[0] == 200


def test_what_publishing_would_do_is_told_before_and_nothing_is_done(acme: World) -> None:
    acme.track("ada", "Signed Up")
    components = {**TOUR["components"], "second": {"type": "send_email", "template": "thanks", "next": "third"}}
    changed(acme, components={**components, "third": {"type": "send_email", "template": "tips"}})
    before = acme.items("TABLE_AUTOMATIONS")
    told = done(act(acme, "publish", {"dry_run": True}))
    assert told == {
        "automation": "tour",
        "version": 2,
        "changed": True,
        "changes": {"keys": [], "added": ["third"], "removed": [], "changed": ["second"]},
        "inside": [{"version": 1, "live": 1, "parked": 0, "failed": 0}],
    }
    assert acme.items("TABLE_AUTOMATIONS") == before


def settled(world: World, user: str, status: str) -> None:
    """EventBridge tells how somebody's execution ended."""
    contact = world.contact(user_id=user)["contact"]
    (arn,) = [arn for arn, told in world.started.items() if json.loads(told)["contact"] == contact]
    detail = {"executionArn": arn, "status": status, "input": world.started[arn], "error": None}
    world.invoke("settle_executions", {"source": "aws.states", "detail": detail})
    world.executions[arn].state = ""


def test_those_inside_are_counted_by_version_and_state_however_many_entered(acme: World) -> None:
    """Nobody is looked at for it: rows of counts are read in as many pages as they take, here in one for each row."""
    for number in range(9):
        acme.track(f"early-{number}", "Signed Up")
    go(acme, days=3)
    for number in range(7):
        acme.track(f"first-{number}", "Signed Up")
    go(acme, hours=1)
    for user, status in (("first-0", "FAILED"), ("first-1", "TIMED_OUT"), ("first-2", "ABORTED")):
        settled(acme, user, status)
    changed(acme, description="new")
    done(act(acme, "publish"))
    go(acme, days=1)
    for number in range(5):
        acme.track(f"second-{number}", "Signed Up")
    go(acme, hours=1)
    done(act(acme, "pause", {"what": "all"}))
    go(acme, days=1)
    read: list[Call] = []

    def one_row_at_once(call: Call) -> None:
        if call.operation == "Query" and acme.running == "automations":
            read.append(call)
            call.arguments["Limit"] = 1

    acme.recorder.before = one_row_at_once
    told = done(act(acme, "publish", {"dry_run": True}))["inside"]
    acme.recorder.before = None
    assert told == [
        {"version": 2, "live": 5, "parked": 0, "failed": 0},
        {"version": 1, "live": 0, "parked": 4, "failed": 2},
    ]
    recount = Counter(
        (int(item["version"]["N"]), item["state"]["S"]) for item in acme.items("TABLE_ENROLMENTS") if "version" in item
    )
    assert recount == {
        (1, "completed"): 9, (1, "stopped"): 1, (1, "parked"): 4, (1, "failed"): 2, (2, "live"): 5,
    }  # fmt: skip
    tables = Counter(call.arguments["TableName"] for call in read)
    assert tables["Tallies"] > 16
    assert tables["Enrolments"] == 0


def test_who_goes_on_or_is_ended_after_a_pause_is_not_counted_as_parked_any_more(acme: World) -> None:
    def inside() -> list[dict[str, int]]:
        found: list[dict[str, int]] = done(act(acme, "publish", {"dry_run": True}))["inside"]
        return found

    for user in ("ada", "bob"):
        acme.track(user, "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme, hours=1)
    assert inside() == [{"version": 1, "live": 0, "parked": 2, "failed": 0}]
    done(act(acme, "resume"))
    acme.work_jobs()
    assert inside() == [{"version": 1, "live": 2, "parked": 0, "failed": 0}]
    done(act(acme, "pause", {"what": "all"}))
    go(acme, hours=1)
    assert inside() == [{"version": 1, "live": 0, "parked": 2, "failed": 0}]
    done(act(acme, "end"))
    acme.work_jobs()
    assert inside() == []


@pytest.mark.parametrize("follows", [True, False])
def test_a_mail_that_went_while_another_try_of_its_task_was_parked_does_not_go_again(
    acme: World, follows: bool
) -> None:
    """The step is recorded; who has no other before them has come to the end, and rests for no pause."""
    if not follows:
        changed(acme, start="second", components={"second": TOUR["components"]["second"]})
        done(act(acme, "publish"))
    acme.track("ada", "Signed Up")
    (execution,) = acme.executions.values()

    def twice(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        def before(call: Call) -> None:
            if call.name == "sesv2:SendEmail":
                acme.recorder.before = None
                done(act(acme, "pause", {"what": "all"}))
                with pytest.raises(EnrolmentParked):
                    acme.task(arn, payload)
                assert state(acme) == "parked"

        acme.recorder.before = before
        return acme.task(arn, payload)

    execution.step(twice)
    told = done(act(acme, "publish", {"dry_run": True}))["inside"]
    assert state(acme) == ("parked" if follows else "completed")
    assert told == ([{"version": 1, "live": 0, "parked": 1, "failed": 0}] if follows else [])
    done(act(acme, "resume"))
    acme.work_jobs()
    go(acme, days=3)
    assert (mails(acme), state(acme)) == (2 if follows else 1, "completed")
    assert done(act(acme, "publish", {"dry_run": True}))["inside"] == []


def test_those_inside_finish_on_their_version_unless_they_are_ended(acme: World) -> None:
    acme.track("ada", "Signed Up")
    changed(acme, start="second", components={"second": TOUR["components"]["second"]})
    done(act(acme, "publish"))
    go(acme, days=3)
    assert (mails(acme), enrolments(acme)[0]["version"]) == (2, 1)


def test_those_inside_earlier_versions_are_ended_when_publishing_if_asked_to(acme: World) -> None:
    acme.track("ada", "Signed Up")
    changed(acme, description="new")
    answer = done(act(acme, "publish", {"inside": "end"}))
    assert (answer["version"], answer["changed"], bool(answer["job"])) == (2, True, True)
    acme.track("bob", "Signed Up")
    acme.work_jobs()
    assert (state(acme), state(acme, "bob")) == ("exited", "live")


def test_ending_by_publishing_is_asked_for_again_by_a_repeat(acme: World) -> None:
    """The first call may have been cut off behind the publication."""
    acme.track("ada", "Signed Up")
    changed(acme, description="new")
    done(act(acme, "publish"))
    answer = done(act(acme, "publish", {"inside": "end"}))
    assert (answer["changed"], bool(answer["job"])) == (False, True)
    acme.work_jobs()
    assert state(acme) == "exited"


def test_a_batch_of_events_that_began_before_a_publication_enrols_on_the_version_it_knew(acme: World) -> None:
    acme.ingest("track", {"userId": "ada", "event": "Signed Up", "messageId": "m-race"})
    changed(acme, start="second", components={"second": TOUR["components"]["second"]})

    def before(call: Call) -> None:
        if call.operation in ("TransactWriteItems", "PutItem") and acme.running == "react":
            acme.recorder.before = None
            done(act(acme, "publish"))

    acme.recorder.before = before
    acme.pump()
    assert enrolments(acme)[0]["version"] == 1
    go(acme, days=3)
    assert mails(acme) == 2


def test_who_was_enrolled_on_the_earlier_version_by_such_a_batch_is_ended_by_the_next_round(acme: World) -> None:
    acme.ingest("track", {"userId": "ada", "event": "Signed Up", "messageId": "m-race"})
    changed(acme, description="new")

    def before(call: Call) -> None:
        if call.operation in ("TransactWriteItems", "PutItem") and acme.running == "react":
            acme.recorder.before = None
            done(act(acme, "publish", {"inside": "end"}))
            acme.work_jobs(rounds=1)

    acme.recorder.before = before
    acme.pump()
    assert (enrolments(acme)[0]["version"], state(acme)) == (1, "live")
    acme.work_jobs()
    assert state(acme) == "exited"


def test_a_published_version_never_changes(acme: World) -> None:
    def versions() -> dict[str, Any]:
        return {
            item["sk"]["S"]: item
            for item in acme.items("TABLE_AUTOMATIONS")
            if item["sk"]["S"].startswith("version#tour#000001")
        }

    before = versions()
    changed(acme, description="new")
    done(act(acme, "publish"))
    for action, body in (("pause", {"what": "all"}), ("resume", {}), ("end", {}), ("archive", {}), ("unarchive", {})):
        done(act(acme, action, body))
    acme.work_jobs()
    assert versions() == before
    changed(acme)
    done(act(acme, "publish"))
    assert show(acme)["live_version"] == 3
    assert versions() == before


@pytest.mark.parametrize("first", ["pause", "archive", "publish"])
def test_a_publication_and_another_change_at_once_are_one_after_the_other_or_refused(acme: World, first: str) -> None:
    changed(acme, description="new")
    answers: list[tuple[int, Any]] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            acme.recorder.before = None
            answers.append(act(acme, first))

    acme.recorder.before = before
    answers.append(act(acme, "publish"))
    (one, _), (status, answer) = answers
    assert (one, status, answer["code"]) == (200, 409, "automation_changed")


def test_two_pauses_at_once_leave_one_of_both(acme: World) -> None:
    answers: list[tuple[int, Any]] = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            acme.recorder.before = None
            answers.append(act(acme, "pause", {"what": "all"}))

    acme.recorder.before = before
    answers.append(act(acme, "pause"))
    assert [status for status, _ in answers] == [200, 409]
    assert show(acme)["state"] == "paused"


# --- the log, and who may --------------------------------------------------------------------------------------------


def test_every_change_is_logged_with_who_and_when(acme: World) -> None:
    begun = len(show(acme)["log"])
    for action, body in (
        ("pause", {"what": "all"}),
        ("resume", {}),
        ("archive", {"end": True}),
        ("unarchive", {}),
        ("end", {"version": 1}),
    ):
        acme.now += timedelta(minutes=1)
        done(act(acme, action, body))
    acme.now += timedelta(minutes=1)
    changed(acme, description="new")
    acme.now += timedelta(minutes=1)
    done(act(acme, "publish", {"inside": "end"}))
    log = show(acme)["log"][:-begun]
    assert [(one["what"], one["details"]) for one in reversed(log)] == [
        ("paused", {"what": "all"}),
        ("resumed", {}),
        ("archived", {"ends": True}),
        ("unarchived", {}),
        ("ended", {"version": 1}),
        ("applied", {}),
        ("published", {"version": 2, "ends": True}),
    ]
    assert {one["who"] for one in log} == {"secret"}
    assert log[0]["at"] == acme.now.isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_what_is_applied_again_unchanged_is_not_logged(acme: World) -> None:
    before = show(acme)["log"]
    changed(acme)
    assert show(acme)["log"] == before


@pytest.mark.parametrize("action", ["pause", "resume", "archive", "unarchive", "end", "publish"])
def test_nobody_elses_automation_is_changed_and_none_that_is_not_there(acme: World, action: str) -> None:
    before = acme.items("TABLE_AUTOMATIONS")
    for name, key in (("tour", acme.other_secret), ("nobodys", "secret")):
        status, answer = act(acme, action, name=name, key=key)
        assert (status, answer["code"]) == (404, "unknown_automation")
    assert acme.items("TABLE_AUTOMATIONS") == before
    assert acme.messages_in("jobs") == []


@pytest.mark.parametrize("action", ["pause", "resume", "archive", "unarchive", "end"])
def test_what_was_never_published_has_no_state(acme: World, action: str) -> None:
    acme.call("automations", "PUT /v1/automations/{name}", {**TOUR, "automation": "draft"}, path={"name": "draft"})
    status, answer = act(acme, action, name="draft")
    assert (status, answer["code"]) == (409, "automation_not_published")
    assert show(acme, "draft")["state"] is None


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("pause", {"what": "mails"}, "invalid_request"),
        ("pause", {"all": True}, "invalid_request"),
        ("archive", {"end": "yes"}, "invalid_request"),
        ("unarchive", {"end": True}, "invalid_request"),
        ("end", {"version": 0}, "invalid_request"),
        ("publish", {"inside": "stay"}, "invalid_request"),
        ("resume", {"contact": "c1"}, "invalid_request"),
        ("resume", {"cursor": "nonsense"}, "invalid_cursor"),
        ("stop", {}, "unknown_action"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(acme: World, action: str, body: Any, code: str) -> None:
    status, answer = act(acme, action, body)
    assert (status, answer["code"]) == (404 if code == "unknown_action" else 400, code)


@pytest.mark.parametrize(("action", "body"), [("pause", {}), ("archive", {"end": True}), ("end", {}), ("resume", {})])
def test_a_change_whose_job_cannot_be_begun_is_told_and_done_by_its_repeat(
    acme: World, action: str, body: dict[str, Any]
) -> None:
    acme.track("ada", "Signed Up")
    done(act(acme, "pause", {"what": "all"}))
    go(acme)

    def before(call: Call) -> None:
        if call.name == "sqs:SendMessage":
            raise ClientError({"Error": {"Code": "InternalError", "Message": "x"}}, call.operation)

    acme.recorder.before = before
    assert act(acme, action, body)[0] == 503
    acme.recorder.before = None
    acme.work_jobs()
    done(act(acme, action, body))
    acme.work_jobs()
    go(acme, days=3)
    ends = action == "end" or bool(body.get("end"))
    assert (state(acme), mails(acme)) == (("exited", 0) if ends else ("completed", 2))
