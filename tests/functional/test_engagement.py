"""What became of the messages of an enrolment, as conditions ask for it: who did what, when, and at what cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.functional.test_feedback import ADA, CLICK, DELIVERY, OPEN
from tests.functional.test_merges import merge, say, who
from tests.support import inbound
from tests.support.world import START, World

from tidings.activity.facts import ContactFacts
from tidings.automations.enrolments.past import Past
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.conditions.facts import ENGAGEMENTS
from tidings.conditions.model import parse_condition
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import to_text

QUERY, READ = "dynamodb:Query", "dynamodb:BatchGetItem"
MINUTE = timedelta(minutes=1)
APPLE = {"ipAddress": "203.0.113.4", "userAgent": "Mozilla/5.0"}
COURSE: dict[str, Any] = {
    "automation": "course",
    "trigger": {"event": "Signed Up"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "second"},
        "second": {"type": "send_email", "template": "tips", "next": "rest"},
        "rest": {"type": "wait", "for": "300 days", "next": "third"},
        "third": {"type": "send_email", "template": "tips"},
    },
}
LOOP: dict[str, Any] = {
    **COURSE,
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "first"},
        "first": {"type": "send_email", "template": "tips", "next": "more"},
        "more": {
            "type": "branch",
            "arms": [{"name": "Enough", "when": {"trait": "enough", "is": True}}],
            "otherwise": "pause",
        },
    },
}


@pytest.fixture
def ada(world: World) -> World:
    """Ada got two mails of a course; a third is to come in a year."""
    begin(world, COURSE)
    world.run(timedelta(days=1))
    assert len(world.ses.accepted) == 2
    return world


def begin(world: World, definition: dict[str, Any]) -> None:
    world.template("tips")
    world.automation(definition)
    world.identify("ada", email=ADA)
    world.track("ada", "Signed Up")
    world.now += MINUTE
    world.run()


def report(world: World, kind: str, number: int = 0, **details: Any) -> datetime:
    """SES reports something of the mail of that number; when it was."""
    world.now += timedelta(minutes=5)
    world.feedback(world.ses.event(kind, world.ses.accepted[number], **{"timestamp": to_text(world.now), **details}))
    return world.now


def answered(world: World, number: int, **more: Any) -> datetime:
    """Ada answers the mail of that number; when that was known."""
    world.now += timedelta(minutes=5)
    message = world.ses.messages()[number]
    inbound.take(world, inbound.mail(world, world.fresh(), sender=ADA, message=message, at=world.now, **more))
    return world.now


def facts(world: World, *written: dict[str, Any], user: str = "ada", number: int = 0) -> ContactFacts:
    """What conditions may ask about an enrolment."""
    with world.recorder.unseen():
        contact = DynamoContactStore(world.database).current("acme", world.contact(user_id=user)["contact"])
        assert contact is not None
        enrolment = DynamoEnrolmentStore(world.database).of_contact("acme", contact.every_id)[number]
    conditions = [parse_condition(rule) for rule in written]
    world.recorder.clear()
    return Past.over(world.database).facts(contact, enrolment, {}, conditions, world.now)


def holds(world: World, component: str, *by: str, **more: Any) -> bool:
    written = {"engaged": component, **({"by": list(by)} if by else {})}
    return evaluate(parse_condition(written), facts(world, written, **more))


def seen(world: World, component: str) -> dict[str, datetime]:
    """All that was done with what a component sent."""
    return dict(facts(world, {"engaged": component}).engagements(component, ENGAGEMENTS))


# --- what counts ------------------------------------------------------------------------------------------------------


def test_nothing_was_done_with_a_message_that_was_only_sent(ada: World) -> None:
    assert seen(ada, "first") == {}
    assert not holds(ada, "first", *ENGAGEMENTS)


@pytest.mark.parametrize(
    ("kind", "details", "engagement"),
    [("Delivery", DELIVERY, "delivered"), ("Open", OPEN, "opened"), ("Click", CLICK, "clicked")],
)
def test_what_ses_reports_of_a_person_counts_at_its_first_instant(
    ada: World, kind: str, details: dict[str, Any], engagement: str
) -> None:
    first = report(ada, kind, **details)
    report(ada, kind, **details)
    if kind == "Click":
        ada.take_put_off()
    assert seen(ada, "first") == {engagement: first}
    assert holds(ada, "first", engagement)
    assert not holds(ada, "second", *ENGAGEMENTS)


def test_what_a_machine_opens_and_clicks_is_no_engagement(ada: World) -> None:
    report(ada, "Delivery", **DELIVERY)
    report(ada, "Open", **APPLE)
    report(ada, "Click", **{**CLICK, "userAgent": "python-requests/2.32"})
    assert set(seen(ada, "first")) == {"delivered"}
    assert not holds(ada, "first")
    assert holds(ada, "first", "delivered")


def test_an_answer_to_one_message_is_none_to_another(ada: World) -> None:
    at = answered(ada, 0)
    assert seen(ada, "first") == {"replied": at}
    assert seen(ada, "second") == {}
    assert holds(ada, "first")
    assert holds(ada, "first", "replied")
    assert not holds(ada, "first", "opened", "clicked")


def test_of_several_answers_the_first_says_when(ada: World) -> None:
    at = answered(ada, 1)
    answered(ada, 1)
    assert seen(ada, "second") == {"replied": at}


def test_what_an_app_calls_an_answer_is_none(ada: World) -> None:
    ada.track("ada", "Email Received", answers=ada.ses.messages()[0])
    assert not holds(ada, "first", "replied")


def test_a_component_that_sent_nothing_engaged_nobody(ada: World) -> None:
    report(ada, "Open", **OPEN)
    assert not holds(ada, "third", *ENGAGEMENTS)
    assert not holds(ada, "nobody", *ENGAGEMENTS)


def test_what_came_of_another_enrolment_does_not_count(ada: World) -> None:
    report(ada, "Open", **OPEN)
    ada.track("ada", "Signed Up")
    ada.run()
    assert sorted(holds(ada, "first", number=number) for number in (0, 1)) == [False, True]


def test_in_a_loop_any_visit_counts_and_the_earliest_instant_is_told(world: World) -> None:
    begin(world, LOOP)
    world.run(timedelta(days=3))
    assert len(world.ses.accepted) == 3
    first = report(world, "Open", 2, **OPEN)
    report(world, "Open", 1, **OPEN)
    assert seen(world, "first") == {"opened": first}


def test_a_message_that_was_skipped_engaged_nobody(world: World) -> None:
    world.template("tips")
    world.automation(COURSE)
    world.track("ada", "Signed Up")
    world.run(timedelta(days=1))
    found = facts(world, {"engaged": "first"})
    assert found.engagements("first", ENGAGEMENTS) == {}
    assert not found.has_sent("first")
    assert world.recorder.names() == [QUERY]


def test_of_what_sent_nothing_it_is_not_said_that_it_was_not_opened(ada: World) -> None:
    rules = [{"engaged": "second"}, {"engaged": "nobody"}]
    asked = facts(ada, *rules)
    assert [explain(parse_condition(rule), asked).sentence for rule in rules] == [
        "What second sent was not opened, clicked or replied to.",
        "nobody sent them nothing.",
    ]


def test_who_became_part_of_another_takes_what_they_did_along(world: World) -> None:
    world.template("tips")
    world.automation(COURSE)
    say(world, anonymousId="phone", traits={"email": ADA})
    say(world, "Signed Up", anonymousId="phone")
    world.run(timedelta(days=1))
    report(world, "Open", 0, **OPEN)
    answered(world, 1)
    world.identify("ada", email="ada@work.example")
    merge(world, who(world, anonymous_id="phone"), who(world, user_id="ada"))
    assert holds(world, "first", "opened")
    assert holds(world, "second", "replied")


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_nothing_is_read_where_a_trait_decides(ada: World) -> None:
    written = {"all": [{"engaged": "first"}, {"answer": "ask.status", "is": 200}, {"trait": "plan", "is": "team"}]}
    assert not evaluate(parse_condition(written), facts(ada, written))
    assert ada.recorder.names() == []


def test_opens_are_one_query_for_the_steps_and_one_batched_read_for_all_messages(ada: World) -> None:
    rules = [{"engaged": "first", "by": "opened"}, {"engaged": "second", "by": ["clicked", "delivered"]}]
    report(ada, "Delivery", 1, **DELIVERY)
    asked = facts(ada, *rules)
    assert [evaluate(parse_condition(rule), asked) for rule in rules] == [False, True]
    assert ada.recorder.names() == [QUERY, READ]
    for rule in rules:
        explain(parse_condition(rule), asked)
    assert ada.recorder.names() == [QUERY, READ]


def test_only_the_messages_of_components_that_are_asked_about_are_read(ada: World) -> None:
    rule = {"engaged": "second", "by": "opened"}
    evaluate(parse_condition(rule), facts(ada, rule))
    (call,) = [call for call in ada.recorder.calls if call.name == READ]
    assert [len(keys["Keys"]) for keys in call.arguments["RequestItems"].values()] == [1]


def test_replies_are_read_where_they_decide_and_once_for_each_identity(ada: World) -> None:
    rule = {"engaged": "second"}
    report(ada, "Open", 1, **OPEN)
    assert evaluate(parse_condition(rule), facts(ada, rule))
    assert ada.recorder.names() == [QUERY, READ]
    rules = [{"engaged": "first"}, {"engaged": "second", "by": "replied"}]
    asked = facts(ada, *rules)
    identities = len(asked.contact.event_identities)
    assert [evaluate(parse_condition(rule), asked) for rule in rules] == [False, False]
    assert ada.recorder.names() == [QUERY, READ, *[QUERY] * identities]


def test_the_steps_are_read_once_for_all_that_is_asked_of_them(ada: World) -> None:
    rules = [
        {"did": "Paid", "since": {"step": "first"}},
        {"answer": "ask.status", "is": 200},
        {"engaged": "first", "by": "opened"},
    ]
    asked = facts(ada, *rules)
    assert [evaluate(parse_condition(rule), asked) for rule in rules] == [False] * 3
    identities = len(asked.contact.event_identities)
    assert ada.recorder.names() == [QUERY, *[QUERY] * identities, READ]


def test_when_the_enrolment_began_is_known_without_a_read(ada: World) -> None:
    asked = facts(ada)
    assert START <= (asked.instant("enrolment") or START) <= ada.now
    assert ada.recorder.names() == []
    assert asked.instant("step:first")
    assert asked.instant("step:third") is None
    assert ada.recorder.names() == [QUERY]


# --- answers ----------------------------------------------------------------------------------------------------------


def test_what_a_server_answered_last_is_found_in_the_steps(ada: World) -> None:
    with ada.recorder.unseen():
        (item, *_) = [one for one in ada.items("TABLE_STEPS") if one["component"]["S"] == "first"]
        answer = '{"answer":{"status":200,"body":{"plan":"team"},"reason":""}}'
        place = {name: item[name] for name in ("pk", "sk")}
        ada.dynamodb.put_item(TableName="Steps", Item={**item, **place, "why": {"S": answer}})
    rules = [{"answer": "first.body.plan", "is": "team"}, {"answer": "second.status", "exists": True}]
    asked = facts(ada, *rules)
    assert [evaluate(parse_condition(rule), asked) for rule in rules] == [True, False]
    assert ada.recorder.names() == [QUERY]


# --- the branch -------------------------------------------------------------------------------------------------------

TOUR: dict[str, Any] = {
    "automation": "tour",
    "trigger": {"event": "Signed Up"},
    "start": "first",
    "components": {
        "first": {"type": "send_email", "template": "tips", "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "who"},
        "who": {
            "type": "branch",
            "arms": [
                {"name": "Wrote", "when": {"engaged": "first", "by": "replied"}},
                {"name": "Looked", "when": {"engaged": "first", "by": ["opened", "clicked"]}, "next": "more"},
            ],
            "otherwise": "again",
        },
        "more": {"type": "send_email", "template": "tips"},
        "again": {"type": "send_email", "template": "tips"},
    },
}


def decided(world: World) -> dict[str, Any]:
    """The step of the branch, the day after."""
    world.run(timedelta(days=1))
    (enrolment,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    (step,) = [one for one in enrolment["path"] if one["component"] == "who"]
    return dict(step)


@pytest.mark.parametrize(
    ("deed", "arm"), [("Reply", "Wrote"), ("Open", "Looked"), ("Delivery", "otherwise"), ("", "otherwise")]
)
def test_a_branch_sends_people_on_by_what_they_did_with_a_message(world: World, deed: str, arm: str) -> None:
    begin(world, TOUR)
    if deed == "Reply":
        answered(world, 0)
    elif deed:
        report(world, deed, **{"Open": OPEN, "Delivery": DELIVERY}[deed])
    assert decided(world)["outcome"] == arm


def test_the_step_keeps_what_the_branch_saw(world: World) -> None:
    begin(world, TOUR)
    at = report(world, "Open", **OPEN)
    why = decided(world)["why"]
    assert [(row["result"], row["found"]) for row in why.values()] == [(False, {}), (True, {"opened": to_text(at)})]
    assert why["Looked"]["expected"] == "what first sent was opened or clicked"


def test_a_branch_on_engagement_costs_a_query_and_a_read_and_replies_a_query_for_each_identity(world: World) -> None:
    begin(world, TOUR)
    world.now += timedelta(days=1)
    execution = list(world.executions.values())[-1]
    execution.step(world.task, world.now)
    with world.recorder.unseen():
        contact = DynamoContactStore(world.database).current("acme", world.contact(user_id="ada")["contact"])
    world.recorder.clear()
    execution.step(world.task, world.now)
    identities = len(contact.event_identities) if contact else 0
    around = [READ, READ]  # the definition, which a function reads once, and what stands around the step
    assert world.recorder.names() == [*around, QUERY, READ, *[QUERY] * identities, "dynamodb:TransactWriteItems"]
