"""An execution that may last no longer is continued by exactly one new one, however often that is asked for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.faults import MODES, Fault, Repeating
from tests.support.machine import Execution
from tests.support.world import World

from tidings.automations.machines import lasting

DAY = timedelta(days=1)
MONTHLY: dict[str, Any] = {
    "automation": "monthly",
    "trigger": {"event": "Signed Up"},
    "start": "mail",
    "components": {
        "mail": {"type": "send_email", "template": "tips", "next": "month"},
        "month": {"type": "wait", "for": "30 days", "next": "stays"},
        "stays": {
            "type": "branch",
            "arms": [{"name": "gone", "when": {"did": "Account Closed", "since": "enrolment"}}],
            "otherwise": "mail",
        },
    },
}
BACK: dict[str, Any] = {
    "automation": "back",
    "trigger": {"event": "Signed Up"},
    "start": "mail",
    "components": {
        "mail": {"type": "send_email", "template": "tips", "next": "back"},
        "back": {
            "type": "wait_for",
            "arms": [{"name": "Came back", "event": "Signed In", "next": "hello"}],
            "timeout": "1000 days",
            "on_timeout": "bye",
        },
        "hello": {"type": "send_email", "template": "hello"},
        "bye": {"type": "send_email", "template": "bye"},
    },
}


@pytest.fixture
def ada(world: World) -> World:
    """A workspace in which Ada is known and may be written to."""
    for template in ("tips", "hello", "bye"):
        world.template(template)
    world.identify("ada", email="ada@people.example")
    return world


def executions(world: World) -> list[Execution]:
    return list(world.executions.values())


def enrolment(world: World) -> dict[str, Any]:
    (found,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    return dict(found)


def test_a_loop_goes_on_in_new_executions_and_misses_no_month(ada: World) -> None:
    ada.automation(MONTHLY)
    ada.track("ada", "Signed Up")
    ada.run(25 * 30 * DAY)
    assert len(executions(ada)) == 3
    assert [one.is_over for one in executions(ada)] == [True, True, False]
    assert [one.data.get("run", 0) for one in executions(ada)] == [0, 1, 2]
    assert executions(ada)[0].states[-2:] == ["Rest", "Renew"]
    assert len(ada.ses.accepted) == 26
    path = enrolment(ada)["path"]
    assert [step["n"] for step in path] == list(range(1, len(path) + 1))
    ada.track("ada", "Account Closed")
    ada.run(30 * DAY)
    assert (enrolment(ada)["state"], len(ada.ses.accepted)) == ("completed", 26)


def test_an_execution_that_took_many_steps_is_continued(ada: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "MOST_STEPS", 4)
    ada.automation(MONTHLY)
    ada.track("ada", "Signed Up")
    ada.run(9 * 30 * DAY)
    assert len(ada.ses.accepted) == 10
    assert len(executions(ada)) == 4
    assert all(sum(state in ("mail", "stays") for state in one.states) <= 5 for one in executions(ada))


@pytest.mark.parametrize(("day", "mail"), [(299, "hello"), (301, "hello"), (999, "hello"), (1001, "bye")])
def test_a_wait_for_an_event_of_years_hears_what_comes_until_its_deadline(ada: World, day: int, mail: str) -> None:
    ada.automation(BACK)
    ada.track("ada", "Signed Up")
    ada.run(day * DAY)
    ada.track("ada", "Signed In")
    ada.run(timedelta(hours=1))
    assert [step["component"] for step in enrolment(ada)["path"]] == ["mail", "back", mail]
    assert len(executions(ada)) == 1 + min(day, 999) // 300
    assert enrolment(ada)["state"] == "completed"
    if mail == "bye":
        sent, waited, _ = (datetime.fromisoformat(step["at"]) for step in enrolment(ada)["path"])
        assert waited - sent == 1000 * DAY


def at_renew(world: World) -> World:
    """Ada's first execution, about to be continued."""
    world.automation(MONTHLY)
    world.track("ada", "Signed Up")
    world.run(299 * DAY)
    (execution,) = executions(world)
    while execution.state != "Renew":
        world.now = execution.wait() or world.now
        execution.step(world.task, world.now)
    return world


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("mode", MODES)
def test_whatever_dies_while_an_execution_is_continued_one_follows(ada: World, number: int, mode: str) -> None:
    at_renew(ada)
    fault = Fault(ada, "act", number, mode)
    ada.recorder.before, ada.recorder.after = fault.before, fault.after
    (execution,) = executions(ada)
    execution.step(Repeating(ada).task, ada.now)
    assert fault.struck or number == 2
    assert execution.is_over
    assert len(executions(ada)) == 2
    ada.run(30 * DAY)
    mails = [step for step in enrolment(ada)["path"] if step["component"] == "mail"]
    assert len(mails) == len(ada.ses.accepted) == 12


def asked(world: World) -> tuple[str, dict[str, Any]]:
    """What the first execution asks to be continued by."""
    told: list[tuple[str, dict[str, Any]]] = []

    def note(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        told.append((arn, payload))
        return {}

    executions(world)[0].step(note, world.now)
    return told[0]


def test_asking_many_times_starts_one(ada: World) -> None:
    arn, payload = asked(at_renew(ada))
    for _ in range(3):
        assert ada.task(arn, payload) == {}
        ada.now += DAY
    assert len(executions(ada)) == 2
    assert len(ada.recorder.of("stepfunctions:StartExecution")) == 4


def test_two_who_ask_at_once_start_one(ada: World) -> None:
    arn, payload = asked(at_renew(ada))

    def before(call: Any) -> None:
        if call.operation in ("UpdateItem", "TransactWriteItems"):
            ada.recorder.before = None
            ada.task(arn, payload)

    ada.recorder.before = before
    with pytest.raises(Exception, match="enrolment_changed"):
        ada.task(arn, payload)
    assert ada.task(arn, payload) == {}
    assert len(executions(ada)) == 2


def test_where_there_is_no_room_it_is_put_off_and_not_lost(ada: World) -> None:
    arn, payload = asked(at_renew(ada))
    ada.start_failures = ["ExecutionLimitExceeded"]
    assert ada.task(arn, payload) == {}
    assert len(executions(ada)) == 1
    (put_off,) = ada.messages_in("starts")
    assert put_off["automation"] == "monthly"
    record = {"messageId": "1", "body": json.dumps(put_off)}
    assert ada.invoke("start_enrolments", {"Records": [record]}) == {"batchItemFailures": []}
    assert len(executions(ada)) == 2


def test_who_is_not_live_any_more_is_not_continued(ada: World) -> None:
    arn, payload = asked(at_renew(ada))
    ada.erase(ada.contact(user_id="ada")["contact"])
    assert ada.task(arn, payload) == {}
    assert len(executions(ada)) == 1


def test_continuing_costs_two_calls_and_a_start(ada: World) -> None:
    arn, payload = asked(at_renew(ada))
    ada.task(arn, payload)
    ada.recorder.calls.clear()
    ada.task(arn, payload)
    assert [call.name for call in ada.recorder.calls] == ["dynamodb:BatchGetItem", "stepfunctions:StartExecution"]


def test_what_ends_a_wait_while_its_execution_is_continued_is_not_lost(ada: World) -> None:
    """The event comes after the old execution gave its token up, and before the new one has one."""
    ada.automation(BACK)
    ada.track("ada", "Signed Up")
    ada.run(timedelta())
    (execution,) = executions(ada)
    ada.now += 300 * DAY
    while execution.state != "Renew":
        execution.step(ada.task, ada.now)
    ada.track("ada", "Signed In")
    ada.run(timedelta(hours=1))
    assert [step["component"] for step in enrolment(ada)["path"]] == ["mail", "back", "hello"]
    assert len(ada.ses.accepted) == 2
    assert enrolment(ada)["state"] == "completed"


def test_who_waits_on_in_a_new_execution_has_as_long_from_there(ada: World) -> None:
    """What follows the wait is not counted from the execution in which it began."""
    pause = {"type": "wait", "for": "30 days", "next": "thanks"}
    components = {**BACK["components"], "hello": {**BACK["components"]["hello"], "next": "pause"}, "pause": pause}
    components["back"] = {**components["back"], "arms": [{"name": "Came back", "event": "Signed In", "next": "pause"}]}
    del components["hello"]
    components["thanks"] = {"type": "send_email", "template": "hello"}
    ada.automation({**BACK, "components": components})
    ada.track("ada", "Signed Up")
    ada.run(310 * DAY)
    ada.track("ada", "Signed In")
    ada.run(31 * DAY)
    assert [step["component"] for step in enrolment(ada)["path"]] == ["mail", "back", "thanks"]
    assert [one.states[-1] for one in executions(ada)] == ["Renew", "thanks"]
