"""Messages of automations as parts of conversations: new ones, follow-ups, and whom a conversation is given to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_inbound_texts import timeline
from tests.functional.test_merges import merge
from tests.functional.test_received_mails import ADA, US, acme, conversations, mail
from tests.support.faults import MODES, Fault, Repeating
from tests.support.inbound import counts, entries, recounted
from tests.support.recorder import Call
from tests.support.world import World, variables

from tidings.conversations.model import Direction

__all__ = ["acme"]

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ASK: dict[str, Any] = {"type": "send_email", "template": "ask", "kind": "transactional", "conversation": "new"}
MORE: dict[str, Any] = {"type": "send_email", "template": "more", "kind": "transactional", "conversation": "follow_up"}
PAUSE: dict[str, Any] = {"type": "wait", "for": "1 day"}
TO_SALES: dict[str, Any] = {"type": "assign_conversation", "inbox": "sales"}


def automation(world: World, *ways: dict[str, Any], trigger: dict[str, Any] | None = None) -> None:
    """An automation `plan` whose components `c0`, `c1` … follow one another."""
    for template in ("ask", "more"):
        world.template(template)
    components = {
        f"c{number}": {**one, **({"next": f"c{number + 1}"} if number + 1 < len(ways) else {})}
        for number, one in enumerate(ways)
    }
    definition = {"automation": "plan", "trigger": trigger or {"event": "Signed Up"}, "start": "c0"}
    world.automation({**definition, "components": components})


def sales(world: World) -> None:
    status, answer = world.call("policy", "PUT /v1/inboxes/{inbox}", {"title": "Sales"}, path={"inbox": "sales"})
    assert status == 200, answer


def begun(world: World, user: str = "ada") -> str:
    world.identify(user, email=f"{user}@people.example")
    world.track(user, "Signed Up")
    world.run()
    world.now += MINUTE
    return str(world.contact(user_id=user)["contact"])


def answer(world: World, number: int = -1, text: str = "Yes.", sender: str = ADA) -> None:
    """Somebody answers the mail of that number."""
    (address,) = world.ses.accepted[number]["ReplyToAddresses"]
    world.receive_mail(world.mail_in(mail(text, sender), address))
    world.now += MINUTE


def shown(world: World, number: int = 0) -> list[tuple[str, str, str]]:
    """Whose words stand in a conversation, in their order."""
    found = entries(world, conversations(world)[number]["conversation"])
    return [(one.direction.value, one.text.strip(), one.who) for one in found]


def enrolment(world: World, contact: str) -> dict[str, Any]:
    (found,) = world.of_contact(contact, "enrolments")
    return found


def path(world: World, contact: str) -> list[tuple[str, str]]:
    return [(step["component"], step["outcome"]) for step in enrolment(world, contact)["path"]]


# --- new -------------------------------------------------------------------------------------------------------------


def test_a_message_of_a_new_conversation_begins_it_once_the_person_answers(acme: World) -> None:
    automation(acme, ASK)
    begun(acme)
    assert conversations(acme) == []
    answer(acme)
    (one,) = conversations(acme)
    message = acme.ses.messages()[0]
    sent = acme.call("messages", "GET /v1/messages/{message}", path={"message": message})[1]
    assert one["conversation"] == sent["conversation"]
    assert (one["state"], one["inbox"]) == ("new", "default")
    assert shown(acme) == [("in", "Yes.", ADA)]


def test_the_answer_begins_its_own_conversation_though_another_one_is_open(acme: World) -> None:
    acme.identify("ada", email=ADA)
    acme.receive_mail(acme.mail_in(mail("Is it open?"), US))
    automation(acme, ASK)
    begun(acme)
    answer(acme)
    assert len(conversations(acme)) == 2
    assert counts(acme) == recounted(acme)


def test_two_answers_go_into_one_conversation(acme: World) -> None:
    automation(acme, ASK)
    begun(acme)
    answer(acme, text="Yes.")
    answer(acme, text="No!")
    assert shown(acme) == [("in", "Yes.", ADA), ("in", "No!", ADA)]
    assert len(conversations(acme)) == 1


def test_two_answers_at_once_go_into_one_conversation(acme: World) -> None:
    automation(acme, ASK)
    begun(acme)

    def before(call: Call) -> None:
        if acme.running == "email_inbound" and call.name == "dynamodb:TransactWriteItems":
            acme.recorder.before = None
            answer(acme, text="No!")

    acme.recorder.before = before
    answer(acme)
    assert len(conversations(acme)) == 1
    assert sorted(shown(acme)) == [("in", "No!", ADA), ("in", "Yes.", ADA)]
    assert counts(acme) == recounted(acme) == {("default", "new"): 1}


def test_each_visit_of_a_component_begins_a_conversation_of_its_own(acme: World) -> None:
    for template in ("ask", "more"):
        acme.template(template)
    enough = {"type": "branch", "arms": [{"name": "Enough", "when": {"trait": "enough", "is": True}}]}
    loop = {"c0": {**ASK, "next": "c1"}, "c1": {**PAUSE, "next": "c2"}, "c2": {**enough, "otherwise": "c0"}}
    acme.automation({"automation": "plan", "trigger": {"event": "Signed Up"}, "start": "c0", "components": loop})
    begun(acme)
    acme.run(DAY)
    answer(acme, 0)
    answer(acme, 1)
    assert len(conversations(acme)) == 2


def test_whoever_was_merged_since_answers_in_the_conversation_that_was_meant(acme: World) -> None:
    automation(acme, ASK)
    ada = begun(acme)
    acme.ingest("track", {"anonymousId": "tablet", "event": "Viewed", "messageId": acme.fresh()})
    acme.pump()
    acme.call("change_contacts", "PATCH /v1/contacts/{contact}", {"traits": {"phone": "+48600100200"}},
              path={"contact": acme.contact(anonymous_id="tablet")["contact"]})  # fmt: skip
    merge(acme, acme.contact(anonymous_id="tablet")["contact"], ada)
    acme.pump()
    answer(acme)
    (one,) = conversations(acme)
    assert one["contact"] == acme.contact(user_id="ada")["contact"]


def test_an_absorbed_contact_s_message_begins_its_conversation_with_the_survivor(acme: World) -> None:
    automation(acme, ASK, trigger={"event": "Viewed"})
    acme.ingest("track", {"anonymousId": "tablet", "event": "Hello", "messageId": acme.fresh()})
    acme.pump()
    tablet = acme.contact(anonymous_id="tablet")["contact"]
    edit = {"traits": {"email": ADA}}
    acme.call("change_contacts", "PATCH /v1/contacts/{contact}", edit, path={"contact": tablet})
    acme.ingest("track", {"anonymousId": "tablet", "event": "Viewed", "messageId": acme.fresh()})
    acme.pump()
    acme.run()
    acme.identify("ada", name="Ada")
    ada = acme.contact(user_id="ada")["contact"]
    merge(acme, tablet, ada)
    acme.pump()
    answer(acme)
    answer(acme, text="And more.")
    (one,) = conversations(acme)
    assert one["contact"] == ada
    assert one["conversation"].startswith(tablet)
    assert len(shown(acme)) == 2


def test_without_a_word_of_conversations_a_message_is_a_part_of_none(acme: World) -> None:
    automation(acme, {name: value for name, value in ASK.items() if name != "conversation"})
    begun(acme)
    sent = acme.call("messages", "GET /v1/messages/{message}", path={"message": acme.ses.messages()[0]})[1]
    assert sent["conversation"] == ""
    assert "ReplyToAddresses" not in acme.ses.accepted[0] or US in acme.ses.accepted[0]["ReplyToAddresses"]


# --- follow_up -------------------------------------------------------------------------------------------------------


def test_a_follow_up_stands_in_the_conversation_that_the_person_began(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    ada = begun(acme)
    answer(acme)
    acme.run(DAY)
    assert shown(acme) == [("in", "Yes.", ADA), ("out", "This is more.", "automation plan")]
    (one,) = conversations(acme)
    assert (one["state"], one["agent"]) == ("new", "")
    assert one["revision"] == 2
    answer(acme, 1, "Thanks.")
    assert len(conversations(acme)) == 1
    assert timeline(acme, ada, "Conversation Replied") == []


def test_a_follow_up_of_what_nobody_answered_is_a_part_of_the_same_conversation(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)
    acme.run(DAY)
    assert conversations(acme) == []
    answer(acme, 1, "To the second.")
    answer(acme, 0, "To the first.")
    assert [text for _, text, _ in shown(acme)] == ["To the second.", "To the first."]
    assert len(conversations(acme)) == 1


def test_a_follow_up_with_nothing_before_it_begins_a_conversation(acme: World) -> None:
    automation(acme, MORE)
    begun(acme)
    answer(acme)
    assert shown(acme) == [("in", "Yes.", ADA)]


def resolved(acme: World) -> dict[str, Any]:
    """The only conversation, which is over now."""
    (one,) = conversations(acme)
    about = {"type": "question", "category": "general", "key_message": "Hours."}
    where = {"conversation": one["conversation"]}
    acme.call("conversations", "POST /v1/conversations/{conversation}/resolve", about, "eve", path=where)
    return one


def test_a_follow_up_of_a_conversation_that_is_over_begins_another(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)
    answer(acme)
    one = resolved(acme)
    acme.run(DAY)
    answer(acme, 1)
    assert sorted(found["state"] for found in conversations(acme)) == ["new", "resolved"]
    assert len(entries(acme, one["conversation"])) == 1
    sent = acme.call("messages", "GET /v1/messages/{message}", path={"message": acme.ses.messages()[1]})[1]
    assert [found["conversation"] for found in conversations(acme) if found["state"] == "new"] == [sent["conversation"]]


def test_a_message_that_came_in_is_the_closest_conversation(acme: World) -> None:
    inbound = {"type": "inbound_message", "timeout": "2 days"}
    automation(acme, ASK, inbound, MORE)
    begun(acme)
    acme.receive_mail(acme.mail_in(mail("By the way."), US))  # no answer, and so a conversation of its own
    acme.run()
    assert shown(acme) == [("in", "By the way.", ADA), ("out", "This is more.", "automation plan")]


def test_an_automation_that_a_message_began_follows_it_up(acme: World) -> None:
    automation(acme, MORE, trigger={"inbound": ["email"]})
    acme.receive_mail(acme.mail_in(mail("Is it open?"), US))
    acme.run()
    assert shown(acme) == [("in", "Is it open?", ADA), ("out", "This is more.", "automation plan")]


def test_what_an_app_calls_a_message_leads_into_nobody_s_conversation(acme: World) -> None:
    acme.receive_mail(acme.mail_in(mail("Is it open?", "bob@people.example"), US))
    (bobs,) = conversations(acme)
    automation(acme, MORE, trigger={"event": "Signed Up"})
    acme.identify("ada", email=ADA)
    acme.track("ada", "Signed Up", conversation=bobs["conversation"])
    acme.run()
    sent = acme.call("messages", "GET /v1/messages/{message}", path={"message": acme.ses.messages()[-1]})[1]
    assert sent["conversation"] != bobs["conversation"]
    assert len(shown(acme)) == 1


def test_what_was_not_sent_is_no_conversation(acme: World) -> None:
    acme.template("text", channel="sms", text="Hello")
    text = {"type": "send_sms", "template": "text", "kind": "transactional", "conversation": "new"}
    automation(acme, text, MORE)
    ada = begun(acme)
    assert path(acme, ada) == [("c0", "skipped"), ("c1", "accepted")]
    stored = [item for item in acme.items("TABLE_ENROLMENTS") if "conversation" in item]
    (only,) = stored
    sent = acme.call("messages", "GET /v1/messages/{message}", path={"message": acme.ses.messages()[0]})[1]
    assert only["conversation"]["S"] == sent["conversation"]


def test_an_entry_that_somebody_writes_at_the_same_moment_costs_no_message(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)
    answer(acme)

    def before(call: Call) -> None:
        if acme.running == "send_email" and call.name == "dynamodb:TransactWriteItems":
            acme.recorder.before = None
            answer(acme, 0, "One more thing.")

    acme.recorder.before = before
    acme.run(DAY)
    assert len(acme.ses.accepted) == 2
    assert [text for _, text, _ in shown(acme)] == ["Yes.", "One more thing.", "This is more."]


def at_the_claim(world: World, do: Callable[[], Any]) -> None:
    """Something happens right before the next message of an automation is claimed."""

    def before(call: Call) -> None:
        if world.running == "send_email" and call.name == "dynamodb:TransactWriteItems":
            world.recorder.before = None
            do()

    world.recorder.before = before


def test_a_follow_up_at_the_moment_of_the_first_answer_stands_in_the_conversation(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    ada = begun(acme)
    at_the_claim(acme, lambda: answer(acme))
    acme.run(DAY)
    assert shown(acme) == [("in", "Yes.", ADA), ("out", "This is more.", "automation plan")]
    (one,) = conversations(acme)
    sent = acme.call("messages", "GET /v1/messages/{message}", path={"message": acme.ses.messages()[1]})[1]
    assert sent["conversation"] == one["conversation"]
    assert path(acme, ada) == [("c0", "accepted"), ("c2", "accepted")]
    assert len(acme.ses.accepted) == 2
    assert counts(acme) == recounted(acme)


def test_a_follow_up_of_a_conversation_that_began_and_ended_meanwhile_begins_another(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)

    def both() -> None:
        answer(acme)
        resolved(acme)

    at_the_claim(acme, both)
    acme.run(DAY)
    (one,) = conversations(acme)
    assert len(entries(acme, one["conversation"])) == 1
    answer(acme, 1)
    assert sorted(found["state"] for found in conversations(acme)) == ["new", "resolved"]


def test_a_follow_up_that_was_put_off_before_the_first_answer_goes_after_it_once(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)
    acme.now += DAY
    execution = list(acme.executions.values())[-1]
    execution.step(acme.task, acme.now)  # the pause is over
    acme.ses.failing = ["TooManyRequestsException"]
    with pytest.raises(Exception, match="try later"):
        execution.step(acme.task, acme.now)
    answer(acme, 0)
    acme.run()
    assert len(acme.ses.accepted) == 2
    assert len(conversations(acme)) == 1


def test_that_nobody_began_a_conversation_is_asked_with_the_claim_of_a_follow_up_alone(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)
    acme.run(DAY)

    def checks(call: Call) -> list[str]:
        return [
            part["ConditionCheck"]["TableName"] for part in call.arguments["TransactItems"] if "ConditionCheck" in part
        ]

    table = variables()["TABLE_CONVERSATIONS"]
    asked = [checks(call).count(table) for call in acme.recorder.of("dynamodb:TransactWriteItems")]
    claims = [number for number in asked if number]
    assert (claims, len(acme.ses.accepted)) == ([1], 2)


def test_a_throttled_follow_up_stands_in_the_conversation_once(acme: World) -> None:
    automation(acme, ASK, PAUSE, MORE)
    begun(acme)
    answer(acme)
    acme.now += DAY
    execution = list(acme.executions.values())[-1]
    execution.step(acme.task, acme.now)  # the pause is over
    acme.ses.failing = ["TooManyRequestsException"]
    with pytest.raises(Exception, match="try later"):
        execution.step(acme.task, acme.now)
    acme.now += MINUTE
    acme.run()
    assert len(acme.ses.accepted) == 2
    assert [direction for direction, _, _ in shown(acme)] == ["in", "out"]


# --- assign_conversation ---------------------------------------------------------------------------------------------


def test_the_closest_conversation_goes_to_an_inbox(acme: World) -> None:
    sales(acme)
    automation(acme, ASK, {"type": "inbound_message", "timeout": "1 day"}, TO_SALES)
    ada = begun(acme)
    answer(acme)
    acme.run()
    (one,) = conversations(acme)
    assert (one["inbox"], one["state"], one["agent"]) == ("sales", "new", "")
    (event,) = timeline(acme, ada, "Conversation Transferred")
    assert (event["properties"]["by"], event["properties"]["from_inbox"]) == ("automation plan", "default")
    assert event["cause"] == enrolment(acme, ada)["node"]
    assert path(acme, ada)[-1] == ("c2", "assigned")
    assert counts(acme) == recounted(acme) == {("sales", "new"): 1}


@pytest.mark.parametrize("trigger", [{"inbound": "any"}, {"event": "Email Received"}])
def test_a_conversation_may_go_to_an_agent(acme: World, trigger: dict[str, Any]) -> None:
    automation(acme, MORE, {**TO_SALES, "inbox": "default", "agent": "Eve"}, trigger=trigger)
    acme.receive_mail(acme.mail_in(mail("Is it open?"), US))
    acme.run()
    (one,) = conversations(acme)
    assert (one["inbox"], one["agent"], one["state"]) == ("default", "Eve", "new")


def test_what_is_where_it_is_to_be_is_not_changed(acme: World) -> None:
    automation(acme, {**TO_SALES, "inbox": "default"}, trigger={"inbound": "any"})
    acme.receive_mail(acme.mail_in(mail("Is it open?"), US))
    acme.run()
    (one,) = conversations(acme)
    assert one["revision"] == 1
    assert timeline(acme, one["contact"], "Conversation Transferred") == []
    assert path(acme, one["contact"]) == [("c0", "assigned")]


def test_a_conversation_that_nobody_began_goes_there_once_somebody_does(acme: World) -> None:
    sales(acme)
    automation(acme, ASK, {**TO_SALES, "agent": "Eve"})
    ada = begun(acme)
    assert path(acme, ada)[-1] == ("c1", "assigned")
    assert enrolment(acme, ada)["path"][-1]["why"]["found"] == "goes to sales, to Eve once somebody begins it"
    answer(acme)
    (one,) = conversations(acme)
    assert (one["inbox"], one["agent"], one["state"]) == ("sales", "Eve", "new")
    assert counts(acme) == recounted(acme) == {("sales", "new"): 1}


def test_it_goes_where_all_goes_if_the_inbox_was_deleted_before_anybody_began_it(acme: World) -> None:
    sales(acme)
    automation(acme, ASK, TO_SALES)
    begun(acme)
    acme.call("policy", "DELETE /v1/inboxes/{inbox}", path={"inbox": "sales"})
    acme.now += DAY
    answer(acme)
    (one,) = conversations(acme)
    assert (one["inbox"], one["state"]) == ("default", "new")


@pytest.mark.parametrize("function", ["act", "email_inbound"])
def test_whoever_assigns_and_whoever_begins_it_at_once_agree(acme: World, function: str) -> None:
    sales(acme)
    automation(acme, ASK, PAUSE, TO_SALES)
    begun(acme)

    def assign() -> None:
        acme.run(DAY)

    def begin() -> None:
        answer(acme)

    first, second = (assign, begin) if function == "act" else (begin, assign)

    def before(call: Call) -> None:
        if acme.running == function and call.name == "dynamodb:TransactWriteItems":
            acme.recorder.before = None
            second()

    acme.recorder.before = before
    first()
    (one,) = conversations(acme)
    assert one["inbox"] == "sales"
    assert counts(acme) == recounted(acme) == {("sales", "new"): 1}


@pytest.mark.parametrize(
    ("ways", "inboxes", "check", "found"),
    [
        ([TO_SALES], True, "conversation", "there is no conversation before this on the way"),
        ([ASK, TO_SALES], False, "inbox", "There is no inbox named sales."),
    ],
)
def test_where_there_is_nothing_to_assign_the_way_goes_on_and_says_why(
    acme: World, ways: list[dict[str, Any]], inboxes: bool, check: str, found: str
) -> None:
    sales(acme)
    automation(acme, *ways)
    if not inboxes:
        acme.call("policy", "DELETE /v1/inboxes/{inbox}", path={"inbox": "sales"})
    ada = begun(acme)
    assert path(acme, ada)[-1] == (f"c{len(ways) - 1}", "none")
    assert enrolment(acme, ada)["path"][-1]["why"] == {"check": check, "found": found}


def test_a_message_that_an_app_tells_of_is_in_no_conversation(acme: World) -> None:
    acme.identify("ada", email=ADA)
    acme.receive_mail(acme.mail_in(mail("Is it open?"), US))
    (one,) = conversations(acme)
    automation(acme, {**TO_SALES, "inbox": "default", "agent": "Eve"}, trigger={"event": "Email Received"})
    acme.track("ada", "Email Received", conversation=one["conversation"])
    acme.run()
    assert path(acme, one["contact"]) == [("c0", "none")]
    assert conversations(acme)[0]["agent"] == ""


def test_a_resolved_conversation_is_assigned_to_nobody(acme: World) -> None:
    sales(acme)
    automation(acme, ASK, PAUSE, TO_SALES)
    ada = begun(acme)
    answer(acme)
    resolved(acme)
    acme.run(DAY)
    assert path(acme, ada)[-1] == ("c2", "none")
    assert conversations(acme)[0]["inbox"] == "default"


def test_an_erasure_leaves_nothing_of_what_was_planned(acme: World) -> None:
    sales(acme)
    automation(acme, ASK, TO_SALES)
    ada = begun(acme)
    assert any("plan#" in item["sk"]["S"] for item in acme.items("TABLE_CONVERSATIONS"))
    acme.erase(ada)
    assert [
        item for item in acme.items("TABLE_CONVERSATIONS") if ada in item["pk"]["S"] and item["sk"]["S"] != "head"
    ] == []


# --- faults ----------------------------------------------------------------------------------------------------------

READ, TRANSACTION = "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"
SCENARIOS: dict[str, tuple[str, list[str]]] = {
    "assign": ("act", [READ, READ, READ, TRANSACTION]),
    "plan": ("act", [READ, READ, READ, TRANSACTION]),
    "follow": ("send_email", []),
}


def prepared(world: World, scenario: str) -> None:
    """Everything up to the component in question; what is left of the machine is the test's."""
    sales(world)
    ways = {"assign": [ASK, PAUSE, TO_SALES], "plan": [ASK, PAUSE, TO_SALES], "follow": [ASK, PAUSE, MORE]}[scenario]
    automation(world, *ways)
    begun(world)
    if scenario != "plan":
        answer(world)
    world.now += DAY
    list(world.executions.values())[-1].step(world.task, world.now)
    world.cold(SCENARIOS[scenario][0])


def outcome(world: World) -> tuple[Any, ...]:
    world.recorder.before = world.recorder.after = None
    world.pump()
    world.run()
    ada = world.contact(user_id="ada")["contact"]
    if not conversations(world):
        answer(world, 0)
    (one,) = conversations(world)
    assert counts(world) == recounted(world)
    return (
        path(world, ada)[-1],
        one["inbox"],
        [entry.direction for entry in entries(world, one["conversation"])],
        len(timeline(world, ada, "Conversation Transferred")),
        len(world.ses.accepted),
    )


EXPECTED = {
    "assign": (("c2", "assigned"), "sales", [Direction.IN], 1, 1),
    "plan": (("c2", "assigned"), "sales", [Direction.IN], 0, 1),
    "follow": (("c2", "accepted"), "default", [Direction.IN, Direction.OUT], 0, 2),
}


CALLS = {"assign": 4, "plan": 4, "follow": 8}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_function_makes_as_many_calls_as_are_struck(acme: World, scenario: str) -> None:
    prepared(acme, scenario)
    acme.recorder.clear()
    list(acme.executions.values())[-1].step(acme.task, acme.now)
    assert len(acme.recorder.calls) == CALLS[scenario]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("scenario", "number"), [(name, n) for name, calls in CALLS.items() for n in range(calls)])
def test_a_fault_at_any_call_changes_nothing_twice(acme: World, scenario: str, number: int, mode: str) -> None:
    prepared(acme, scenario)
    fault = Fault(acme, SCENARIOS[scenario][0], number, mode)
    acme.recorder.before, acme.recorder.after = fault.before, fault.after
    execution, repeating = list(acme.executions.values())[-1], Repeating(acme)
    repeating._reported = len(acme.ses.accepted)
    while not execution.is_over:
        execution.step(repeating.task, acme.now)
    found = outcome(acme)
    if found[0][1] == "unknown":  # whoever was killed right before the mail went: it is not sent again (guarantees.md)
        assert found == (("c2", "unknown"), "default", [Direction.IN, Direction.OUT], 0, 1)
    else:
        assert found == EXPECTED[scenario]
    assert fault.struck


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_repeated_task_answers_the_same(acme: World, scenario: str) -> None:
    prepared(acme, scenario)
    execution = list(acme.executions.values())[-1]
    payload = json.loads(next(iter(acme.started.values())))
    execution.step(acme.task, acme.now)
    payload.pop("at")
    function = SCENARIOS[scenario][0]
    answers = [acme.invoke(function, {**payload, "n": 1, "component": "c2"}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert outcome(acme) == EXPECTED[scenario]
