"""Waiting for what is about a message, for what matches the event that began it all, and for the person to write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_feedback import CLICK, DELIVERY, OPEN
from tests.functional.test_follow_ups import answer
from tests.functional.test_inbound_texts import timeline
from tests.functional.test_received_mails import ADA, US, acme, mail
from tests.functional.test_waits import at_call, goes_to, machine, path
from tests.support.recorder import Call
from tests.support.world import THEIR_NUMBER, World, variables

from tidings.conditions.values import lookup

__all__ = ["acme"]

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ASK: dict[str, Any] = {"type": "send_email", "template": "ask", "kind": "transactional", "conversation": "new"}
END: dict[str, Any] = {"type": "end"}
READ = "dynamodb:BatchGetItem"
DETAILS = {
    "Email Delivered": ("Delivery", DELIVERY),
    "Email Opened": ("Open", OPEN),
    "Email Link Clicked": ("Click", CLICK),
}


def automation(world: World, wait: dict[str, Any], **more: dict[str, Any]) -> None:
    """Two mails, `first` and `ask`, and then a wait."""
    world.template("ask")
    world.template("text", channel="sms", text="Hello")
    components = {"first": {**ASK, "next": "ask"}, "ask": {**ASK, "next": "answer"}, "answer": wait, **more}
    definition = {"automation": "booking", "trigger": {"event": "Booking Requested"}, "start": "first"}
    world.automation({**definition, "components": components})


def begun(world: World, **properties: Any) -> str:
    world.identify("ada", email=ADA, phone=THEIR_NUMBER)
    world.track("ada", "Booking Requested", **properties)
    world.run()
    world.now += MINUTE
    assert machine(world).token
    return str(world.contact(user_id="ada")["contact"])


def waits_for(event: str, **more: Any) -> dict[str, Any]:
    return {"type": "wait_for", "arms": [{"name": "Came", "event": event, **more}], "timeout": "2 days"}


def report(world: World, name: str, number: int) -> None:
    """What SES tells of the mail of that number."""
    kind, details = DETAILS[name]
    world.feedback(world.ses.event(kind, world.ses.accepted[number], **details))
    world.now += MINUTE


# --- of: what became of a message ------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", DETAILS)
def test_only_what_became_of_that_component_s_message_ends_the_wait(acme: World, event: str) -> None:
    automation(acme, waits_for(event, of="ask"))
    begun(acme)
    report(acme, event, 0)
    assert machine(acme).token
    report(acme, event, 1)
    assert path(acme)[-1] == ("answer", "Came")


def test_a_text_s_delivery_ends_the_wait_as_a_mail_s_does(acme: World) -> None:
    acme.template("text", channel="sms", text="Hello")
    text = {"type": "send_sms", "template": "text", "kind": "transactional", "next": "answer"}
    components = {"first": {**text, "next": "ask"}, "ask": text, "answer": waits_for("SMS Delivered", of="ask")}
    definition = {"automation": "booking", "trigger": {"event": "Booking Requested"}, "start": "first"}
    acme.automation({**definition, "components": components})
    begun(acme)
    for number, is_over in ((0, False), (1, True)):
        assert acme.told_of_text(acme.sms.event("TEXT_DELIVERED", acme.sms.accepted[number]))
        assert (not machine(acme).token) is is_over


@pytest.mark.parametrize("event", ["Email Opened", "Email Received"])
def test_what_an_app_says_of_a_message_is_not_known(acme: World, event: str) -> None:
    automation(acme, waits_for(event, of="ask"))
    begun(acme)
    message = acme.ses.messages()[1]
    acme.track("ada", event, message=message, answers=message)
    assert machine(acme).token


def test_each_message_that_a_component_sent_in_a_loop_counts(acme: World) -> None:
    acme.template("ask")
    enough = {
        "type": "branch",
        "arms": [{"name": "Twice", "when": {"trait": "asked", "at_least": 2}, "next": "answer"}],
    }
    components = {
        "ask": {**ASK, "next": "count"},
        "count": {"type": "update_contact", "set": {"asked": {"add": 1}}, "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "enough"},
        "enough": {**enough, "otherwise": "ask"},
        "answer": waits_for("Email Link Clicked", of="ask"),
    }
    definition = {"automation": "booking", "trigger": {"event": "Booking Requested"}, "start": "ask"}
    acme.automation({**definition, "components": components})
    acme.identify("ada", email=ADA)
    acme.track("ada", "Booking Requested")
    acme.run(2 * DAY)
    assert (len(acme.ses.accepted), bool(machine(acme).token)) == (2, True)
    report(acme, "Email Link Clicked", 0)
    assert path(acme)[-1] == ("answer", "Came")


def test_a_delivery_that_is_told_before_it_is_known_that_the_mail_went_counts(acme: World) -> None:
    automation(acme, waits_for("Email Delivered", of="ask"))
    acme.identify("ada", email=ADA)
    acme.track("ada", "Booking Requested")
    machine(acme).step(acme.task, acme.now)

    def delivered() -> None:
        acme.feedback(acme.ses.event("Delivery", acme.ses.accepted[-1], **DELIVERY))
        acme.now += MINUTE

    at_call(acme, "send_email", "dynamodb:TransactWriteItems", delivered, skip=1)
    machine(acme).step(acme.task, acme.now)
    machine(acme).step(acme.task, acme.now)
    assert path(acme) == [("first", "accepted"), ("ask", "accepted"), ("answer", "Came")]


def test_what_came_while_it_was_decided_what_to_do_counts(acme: World) -> None:
    look = {"type": "branch", "arms": [{"name": "Known", "when": {"trait": "email", "exists": True}, "next": "answer"}]}
    automation(
        acme, waits_for("Email Delivered", of="ask"), look={**look, "otherwise": "answer"}, ask={**ASK, "next": "look"}
    )
    acme.identify("ada", email=ADA)
    acme.track("ada", "Booking Requested")
    for _ in range(2):
        machine(acme).step(acme.task, acme.now)
    report(acme, "Email Delivered", 1)
    acme.run()
    assert path(acme)[-1] == ("answer", "Came")


# --- answers ---------------------------------------------------------------------------------------------------------

REPLIED: dict[str, Any] = {"type": "inbound_message", "timeout": "2 days"}


def test_the_steps_before_a_wait_are_read_once(acme: World) -> None:
    """By them it is known since when it waits, and which message has to be answered."""
    automation(acme, {**REPLIED, "of": "ask"})
    begun(acme)
    asked = [call.arguments["TableName"] for call in acme.recorder.of("dynamodb:Query")]
    assert asked.count(variables()["TABLE_STEPS"]) == 1


@pytest.mark.parametrize("of", [("ask", "ask"), ("first", "ask"), ("first", "first")])
def test_when_messages_went_is_one_read(acme: World, of: tuple[str, str]) -> None:
    """Of those that arms are about, and of the one right before the wait."""
    arms = [{"name": f"Came {number}", "event": "Email Received", "of": one} for number, one in enumerate(of)]
    automation(acme, {"type": "wait_for", "arms": arms, "timeout": "2 days"})
    reads: list[int] = []

    def watch(call: Call) -> None:
        keys = call.arguments.get("RequestItems", {}).get(variables()["TABLE_MESSAGES"], {}).get("Keys", ())
        if acme.running == "wait_for" and keys:
            reads.append(len(keys))

    acme.recorder.before = watch
    begun(acme)
    assert reads == [len({*of, "ask"})]


@pytest.mark.parametrize("wait", [waits_for("Email Received", of="ask"), {**REPLIED, "of": "ask"}])
def test_only_an_answer_to_that_message_ends_the_wait(acme: World, wait: dict[str, Any]) -> None:
    automation(acme, wait)
    begun(acme)
    answer(acme, 0, "To the first.")
    acme.receive_mail(acme.mail_in(mail("To nothing."), US))
    assert machine(acme).token
    answer(acme, 1, "To the second.")
    assert path(acme)[-1] in (("answer", "Came"), ("answer", "answered"))


@pytest.mark.parametrize(
    ("channels", "by_mail", "by_text"),
    [("any", True, True), (["email"], True, False), (["sms"], False, True), (["email", "sms"], True, True)],
)
def test_whoever_writes_on_one_of_the_channels_goes_on(
    acme: World, channels: Any, by_mail: bool, by_text: bool
) -> None:
    automation(acme, {**REPLIED, "channels": channels})
    begun(acme)
    acme.receive_mail(acme.mail_in(mail(), US))
    assert (not machine(acme).token) is by_mail
    acme.receive(acme.text("Hello"))
    assert (not machine(acme).token) is (by_mail or by_text)
    assert path(acme)[-1] == ("answer", "answered")


def test_an_answer_by_text_is_known_by_the_message_that_it_answers(acme: World) -> None:
    acme.template("text", channel="sms", text="Hello")
    text = {"type": "send_sms", "template": "text", "kind": "transactional", "two_way": True, "next": "answer"}
    components = {"first": {**text, "next": "ask"}, "ask": text, "answer": {**REPLIED, "of": "ask"}}
    definition = {"automation": "booking", "trigger": {"event": "Booking Requested"}, "start": "first"}
    acme.automation({**definition, "components": components})
    begun(acme)
    acme.receive(acme.text("To the first", answers="sms-1"))
    acme.receive(acme.text("To nothing"))
    assert machine(acme).token
    acme.receive(acme.text("To the second", answers="sms-2"))
    assert path(acme)[-1] == ("answer", "answered")


def test_what_an_app_calls_a_message_is_none(acme: World) -> None:
    automation(acme, REPLIED)
    begun(acme)
    acme.track("ada", "Email Received", text="Hello")
    assert machine(acme).token


def test_an_answer_may_have_to_say_something(acme: World) -> None:
    wait = {**REPLIED, "where": {"property": "text", "contains": "yes"}, "next": "good", "on_timeout": "bad"}
    automation(acme, wait, good=END, bad=END)
    begun(acme)
    answer(acme, 1, "No.")
    assert machine(acme).token
    answer(acme, 1, "yes, please")
    assert goes_to(acme) == ""
    assert path(acme)[-1] == ("answer", "answered")


def test_an_answer_counts_since_the_last_message_on_the_way(acme: World) -> None:
    acme.template("text", channel="sms", text="Hello")
    text = {"type": "send_sms", "template": "text", "kind": "transactional", "two_way": True, "next": "mark"}
    mark = {"type": "update_contact", "set": {"asked": True}, "next": "answer"}
    definition = {"automation": "booking", "trigger": {"event": "Booking Requested"}, "start": "ask"}
    acme.automation({**definition, "components": {"ask": text, "mark": mark, "answer": REPLIED}})
    acme.identify("ada", email=ADA, phone=THEIR_NUMBER)
    acme.track("ada", "Booking Requested")
    machine(acme).step(acme.task, acme.now)
    acme.now += MINUTE
    acme.receive(acme.text("Yes"))
    acme.now += MINUTE
    acme.run()
    assert path(acme)[-1] == ("answer", "answered")


def test_nobody_writes_in_time(acme: World) -> None:
    automation(acme, REPLIED)
    begun(acme)
    acme.run(2 * DAY)
    assert path(acme)[-1] == ("answer", "timeout")
    answer(acme, 1)
    assert path(acme)[-1] == ("answer", "timeout")


# --- match -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("match", "began", "other", "same"),
    [
        ("order", {"order": 7}, {"order": 8}, {"order": 7}),
        ("order", {"order": 7}, {}, {"order": 7.0}),
        ("order.id", {"order": {"id": "a"}}, {"order": {"id": "b"}}, {"order": {"id": "a"}}),
        (["order", "shop"], {"order": 7, "shop": "x"}, {"order": 7, "shop": "y"}, {"order": 7, "shop": "x"}),
    ],
)
def test_only_an_event_that_is_about_the_same_ends_the_wait(
    acme: World, match: Any, began: dict[str, Any], other: dict[str, Any], same: dict[str, Any]
) -> None:
    automation(acme, waits_for("Order Paid", match=match))
    begun(acme, **began)
    acme.track("ada", "Order Paid", **other)
    assert machine(acme).token
    acme.track("ada", "Order Paid", **same)
    assert path(acme)[-1] == ("answer", "Came")
    (found,) = acme.of_contact(acme.contact(user_id="ada")["contact"], "enrolments")
    names = [match] if isinstance(match, str) else match
    assert found["path"][-1]["why"]["matched"] == {name: lookup(same, name) for name in names}


def test_what_the_first_event_did_not_say_is_matched_by_nothing(acme: World) -> None:
    automation(acme, waits_for("Order Paid", match="order"))
    begun(acme)
    acme.track("ada", "Order Paid")
    acme.track("ada", "Order Paid", order=7)
    assert machine(acme).token


def test_two_ways_through_are_told_apart_by_what_they_match(acme: World) -> None:
    automation(acme, waits_for("Order Paid", match="order"))
    begun(acme, order=1)
    acme.track("ada", "Booking Requested", order=2)
    acme.run()
    acme.track("ada", "Order Paid", order=2)
    first, second = acme.executions.values()
    assert (bool(first.token), bool(second.token)) == (True, False)


# --- what is kept, and what it costs ---------------------------------------------------------------------------------


def test_the_step_says_which_answer_it_was(acme: World) -> None:
    automation(acme, {**REPLIED, "of": "ask"})
    ada = begun(acme)
    answer(acme, 1)
    (event,) = timeline(acme, ada, "Email Received")
    (found,) = acme.of_contact(ada, "enrolments")
    kept = found["path"][-1]["why"]
    assert (kept["event"], kept["message_id"]) == (event["node"], event["message_id"])
    assert kept["found"].startswith("Email Received came at 2026-")
    assert (kept["of"], kept["about"]) == ("ask", [acme.ses.messages()[1]])
    assert event["properties"]["answers"] == acme.ses.messages()[1]


def test_an_answer_that_wakes_costs_four_calls_beyond_the_batch(acme: World) -> None:
    automation(acme, {**REPLIED, "of": "ask"})
    begun(acme)
    (address,) = acme.ses.accepted[1]["ReplyToAddresses"]
    acme.invoke("email_inbound", {"Records": [acme.mail_in(mail("Yes."), address)]})
    records = acme.new_records()
    acme.recorder.calls.clear()
    acme.invoke("react", {"Records": records})
    ours = acme.recorder.names()
    assert not machine(acme).token
    ours.remove("dynamodb:UpdateItem")  # that the person wrote changes their rating, whoever waits
    assert ours == [READ, READ, "dynamodb:Query", "dynamodb:TransactWriteItems", "stepfunctions:SendTaskSuccess"]
