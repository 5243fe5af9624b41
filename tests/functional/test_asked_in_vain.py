"""`start_automation` names an automation that takes nobody in so: that is kept, and the step and the account say it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_components_acting import plan, signed_up
from tests.functional.test_components_acting import why as why_of_step
from tests.functional.test_reentry import refused
from tests.functional.test_waits import at_call
from tests.functional.test_why import why
from tests.support.lifecycle import act
from tests.support.world import World

MINUTE = timedelta(minutes=1)
END = {"type": "update_contact", "set": {"seen": True}}
OTHER: dict[str, Any] = {"automation": "other", "trigger": {"api": True}, "start": "here", "components": {"here": END}}
ASKED = {"type": "start_automation", "automation": "other"}


def nothing(world: World) -> None:
    """There is no such automation."""


def draft(world: World) -> None:
    assert world.call("automations", "PUT /v1/automations/{name}", OTHER, path={"name": "other"})[0] == 200


def otherwise(world: World) -> None:
    world.automation({**OTHER, "trigger": {"event": "Ordered"}})


def paused(world: World) -> None:
    world.automation(OTHER)
    assert act(world, "pause", name="other")[0] == 200


def halted(world: World) -> None:
    world.automation(OTHER)
    assert act(world, "pause", {"what": "all"}, name="other")[0] == 200


def archived(world: World) -> None:
    world.automation(OTHER)
    assert act(world, "archive", name="other")[0] == 200


WAYS = [
    (nothing, 0, "not_published", "it was not published"),
    (draft, 0, "not_published", "it was not published"),
    (otherwise, 1, "not_by_request", "its trigger was not `api: true`"),
    (paused, 1, "paused", "it was paused"),
    (halted, 1, "paused", "it was paused"),
    (archived, 1, "archived", "it was archived"),
]
each = pytest.mark.parametrize(("prepare", "version", "reason", "because"), WAYS)


@each
def test_it_is_kept_why_they_did_not_enter(world: World, prepare: Any, version: int, reason: str, because: str) -> None:
    prepare(world)
    plan(world, **ASKED)
    signed_up(world)
    (kept,) = refused(world)
    (one,) = kept.refused
    assert (one.automation, one.version, one.reason.value, one.sentence) == ("other", version, reason, because)
    assert kept.event["event"] == "Automation Requested"


@each
def test_the_account_says_it(world: World, prepare: Any, version: int, reason: str, because: str) -> None:
    prepare(world)
    plan(world, **ASKED)
    signed_up(world)
    account = why(world, user_id="ada", automation="other")
    assert account["code"] == "never_entered"
    assert account["answer"].endswith(f"because {because}.")
    assert account["answer"].startswith("They never entered other")
    assert account["refused"][0]["refused"][0]["reason"] == reason


@each
def test_the_step_says_it(world: World, prepare: Any, version: int, reason: str, because: str) -> None:
    prepare(world)
    plan(world, **ASKED)
    ada = signed_up(world)
    told = why_of_step(world, ada)
    assert told["found"] == f"other was asked, which took nobody in because {because}"
    assert (told["check"], told["reason"]) == ("requested", reason)


def test_a_step_that_asks_one_that_takes_people_in_says_no_more(world: World) -> None:
    world.automation(OTHER)
    plan(world, **ASKED)
    ada = signed_up(world)
    told = next(one["path"][0]["why"] for one in world.of_contact(ada, "enrolments") if one["automation"] == "plan")
    assert (told["found"], "reason" in told) == ("other was asked", False)
    assert refused(world) == []


def test_who_is_taken_in_since_it_was_published_before_the_request_was_heard_enters(world: World) -> None:
    plan(world, **ASKED)
    at_call(world, "act", "dynamodb:TransactWriteItems", lambda: world.automation(OTHER))
    ada = signed_up(world)
    assert sorted(one["automation"] for one in world.of_contact(ada, "enrolments")) == ["other", "plan"]
    assert refused(world) == []


def test_who_entered_it_once_and_was_asked_in_vain_later_is_told_so(world: World) -> None:
    world.automation(OTHER)
    plan(world, **ASKED)
    signed_up(world)
    otherwise(world)
    world.now += MINUTE
    world.track("ada", "Signed Up")
    world.run()
    (note,) = why(world, user_id="ada", automation="other")["notes"]
    assert note.endswith("and did not enter other again because its trigger was not `api: true`.")


def test_what_is_repeated_is_kept_once(world: World) -> None:
    plan(world, **ASKED)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    execution = next(iter(world.executions.values()))
    execution.step(world.task, world.now)
    records = world.new_records()
    for _ in range(3):
        assert world.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert len(refused(world)) == 1


def test_what_an_app_calls_a_request_is_none(world: World) -> None:
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Automation Requested", automation="other")
    assert refused(world) == []


def test_an_automation_that_is_asked_in_vain_costs_a_read_of_the_contact_and_a_write(world: World) -> None:
    plan(world, **ASKED)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    world.recorder.clear()
    next(iter(world.executions.values())).step(world.task, world.now)
    # The version, what stands around the step with the other automation, and the step with the request.
    assert world.recorder.names() == ["dynamodb:BatchGetItem", "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"]
    records = world.new_records()
    world.recorder.clear()
    world.invoke("react", {"Records": records})
    assert world.recorder.names() == ["dynamodb:BatchGetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"]


def test_an_automation_that_hears_every_request_takes_in_who_is_asked_for_it(world: World) -> None:
    world.automation({**OTHER, "trigger": {"event": "Automation Requested"}})
    plan(world, **ASKED)
    ada = signed_up(world)
    found = {one["automation"]: one for one in world.of_contact(ada, "enrolments")}
    assert found["plan"]["path"][0]["why"]["found"] == "other was asked"
    assert "other" in found
    assert refused(world) == []
