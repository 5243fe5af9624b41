"""Waiting for an event: it wakes whoever waits, whenever it comes, exactly once; and so does the end of the time.

The interleavings are forced: something happens at the moment at which a function is about to make a call to AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.functional.test_feedback import OPEN
from tests.support.machine import Execution
from tests.support.recorder import Call
from tests.support.world import World, variables

from tidings.automations.webhooks.gateway import Heard, WebhookGateway
from tidings.core.clock import SystemClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANSWER = "Booking Answered"
YES = {"property": "meaning", "is": "confirm"}
BOOKING: dict[str, Any] = {
    "automation": "booking",
    "trigger": {"event": "Booking Requested"},
    "start": "ask",
    "components": {
        "ask": {"type": "send_email", "template": "ask", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [
                {"name": "Confirmed", "event": ANSWER, "where": YES, "next": "thanks"},
                {"name": "Called off", "event": "Booking Cancelled"},
            ],
            "timeout": "2 days",
            "on_timeout": "reminder",
        },
        "thanks": {"type": "send_email", "template": "thanks"},
        "reminder": {"type": "send_email", "template": "reminder"},
    },
}


@pytest.fixture
def ada(world: World) -> World:
    """A workspace that asks whether a booking stands; Ada is known and has asked for one, and her machine has begun."""
    for template in ("ask", "thanks", "reminder"):
        world.template(template)
    world.automation(BOOKING)
    world.identify("ada", email="ada@people.example", firstName="Ada")
    world.track("ada", "Booking Requested", room="blue")
    return world


def machine(world: World) -> Execution:
    """The execution that was started last."""
    return list(world.executions.values())[-1]


def step(world: World, times: int = 1) -> None:
    """Let the last execution take a step, without anything else happening."""
    for _ in range(times):
        machine(world).step(world.task, world.now)


def waiting(world: World) -> World:
    """Ada's machine at the wait, and nothing more to happen by itself."""
    world.run()
    assert machine(world).token
    return world


def reported(world: World, event: str = ANSWER, user: str = "ada", **properties: Any) -> dict[str, Any]:
    """An event that is stored, and that nobody has reacted to."""
    message = {"userId": user, "event": event, "properties": properties, "messageId": world.fresh()}
    assert world.ingest("track", message)[0] == 200
    return message


def goes_to(world: World) -> str:
    """The component that follows, for somebody who does not wait any more."""
    assert not machine(world).token
    return str(machine(world).data["at"]["next"])


def subjects(world: World) -> list[str]:
    """The mails that went out, each once."""
    assert len(set(world.ses.messages())) == len(world.ses.accepted)
    return [mail["Content"]["Simple"]["Subject"]["Data"].partition(" ")[0] for mail in world.ses.accepted]


def enrolment(world: World) -> dict[str, Any]:
    (found,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    return found


def path(world: World) -> list[tuple[str, str]]:
    return [(taken["component"], taken["outcome"]) for taken in enrolment(world)["path"]]


def at_call(world: World, function: str, name: str, do: Callable[[], Any], skip: int = 0) -> None:
    """Do something once, right before a function makes a call; the world's own calls are not seen meanwhile."""
    left = [skip]

    def before(call: Call) -> None:
        if world.running == function and call.name == name:
            if left[0]:
                left[0] -= 1
                return
            world.recorder.before = None
            do()

    world.recorder.before = before


CONFIRMED = [("ask", "accepted"), ("answer", "Confirmed"), ("thanks", "accepted")]
TIMED_OUT = [("ask", "accepted"), ("answer", "timeout"), ("reminder", "accepted")]


# --- the ordinary way ------------------------------------------------------------------------------------------------


def test_whoever_waits_goes_on_as_soon_as_the_event_comes(ada: World) -> None:
    waiting(ada)
    ada.now += HOUR
    ada.track("ada", ANSWER, meaning="confirm")
    assert goes_to(ada) == "thanks"
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def test_whoever_waits_in_vain_goes_on_when_the_time_is_over(ada: World) -> None:
    waiting(ada)
    ada.run(2 * DAY - timedelta(seconds=1))
    assert machine(ada).token
    ada.run(timedelta(seconds=1))
    assert (subjects(ada), path(ada)) == (["ask", "reminder"], TIMED_OUT)
    taken = enrolment(ada)["path"][1]["why"]
    assert taken["found"].startswith("Booking Answered or Booking Cancelled did not come")


def test_each_arm_leads_its_own_way_and_another_event_or_meaning_ends_nothing(ada: World) -> None:
    waiting(ada)
    ada.track("ada", ANSWER, meaning="call me")
    ada.track("ada", "Page Liked")
    assert machine(ada).token
    ada.track("ada", "Booking Cancelled")
    ada.run()
    assert machine(ada).is_over
    assert path(ada)[1:] == [("answer", "Called off")]
    assert enrolment(ada)["state"] == "completed"


def test_where_may_ask_for_what_is_known_of_the_person(world: World) -> None:
    arms = [{"name": "Yes", "event": "Paid", "where": {"trait": "plan", "is": "team"}, "next": "mail"}]
    wait = {"type": "wait_for", "arms": arms, "timeout": "1 day", "on_timeout": "mail"}
    world.template("tips")
    mail = {"type": "send_email", "template": "tips"}
    world.automation({"automation": "a", "trigger": {"event": "Asked"}, "start": "w", "components": {
        "w": wait, "mail": mail}})  # fmt: skip
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Asked")
    world.run()
    world.track("ada", "Paid")
    assert machine(world).token
    world.identify("ada", plan="team")
    world.track("ada", "Paid")
    assert not machine(world).token


def test_the_step_says_what_came_and_the_machine_is_told_ids_and_times_only(ada: World) -> None:
    waiting(ada)
    ada.recorder.clear()
    ada.track("ada", ANSWER, meaning="confirm", note="Zz secret")
    (told,) = ada.recorder.of("stepfunctions:SendTaskSuccess")
    assert json.loads(told.arguments["output"]) == {"n": 2, "next": "thanks", "until": {}}
    why = enrolment(ada)["path"][1]["why"]
    assert (why["check"], why["arms"]["Confirmed"]["result"]) == ("event", True)
    assert why["event"].startswith("event:")
    given = [payload for payload in ada.started.values() if "Zz" in payload]
    assert given == []


# --- no lost wake-up -------------------------------------------------------------------------------------------------


def test_an_answer_that_was_faster_than_the_wait_counts(ada: World) -> None:
    step(ada)  # the question is sent
    ada.now += timedelta(milliseconds=300)
    ada.track("ada", ANSWER, meaning="confirm")  # nobody waits yet
    step(ada)
    assert goes_to(ada) == "thanks"
    ada.run()
    assert path(ada) == CONFIRMED


@pytest.mark.parametrize(
    ("call", "skip"),
    [
        ("dynamodb:BatchGetItem", 0),  # before anything around the step is read
        ("dynamodb:Query", 0),  # before it is known since when it waits
        ("dynamodb:PutItem", 0),  # right before it is registered
        ("dynamodb:Query", 1),  # right after, before its timeline is read
        ("dynamodb:Query", 2),  # between its two ids
    ],
)
@pytest.mark.parametrize("reacted", [True, False])
def test_an_answer_during_the_registration_wakes_once(ada: World, call: str, skip: int, reacted: bool) -> None:
    step(ada)
    ada.new_records()

    def answered() -> None:
        reported(ada, meaning="confirm")
        if reacted:
            ada.pump()

    at_call(ada, "wait_for", call, answered, skip)
    step(ada)
    ada.recorder.before = None
    ada.pump()
    assert goes_to(ada) == "thanks"
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def test_an_answer_that_react_sees_between_the_reading_of_the_timeline_and_the_end_of_the_task(ada: World) -> None:
    step(ada)
    queries: list[Call] = []
    ada.recorder.before = lambda call: queries.append(call) if call.operation == "Query" else None
    step(ada)
    ada.recorder.before = None
    assert machine(ada).token
    assert len(queries) > 2
    ada.track("ada", ANSWER, meaning="confirm")
    ada.run()
    assert path(ada) == CONFIRMED


@pytest.mark.parametrize("registered", [True, False])
def test_a_wait_that_is_registered_again_with_a_new_token_answers_itself_once_it_is_over(
    ada: World, registered: bool
) -> None:
    """The machine asks again after a fault, and the event came in between: its old token is worth nothing."""
    step(ada)

    def dies(call: Call) -> None:
        if ada.running == "wait_for" and call.name == "dynamodb:PutItem":
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "PutItem")

    def dies_later(call: Call) -> None:
        if ada.running == "wait_for" and call.name == "dynamodb:Query" and "Events" in call.arguments["TableName"]:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "Query")

    ada.recorder.before = dies_later if registered else dies
    with pytest.raises(Exception, match=r"database"):
        step(ada)
    ada.recorder.before = None
    assert not machine(ada).token
    ada.track("ada", ANSWER, meaning="confirm")
    assert [wait.get("ended_by") is not None for wait in waits(ada)] == ([True] if registered else [])
    step(ada)
    assert goes_to(ada) == "thanks"
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def waits(world: World) -> list[dict[str, Any]]:
    return [item for item in world.items("TABLE_ENROLMENTS") if item["sk"]["S"].startswith("#wait#")]


def test_a_repeated_task_with_the_same_token_changes_nothing(ada: World) -> None:
    waiting(ada)
    payload = {**json.loads(next(iter(ada.started.values()))), "n": 1, "component": "answer"}
    payload.pop("at")
    for _ in range(2):
        assert ada.invoke("wait_for", {**payload, "token": machine(ada).token}) == {}
    assert len(waits(ada)) == 1
    ada.track("ada", ANSWER, meaning="confirm")
    ada.invoke("wait_for", {**payload, "token": "token-of-another-attempt"})  # settled, and no error
    ada.run()
    assert path(ada) == CONFIRMED


def test_an_event_that_is_reacted_to_twice_wakes_once(ada: World) -> None:
    waiting(ada)
    reported(ada, meaning="confirm")
    records = ada.new_records()
    for _ in range(3):
        assert ada.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def test_a_machine_that_was_not_told_is_told_by_the_repeat(ada: World) -> None:
    """The step was taken, and then Step Functions did not answer: the wait must not hang until its time is over."""
    waiting(ada)
    reported(ada, meaning="confirm")
    records = ada.new_records()

    def fails(call: Call) -> None:
        if call.name == "stepfunctions:SendTaskSuccess":
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "x"}}, "SendTaskSuccess")

    ada.recorder.before = fails
    assert ada.invoke("react", {"Records": records})["batchItemFailures"]
    ada.recorder.before = None
    assert path(ada)[1] == ("answer", "Confirmed")
    assert machine(ada).token
    assert ada.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert goes_to(ada) == "thanks"


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_worth_nothing_any_more_is_no_error(ada: World, code: str) -> None:
    waiting(ada)
    reported(ada, meaning="confirm")

    def refuse(arguments: dict[str, Any]) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": code, "Message": code}}, "SendTaskSuccess")

    ada.recorder.doubles["stepfunctions:SendTaskSuccess"] = refuse
    assert ada.invoke("react", {"Records": ada.new_records()}) == {"batchItemFailures": []}
    assert ada.messages_in("aside") == []
    assert path(ada)[1] == ("answer", "Confirmed")


def test_two_answers_at_once_wake_once_and_the_first_one_written_counts(ada: World) -> None:
    waiting(ada)
    reported(ada, meaning="confirm")
    first = ada.new_records()
    reported(ada, "Booking Cancelled")
    second = ada.new_records()
    at_call(ada, "react", "dynamodb:TransactWriteItems", lambda: ada.invoke("react", {"Records": second}))
    assert ada.invoke("react", {"Records": first}) == {"batchItemFailures": []}
    ada.run()
    assert path(ada) == [("ask", "accepted"), ("answer", "Called off")]


# --- an event and the end of the time --------------------------------------------------------------------------------


def test_what_came_in_time_wins_although_nobody_has_reacted_to_it_when_the_time_is_over(ada: World) -> None:
    waiting(ada)
    ada.now += 2 * DAY - timedelta(milliseconds=1)
    reported(ada, meaning="confirm")
    ada.now += timedelta(seconds=5)
    step(ada, 2)  # the time runs out, which is settled
    assert path(ada)[1] == ("answer", "Confirmed")
    ada.pump()
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def test_what_came_when_the_time_was_over_does_not_count_however_late_that_is_settled(ada: World) -> None:
    waiting(ada)
    ada.now += 2 * DAY
    ada.track("ada", ANSWER, meaning="confirm")
    assert machine(ada).token  # Step Functions is late
    ada.run()
    assert path(ada) == TIMED_OUT


@pytest.mark.parametrize("call", ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:TransactWriteItems"])
def test_an_answer_and_the_end_of_the_time_at_once_have_one_outcome(ada: World, call: str) -> None:
    """The event is stored in time and reacted to while the end of the time is being settled."""
    waiting(ada)
    ada.now += 2 * DAY - timedelta(milliseconds=1)
    reported(ada, meaning="confirm")
    records = ada.new_records()
    ada.now += timedelta(milliseconds=1)
    step(ada)
    at_call(ada, "wait_for", call, lambda: ada.invoke("react", {"Records": records}))
    step(ada)
    ada.recorder.before = None
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def test_the_end_of_the_time_that_is_written_first_wins(ada: World) -> None:
    """The event is stored after the timeline was read, with a time of before: clocks differ."""
    waiting(ada)
    ada.now += 2 * DAY
    step(ada)

    def late() -> None:
        ada.now -= timedelta(milliseconds=1)
        reported(ada, meaning="confirm")
        ada.now += timedelta(milliseconds=1)

    at_call(ada, "wait_for", "dynamodb:TransactWriteItems", late)
    step(ada)
    ada.pump()
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "reminder"], TIMED_OUT)


# --- since when ------------------------------------------------------------------------------------------------------


def test_what_came_before_the_question_does_not_count(ada: World) -> None:
    ada.track("ada", ANSWER, meaning="confirm")
    ada.now += timedelta(seconds=1)
    waiting(ada)
    assert machine(ada).token


def test_a_question_that_is_answered_before_it_is_known_that_it_went_is_answered(ada: World) -> None:
    """The sender dies when SES had taken the mail; that it went is known a quarter of an hour later."""
    step_at = ada.now

    def dies(call: Call) -> None:
        if ada.running == "send_email" and call.name == "dynamodb:TransactWriteItems" and ada.ses.accepted:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "TransactWriteItems")

    ada.recorder.before = dies
    with pytest.raises(Exception, match=r"database"):
        step(ada)
    ada.recorder.before = None
    ada.now += timedelta(minutes=1)
    ada.track("ada", ANSWER, meaning="confirm")
    ada.now += timedelta(minutes=14)
    ada.feedback(ada.ses.event("Send", ada.ses.accepted[0]))
    step(ada)
    assert enrolment(ada)["path"][0]["at"] > (step_at + timedelta(minutes=14)).isoformat()
    step(ada)
    assert goes_to(ada) == "thanks"


def simple(world: World, automation: str = "simple", **components: dict[str, Any]) -> None:
    """An automation that begins with a sign-up."""
    world.template("tips")
    definition = {"automation": automation, "trigger": {"event": "Signed Up"}, "start": next(iter(components))}
    world.automation({**definition, "components": components})


def wait_for(event: str, following: str, timeout: str = "2 days") -> dict[str, Any]:
    arms = [{"name": event, "event": event, "next": following}]
    return {"type": "wait_for", "arms": arms, "timeout": timeout, "on_timeout": "mail"}


MAIL = {"type": "send_email", "template": "tips"}


def test_what_came_while_it_was_decided_which_way_to_go_counts(world: World) -> None:
    asks = {"type": "branch", "arms": [{"name": "pays", "when": {"trait": "plan", "is": "team"}}], "otherwise": "w"}
    simple(world, ask={**MAIL, "next": "who"}, who=asks, w=wait_for("Answered", "mail"), mail=MAIL)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    step(world)
    world.now += timedelta(seconds=1)
    world.track("ada", "Answered")
    world.now += timedelta(seconds=1)
    step(world, 3)
    assert path(world)[-1] == ("w", "Answered")


def test_after_a_wait_what_came_during_it_does_not_count(world: World) -> None:
    simple(world, hour={"type": "wait", "for": "1 hour", "next": "w"}, w=wait_for("Answered", "mail"), mail=MAIL)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    world.now += HOUR / 2
    world.track("ada", "Answered")
    world.run(HOUR)
    assert machine(world).token
    assert enrolment(world)["until"]["w"].startswith("2026-11-23T10:00")
    world.track("ada", "Answered")
    assert path(world) == [("w", "Answered")]


def test_the_event_that_began_it_all_is_no_answer_and_one_answer_ends_one_wait(world: World) -> None:
    simple(world, w=wait_for("Signed Up", "v"), v=wait_for("Signed Up", "mail"), mail=MAIL)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    execution = machine(world)
    world.run()
    assert execution.state == "w"
    world.track("ada", "Signed Up")
    assert execution.data["at"]["next"] == "v"
    world.run()
    assert execution.token
    world.track("ada", "Signed Up")
    assert execution.state == "mail"


def test_two_events_right_after_one_another_end_two_waits(world: World) -> None:
    """The second one comes before the step that the first one leads to is written."""
    simple(world, w=wait_for("Paid", "v"), v=wait_for("Paid", "mail"), mail=MAIL)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    world.run()
    reported(world, "Paid")
    first = world.new_records()
    world.now += timedelta(milliseconds=5)
    reported(world, "Paid")
    second = world.new_records()
    world.now += timedelta(seconds=1)
    world.invoke("react", {"Records": first})
    world.invoke("react", {"Records": second})
    step(world, 2)
    assert path(world) == [("w", "Paid"), ("v", "Paid")]


HOOK = {"type": "webhook", "url": "https://crm.example/new"}
UPDATE = {"type": "update_contact", "set": {"plan": "team"}}


def calls(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> None:
    """Something happens before the servers of webhooks answer."""

    def call(*_: Any) -> Heard:
        do()
        return Heard(200)

    monkeypatch.setattr(WebhookGateway, "call", call)


@pytest.mark.parametrize(
    "before", [{}, {"ask": {**MAIL, "next": "hook"}}, {"hour": {"type": "wait", "for": "1 hour", "next": "hook"}}]
)
def test_what_a_server_tells_before_it_answers_the_webhook_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, before: dict[str, Any]
) -> None:
    simple(world, **before, hook={**HOOK, "next": "w"}, w=wait_for("Provisioned", "mail"), mail=MAIL)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")

    def provisions() -> None:
        world.track("ada", "Provisioned")
        world.now += timedelta(seconds=1)

    calls(monkeypatch, provisions)
    world.run(2 * HOUR)
    assert ("w", "Provisioned") in path(world)


def test_what_came_before_somebody_came_to_the_webhook_does_not_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = {"type": "wait", "for": "1 hour", "next": "hook"}
    simple(world, hour=hour, hook={**HOOK, "next": "w"}, w=wait_for("Provisioned", "mail"), mail=MAIL)
    calls(monkeypatch, lambda: None)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    world.now += HOUR / 2
    world.track("ada", "Provisioned")
    world.run(HOUR)
    assert machine(world).token


def test_one_event_does_not_end_the_waits_before_and_behind_a_webhook(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    simple(world, v=wait_for("Paid", "hook"), hook={**HOOK, "next": "w"}, w=wait_for("Paid", "mail"), mail=MAIL)
    calls(monkeypatch, lambda: None)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    world.run()
    world.track("ada", "Paid")
    world.run()
    assert machine(world).token
    world.track("ada", "Paid")
    world.run()
    assert path(world) == [("v", "Paid"), ("hook", "answered"), ("w", "Paid"), ("mail", "accepted")]


@pytest.mark.parametrize("of", [{"of": "ask"}, {}])
@pytest.mark.parametrize("between", [HOOK, UPDATE, {"type": "wait", "for": "1 hour"}])
def test_what_became_of_a_message_counts_since_it_was_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, between: dict[str, Any], of: dict[str, str]
) -> None:
    arms = [{"name": "Opened", "event": "Email Opened", **of}]
    opened = {"type": "wait_for", "arms": arms, "timeout": "2 days"}
    simple(world, ask={**MAIL, "next": "between"}, between={**between, "next": "w"}, w=opened)
    calls(monkeypatch, lambda: None)
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    step(world)
    world.now += timedelta(minutes=1)
    world.feedback(world.ses.event("Open", world.ses.accepted[0], **OPEN))
    world.now += timedelta(minutes=1)
    world.run(HOUR)
    assert path(world)[-1] == ("w", "Opened")


def test_what_ended_a_wait_for_what_became_of_a_message_ends_no_other(world: World) -> None:
    def opened(**more: str) -> dict[str, Any]:
        arms = [{"name": "Opened", "event": "Email Opened", **more}]
        return {"type": "wait_for", "arms": arms, "timeout": "2 days"}

    simple(world, ask={**MAIL, "next": "v"}, v=opened(next="u"), u={**UPDATE, "next": "w"}, w=opened(of="ask"))
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")
    world.run()
    world.now += timedelta(minutes=1)
    world.feedback(world.ses.event("Open", world.ses.accepted[0], **OPEN))
    world.run()
    assert path(world) == [("ask", "accepted"), ("v", "Opened"), ("u", "updated")]
    assert machine(world).token


@pytest.mark.parametrize("tick", [0, 7])
def test_what_the_automation_itself_changed_is_not_what_it_waits_for(
    world: World, monkeypatch: pytest.MonkeyPatch, tick: int
) -> None:
    def now(_: Any) -> Any:
        world.now += timedelta(microseconds=tick)
        return world.now

    simple(world, u={**UPDATE, "next": "w"}, w=wait_for("Contact Updated", "mail"), mail=MAIL)
    monkeypatch.setattr(SystemClock, "now", now)
    world.identify("ada", email="ada@people.example")
    world.now += HOUR
    world.track("ada", "Signed Up")
    world.run(HOUR)
    assert machine(world).token
    world.identify("ada", plan="solo")
    assert path(world)[-1] == ("w", "Contact Updated")


# --- versions and the index ------------------------------------------------------------------------------------------


def test_an_index_that_is_stale_right_after_a_publication_loses_nothing(world: World) -> None:
    """Another process reads the generation, then the automation is published, and entered through the first one."""
    world.template("tips")
    world.identify("ada", email="ada@people.example")
    definition = {"automation": "a", "trigger": {"event": "Signed Up"}, "start": "w", "components": {
        "w": wait_for("Paid", "mail"), "mail": MAIL}}  # fmt: skip
    reported(world, "Signed Up")
    sign_up = world.new_records()
    reported(world, "Paid")
    paid = world.new_records()
    stale = world.function("react")
    at_call(world, "react", "dynamodb:UpdateItem", lambda: world.automation(definition))
    stale.handler({"Records": []}, None)
    world.invoke("react", {"Records": paid})  # read the generation before, goes on after
    world.recorder.before = None
    world.invoke("react", {"Records": sign_up})
    world.run()
    assert path(world)[0] == ("w", "Paid")


def test_who_is_inside_an_earlier_version_is_woken_by_what_only_that_waits_for(ada: World) -> None:
    waiting(ada)
    for subject in ("one", "two"):
        components = {"ask": {"type": "send_email", "template": "ask"}}
        ada.automation({**BOOKING, "description": subject, "components": components})
    ada.cold("react")
    ada.track("ada", ANSWER, meaning="confirm")
    ada.run()
    assert path(ada) == CONFIRMED


def test_an_event_that_nobody_waits_for_costs_no_read_more(ada: World) -> None:
    waiting(ada)
    ada.track("ada", "Page Liked")
    ada.now += HOUR
    reported(ada, "Page Liked")
    records = ada.new_records()
    ada.recorder.clear()
    ada.invoke("react", {"Records": records})
    assert [call.name for call in ada.recorder.calls] == ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"]


# --- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["stopped", "failed", "exited"])
def test_the_wait_of_an_enrolment_that_is_over_is_never_ended(ada: World, state: str) -> None:
    waiting(ada)
    with ada.recorder.unseen():
        (item,) = [one for one in ada.items("TABLE_ENROLMENTS") if "state" in one]
        ada.dynamodb.update_item(
            TableName=variables()["TABLE_ENROLMENTS"],
            Key={name: item[name] for name in ("pk", "sk")},
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={":s": {"S": state}},
        )
    ada.recorder.clear()
    ada.track("ada", ANSWER, meaning="confirm")
    assert ada.recorder.of("stepfunctions:SendTaskSuccess") == []
    assert "ended_by" not in waits(ada)[0]
    assert path(ada) == [("ask", "accepted")]
    with pytest.raises(Exception, match="answer"):
        step(ada, 2)  # the time runs out all the same: nothing is to be done for them


def test_erasing_whoever_waits_ends_it_and_takes_away_what_was_registered(ada: World) -> None:
    waiting(ada)
    ada.erase(ada.contact(user_id="ada")["contact"])
    assert waits(ada) == []
    assert machine(ada).is_over


# --- people who turn out to be one -----------------------------------------------------------------------------------


def visitor(world: World) -> World:
    """Ada asks as a visitor, whom nobody knows; somebody else is Ada, who is known."""
    for template in ("ask", "thanks", "reminder"):
        world.template(template)
    world.automation({**BOOKING, "start": "answer", "components": {
        name: BOOKING["components"][name] for name in ("answer", "thanks", "reminder")}})  # fmt: skip
    world.identify("ada", email="ada@people.example")
    asked = {"anonymousId": "a-1", "event": "Booking Requested", "messageId": "asked"}
    assert world.ingest("track", asked)[0] == 200
    world.pump()
    world.run()
    assert machine(world).token
    return world


def signs_in(world: World, pump: bool = True) -> None:
    message = {"userId": "ada", "anonymousId": "a-1", "messageId": world.fresh()}
    assert world.ingest("identify", message)[0] == 200
    if pump:
        world.pump()


def test_an_answer_under_the_surviving_contact_wakes_the_absorbed_one(world: World) -> None:
    visitor(world)
    signs_in(world)
    world.track("ada", ANSWER, meaning="confirm")
    assert goes_to(world) == "thanks"
    world.run()
    assert subjects(world) == ["thanks"]


def test_an_answer_that_the_surviving_contact_gave_before_the_merge_counts_with_the_merge(world: World) -> None:
    visitor(world)
    world.now += HOUR
    world.track("ada", ANSWER, meaning="confirm")
    assert machine(world).token
    world.now += HOUR
    signs_in(world)
    assert goes_to(world) == "thanks"


def test_an_answer_that_came_with_a_merge_during_the_registration_wakes(ada: World) -> None:
    """The Task has read who Ada is, and `react` is done with the merge before she is written down as waiting."""
    step(ada)
    ada.now += HOUR
    message = {"anonymousId": "a-1", "event": ANSWER, "properties": {"meaning": "confirm"}, "messageId": ada.fresh()}
    assert ada.ingest("track", message)[0] == 200
    ada.pump()
    at_call(ada, "wait_for", "dynamodb:PutItem", lambda: signs_in(ada))
    step(ada)
    assert not ada.recorder.before
    assert goes_to(ada) == "thanks"


def test_an_answer_and_a_merge_in_one_batch_wake_once(world: World) -> None:
    visitor(world)
    signs_in(world, pump=False)
    reported(world, meaning="confirm")
    world.pump()
    assert goes_to(world) == "thanks"
    world.run()
    assert subjects(world) == ["thanks"]


# --- executions that are lost ----------------------------------------------------------------------------------------


def resume(world: World) -> int:
    status, answer = world.call("automations", "POST /v1/automations/{name}/resume", path={"name": "booking"})
    assert status == 200, answer
    return int(answer["resumed"])


def test_whoever_is_lost_while_they_wait_goes_on_waiting_for_as_long_as_was_left(ada: World) -> None:
    waiting(ada)
    ada.run(DAY)
    ada.lose(list(ada.executions)[-1])
    assert resume(ada) == 1
    ada.run()
    execution = machine(ada)
    assert execution.states == ["answer-left", "answer-resumed"]
    assert execution.times_out == ada.now + DAY
    ada.run(DAY)
    assert (subjects(ada), path(ada)) == (["ask", "reminder"], TIMED_OUT)


def test_an_answer_that_came_while_nobody_waited_is_found_when_the_wait_goes_on(ada: World) -> None:
    waiting(ada)
    arn = list(ada.executions)[-1]
    ada.lose(arn)
    ended = {"executionArn": arn, "status": "FAILED", "input": ada.started[arn], "error": None}
    ada.invoke("settle_executions", {"detail": ended})
    ada.now += HOUR
    ada.track("ada", ANSWER, meaning="confirm")
    assert path(ada) == [("ask", "accepted")]
    assert resume(ada) == 1
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "thanks"], CONFIRMED)


def test_whoever_is_resumed_when_the_time_is_over_goes_on_at_once(ada: World) -> None:
    waiting(ada)
    ada.lose(list(ada.executions)[-1])
    ada.now += 3 * DAY
    ada.track("ada", ANSWER, meaning="confirm")
    assert resume(ada) == 1
    ada.run()
    assert (subjects(ada), path(ada)) == (["ask", "reminder"], TIMED_OUT)


def test_whoever_is_lost_at_a_wait_at_the_very_start_waits_on_for_as_long_as_was_left(world: World) -> None:
    """The version's own machine begins there too, and would wait for the whole time anew."""
    world.template("reminder")
    components = {"answer": {**BOOKING["components"]["answer"]}, "reminder": BOOKING["components"]["reminder"]}
    components["answer"]["arms"] = [{"name": "Called off", "event": "Booking Cancelled"}]
    world.automation({**BOOKING, "start": "answer", "components": components})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Booking Requested")
    world.run(DAY)
    world.lose(list(world.executions)[-1])
    path = {"name": "booking"}
    assert world.call("automations", "POST /v1/automations/{name}/resume", path=path)[1]["resumed"] == 1
    world.run(DAY + HOUR)
    assert len(world.ses.accepted) == 1
