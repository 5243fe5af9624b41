"""What starts automations: events of apps, messages that came in, calls, other automations, changes of the contact."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_merges import merge, say, who
from tests.functional.test_reentry import COMPONENTS, refused
from tests.support.recorder import Call
from tests.support.world import THEIR_NUMBER, World

from tidings.automations.entering.refusals import Reason
from tidings.core.clock import to_text

UPDATED = "Contact Updated"
TO_TEAM = {"all": [{"property": "changed", "contains": "plan"}, {"trait": "plan", "is": "team"}]}
ROUTE = "POST /v1/automations/{name}/start"


@pytest.fixture
def acme(world: World) -> World:
    """A workspace in which Ada is known, who is on the free plan."""
    world.identify("ada", email="ada@people.example", phone=THEIR_NUMBER, plan="free")
    return world


def publish(world: World, trigger: dict[str, Any], name: str = "tour", **more: Any) -> None:
    definition = {"automation": name, "trigger": trigger, "start": "pause", "components": COMPONENTS}
    world.automation({**definition, **more})


def entered(world: World, name: str = "tour", user: str = "ada") -> list[dict[str, Any]]:
    found = world.of_contact(who(world, user_id=user), "enrolments")
    return [one for one in found if one["automation"] == name]


def told(world: World, name: str = UPDATED, user: str = "ada") -> list[dict[str, Any]]:
    """The system's events of a name on a timeline, latest first."""
    found = world.of_contact(who(world, user_id=user), "events")
    return [one for one in found if one["event"] == name and one["type"] == "system"]


def start(world: World, body: Any, name: str = "tour") -> tuple[int, dict[str, Any]]:
    status, answer = world.call("automations", ROUTE, body, path={"name": name})
    world.pump()
    return status, answer


def act(world: World, action: str, name: str = "tour") -> None:
    path = {"name": name, "action": action}
    assert world.call("automations", "POST /v1/automations/{name}/{action}", {}, path=path)[0] == 200


# --- messages that came in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inbound", "by_sms", "by_email"), [("any", 1, 1), (["sms"], 1, 0), (["email"], 0, 1), (["email", "sms"], 1, 1)]
)
def test_a_message_that_came_in_starts_it_on_the_channels_that_are_named(
    acme: World, inbound: Any, by_sms: int, by_email: int
) -> None:
    publish(acme, {"inbound": inbound})
    contact = who(acme, user_id="ada")
    for name, entries in (("SMS Received", by_sms), ("Email Received", by_sms + by_email)):
        own(acme, contact, name, body="hello")
        assert len(entered(acme)) == entries


def test_the_condition_of_an_inbound_trigger_is_asked_of_the_message(acme: World) -> None:
    publish(acme, {"inbound": "any", "where": {"property": "body", "contains": "book"}})
    contact = who(acme, user_id="ada")
    own(acme, contact, "SMS Received", body="hello")
    assert refused(acme)[0].refused[0].reason is Reason.WHERE
    own(acme, contact, "SMS Received", body="book a table")
    assert len(entered(acme)) == 1


def test_an_app_that_tracks_such_an_event_itself_starts_nothing(acme: World) -> None:
    publish(acme, {"inbound": "any"})
    for key in ("write", "publishable"):
        body = {"userId": "ada", "event": "SMS Received", "messageId": acme.fresh()}
        assert acme.ingest("track", body, key)[0] == 200
        acme.pump()
    assert entered(acme) == []
    assert refused(acme) == []


def own(world: World, contact: str, name: str, **properties: Any) -> None:
    """An event of Tidings' own comes to a contact."""
    from tidings.activity.model import SYSTEM, Event
    from tidings.activity.store import DynamoEventStore
    from tidings.contacts.model import Identity, IdentityKind

    world.now += timedelta(seconds=1)
    identity = Identity(IdentityKind.CONTACT, contact)
    event = Event("acme", identity, world.fresh(), SYSTEM, name, world.now, world.now, properties=properties)
    with world.recorder.unseen():
        assert DynamoEventStore(world.database).add(event)
    world.pump()


@pytest.mark.parametrize("name", ["Email Opened", "Contact Updated", "SMS Received", "Automation Requested"])
def test_what_a_browser_s_key_reports_under_a_name_of_our_own_starts_nothing(acme: World, name: str) -> None:
    publish(acme, {"event": name})
    body = {"userId": "ada", "event": name, "messageId": acme.fresh(), "properties": {"automation": "tour"}}
    assert acme.ingest("track", body, "publishable")[0] == 200
    acme.pump()
    assert entered(acme) == []
    assert acme.ingest("track", {**body, "messageId": acme.fresh()}, "write")[0] == 200
    acme.pump()
    assert len(entered(acme)) == 1, "a server may tell of messages that others sent"


# --- calls -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["contact", "user_id", "email", "anonymous_id"])
def test_a_call_asks_an_automation_to_take_somebody_in(acme: World, named: str) -> None:
    publish(acme, {"api": True, "where": {"property": "plan", "is": "team"}})
    say(acme, "Seen", userId="ada", anonymousId="a-1")
    ada = who(acme, user_id="ada")
    names = {"contact": ada, "user_id": "ada", "email": "ADA@people.example", "anonymous_id": "a-1"}
    status, answer = start(acme, {named: names[named], "properties": {"plan": "team"}})
    assert (status, answer["automation"], answer["contact"]) == (202, "tour", ada)
    (one,) = entered(acme)
    assert one["cause"]["message_id"] == answer["event"]
    (event,) = told(acme, "Automation Requested")
    assert event["properties"] == {"plan": "team", "automation": "tour"}
    assert event["cause"] == f"call:{answer['event']}"


def test_the_automation_s_rules_decide_whether_they_enter(acme: World) -> None:
    publish(acme, {"api": True}, reentry="once")
    assert [start(acme, {"user_id": "ada"})[0] for _ in range(2)] == [202, 202]
    assert len(entered(acme)) == 1
    assert refused(acme)[0].refused[0].why["rule"] == "once"


def test_a_request_is_for_the_automation_that_it_names(acme: World) -> None:
    publish(acme, {"api": True})
    publish(acme, {"api": True}, "other")
    start(acme, {"user_id": "ada"})
    assert (len(entered(acme)), len(entered(acme, "other"))) == (1, 0)
    assert refused(acme) == []


def test_a_repeat_with_the_same_key_starts_nothing_also_after_a_merge(acme: World) -> None:
    publish(acme, {"api": True})
    say(acme, "Seen", anonymousId="a-1")
    body = {"anonymous_id": "a-1", "idempotency_key": "k-1"}
    first = start(acme, body)
    acme.now += timedelta(minutes=1)
    assert start(acme, body) == first
    assert start(acme, {**body, "properties": {"x": 1}}) == (
        409,
        {
            "code": "idempotency_conflict",
            "message": "This idempotency key was used with other properties.",
            "field": "idempotency_key",
        },
    )
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    assert start(acme, {"user_id": "ada", "idempotency_key": "k-1"})[1]["event"] == first[1]["event"]
    assert len(entered(acme)) == 1


def test_a_request_is_a_read_of_the_automation_and_of_the_contact_and_a_write(acme: World) -> None:
    publish(acme, {"api": True})
    body = {"contact": who(acme, user_id="ada"), "idempotency_key": "k-1"}
    for expected in (["BatchGetItem", "GetItem", "PutItem"], ["BatchGetItem", "GetItem", "PutItem", "BatchGetItem"]):
        acme.recorder.clear()
        assert acme.call("automations", ROUTE, body, path={"name": "tour"})[0] == 202
        assert [call.operation for call in acme.recorder.calls] == expected


def test_of_two_calls_at_once_with_one_key_both_are_answered_the_same(acme: World) -> None:
    publish(acme, {"api": True})
    body, answers = {"user_id": "ada", "idempotency_key": "k-1"}, []

    def before(call: Call) -> None:
        if call.operation == "PutItem":
            acme.recorder.before = None
            answers.append(acme.call("automations", ROUTE, body, path={"name": "tour"}))

    acme.recorder.before = before
    answers.append(start(acme, body))
    assert answers[0] == answers[1]
    assert len(entered(acme)) == 1


REFUSED: list[tuple[Any, int, str, str | None]] = [
    ({}, 400, "invalid_request", None),
    ({"user_id": "ada", "email": "ada@people.example"}, 400, "invalid_request", None),
    ({"user_id": 1}, 400, "invalid_request", "user_id"),
    ({"user_id": "ada", "colour": "red"}, 400, "invalid_request", "colour"),
    ({"user_id": "ada", "properties": []}, 400, "invalid_request", "properties"),
    ({"user_id": "ada", "idempotency_key": ""}, 400, "invalid_request", "idempotency_key"),
    ({"user_id": "ada", "properties": {"depth": 1}}, 400, "reserved_property", "properties.depth"),
    ({"user_id": "ada", "properties": {"automation": "x"}}, 400, "reserved_property", "properties.automation"),
    ({"user_id": "ada", "properties": {"x": "y" * 33_000}}, 400, "properties_too_large", "properties"),
    ({"email": "ada"}, 400, "invalid_email", "email"),
    ({"user_id": "nobody"}, 404, "unknown_contact", "user_id"),
    ({"anonymous_id": "nobody"}, 404, "unknown_contact", "anonymous_id"),
    ({"email": "nobody@people.example"}, 404, "unknown_contact", "email"),
    ({"contact": "cnobody"}, 404, "unknown_contact", "contact"),
]


def test_a_call_that_is_wrong_says_what_and_leaves_nothing(acme: World) -> None:
    publish(acme, {"api": True})
    before = acme.items("TABLE_EVENTS")
    for body, status, code, field in REFUSED:
        answered, answer = start(acme, body)
        assert (answered, answer["code"]) == (status, code), answer
        assert field is None or answer["field"] == field, answer
    assert acme.items("TABLE_EVENTS") == before


def test_an_automation_that_takes_nobody_in_by_calls_says_so(acme: World) -> None:
    publish(acme, {"event": "Signed Up"})
    publish(acme, {"api": True}, "paused")
    publish(acme, {"api": True}, "archived")
    act(acme, "pause", "paused")
    act(acme, "archive", "archived")
    draft = {"automation": "draft", "trigger": {"api": True}, "start": "pause", "components": COMPONENTS}
    acme.call("automations", "PUT /v1/automations/{name}", draft, path={"name": "draft"})
    for name, status, code in (
        ("tour", 409, "not_started_by_calls"),
        ("paused", 409, "automation_paused"),
        ("archived", 409, "automation_archived"),
        ("draft", 404, "unknown_automation"),
        ("nobodys", 404, "unknown_automation"),
    ):
        answered, answer = start(acme, {"user_id": "ada"}, name)
        assert (answered, answer["code"]) == (status, code)
    assert told(acme, "Automation Requested") == []


# --- other automations -----------------------------------------------------------------------------------------------


def test_automations_that_start_each_other_in_a_circle_come_to_an_end(acme: World) -> None:
    for name, other in (("tour", "back"), ("back", "tour")):
        again = {"type": "start_automation", "automation": other}
        publish(acme, {"api": True}, name, start="again", components={"again": again})
    start(acme, {"user_id": "ada"})
    acme.run()
    assert len(entered(acme)) + len(entered(acme, "back")) == 11, "the first by the call, and ten by the chain"
    depths = [one["properties"].get("depth") for one in told(acme, "Automation Requested")]
    assert sorted(depths, key=lambda depth: depth or 0) == [None, *range(1, 12)]
    (one,) = refused(acme)[0].refused
    assert (one.reason, one.why) == (Reason.TOO_DEEP, {"depth": 11, "most": 10})
    assert one.sentence == "it was started by a chain of 11 automations, and 10 are the most"


def test_an_automation_that_changes_what_it_listens_to_comes_to_an_end(acme: World) -> None:
    ask = {"type": "start_automation", "automation": "more"}
    publish(acme, {"event": UPDATED}, start="ask", components={"ask": ask})
    more = {"type": "update_contact", "set": {"visits": {"add": 1}}}
    publish(acme, {"api": True}, "more", start="more", components={"more": more})
    acme.identify("ada", plan="team")
    acme.run()
    assert acme.contact(user_id="ada")["traits"]["visits"] == 5
    assert refused(acme)[0].refused[0].reason is Reason.TOO_DEEP


def test_what_an_app_calls_depth_is_no_depth_of_ours(acme: World) -> None:
    publish(acme, {"event": "Dived"}, start="go", components={"go": {"type": "start_automation", "automation": "next"}})
    publish(acme, {"api": True}, "next")
    acme.track("ada", "Dived", depth=40)
    acme.run()
    assert told(acme, "Automation Requested")[0]["properties"]["depth"] == 1
    assert len(entered(acme, "next")) == 1


# --- changes of the contact ------------------------------------------------------------------------------------------


def test_a_trait_that_an_identify_changes_starts_it_once(acme: World) -> None:
    publish(acme, {"event": UPDATED, "where": TO_TEAM})
    acme.identify("ada", plan="team", colour="red")
    acme.now += timedelta(seconds=1)
    acme.identify("ada", plan="team", colour="blue")
    assert len(entered(acme)) == 1
    assert [one["properties"] for one in told(acme)] == [{"changed": ["colour"]}, {"changed": ["colour", "plan"]}]


def test_a_change_is_told_by_whom_it_was_made_and_finds_the_contact_changed(acme: World) -> None:
    publish(acme, {"event": UPDATED, "where": TO_TEAM})
    message = acme.fresh()
    assert acme.ingest("identify", {"userId": "ada", "traits": {"plan": "team"}, "messageId": message})[0] == 200
    acme.pump()
    (event,) = told(acme)
    assert event["cause"] == f"event:user/ada/{message}"
    assert entered(acme)[0]["root"] == f"event:user/ada/{message}"


def test_an_identify_that_changes_nothing_tells_nothing(acme: World) -> None:
    publish(acme, {"event": UPDATED})
    acme.identify("ada", plan="free")
    acme.track("ada", "Looked")
    assert told(acme) == []


def test_where_nobody_listens_nothing_is_written(acme: World) -> None:
    acme.identify("ada", plan="team")
    assert told(acme) == []


def test_who_is_made_by_a_call_had_nothing_before(acme: World) -> None:
    publish(acme, {"event": UPDATED, "where": TO_TEAM})
    acme.identify("bob", plan="team")
    assert len(entered(acme, user="bob")) == 1
    assert told(acme, user="bob")[0]["properties"] == {"changed": ["plan"]}


def test_an_edit_tells_what_it_changed_itself(acme: World) -> None:
    publish(acme, {"event": UPDATED, "where": TO_TEAM})
    path = {"contact": who(acme, user_id="ada")}
    body = {"traits": {"plan": "team", "email": "ada@people.example"}}
    assert acme.call("change_contacts", "PATCH /v1/contacts/{contact}", body, path=path)[0] == 200
    acme.pump()
    assert [one["properties"] for one in told(acme)] == [{"changed": ["plan"]}]
    assert len(entered(acme)) == 1


def test_a_form_tells_what_it_changed(acme: World) -> None:
    publish(acme, {"event": UPDATED, "where": TO_TEAM})
    acme.now += timedelta(seconds=1)
    body = {"form": "upgrade", "userId": "ada", "traits": {"plan": "team"}, "messageId": "f-1"}
    for _ in range(2):
        assert acme.ingest("forms", body)[0] == 200
        acme.pump()
    assert len(entered(acme)) == 1
    (event,) = told(acme)
    assert event["cause"].endswith("/f-1")


def test_who_joins_or_leaves_a_company_is_told_of_too(acme: World) -> None:
    publish(acme, {"event": UPDATED})
    for kind in ("group", "ungroup"):
        acme.now += timedelta(seconds=1)
        body = {"userId": "ada", "groupId": "g-1", "messageId": acme.fresh(), "timestamp": to_text(acme.now)}
        assert acme.ingest(kind, body)[0] == 200, kind
        acme.pump()
    assert [one["properties"] for one in told(acme)] == [{"left": ["g-1"]}, {"joined": ["g-1"]}]


@pytest.mark.parametrize("user", ["ada", "zoe"])
@pytest.mark.parametrize("number", range(7))
def test_whatever_call_fails_a_change_is_told_once(acme: World, number: int, user: str) -> None:
    publish(acme, {"event": UPDATED, "where": TO_TEAM})
    made = 0

    def before(call: Call) -> None:
        nonlocal made
        made += acme.running == "react"
        if made == number + 1 and acme.running == "react":
            acme.recorder.before = None
            raise ConnectionResetError

    body = {"userId": user, "traits": {"plan": "team"}, "messageId": acme.fresh()}
    assert acme.ingest("identify", body)[0] == 200
    records = acme.new_records()
    acme.recorder.before = before
    for _ in range(3):
        try:
            acme.invoke("react", {"Records": records})
        except ConnectionResetError:
            acme.cold("react")
    acme.recorder.before = None
    acme.pump()
    assert len(told(acme, user=user)) == 1
    assert len(entered(acme, user=user)) == 1


def test_every_change_of_a_contact_is_an_event_that_a_trigger_can_name(acme: World) -> None:
    """Consents, merges, conversations and messages tell of themselves; the list is that of our own events."""
    from tidings.activity.own_events import OWN_EVENTS

    for name in ("Consent Given", "Contacts Merged", "Conversation Opened", "Email Delivered", "SMS Delivered"):
        assert name in OWN_EVENTS
    publish(acme, {"event": "Contacts Merged"})
    say(acme, "Seen", anonymousId="a-1")
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    assert len(entered(acme)) == 1
    assert json.dumps(entered(acme)[0]["cause"]).count("Contacts Merged") == 1


@pytest.mark.parametrize("part", ["wait", "exit"])
def test_nor_does_it_end_a_wait_or_let_anybody_out(acme: World, part: str) -> None:
    arms = [{"name": "Answered", "event": "Email Received", "next": "asked"}]
    answer = {"type": "wait_for", "arms": arms, "timeout": "2 days", "on_timeout": "asked"}
    components = {"answer": answer, "asked": COMPONENTS["asked"]}
    exits = [{"name": "Wrote", "event": "Email Received"}] if part == "exit" else []
    publish(acme, {"event": "Ordered"}, start="answer", components=components, **({"exits": exits} if exits else {}))
    acme.track("ada", "Ordered")
    acme.run()
    acme.now += timedelta(seconds=1)
    body = {"userId": "ada", "event": "Email Received", "messageId": acme.fresh()}
    assert acme.ingest("track", body, "publishable")[0] == 200
    acme.pump()
    acme.run(timedelta(days=2))
    (one,) = entered(acme)
    assert one["state"] == "completed"
    assert one["path"][0]["outcome"] == "timeout"


def reported(world: World, name: str, key: str, **whose: str) -> None:
    """A second later somebody reports an event under a name of our own, and then all there is comes of it."""
    world.now += timedelta(seconds=1)
    body = {"event": name, "messageId": world.fresh(), **whose}
    assert world.ingest("track", body, key)[0] == 200
    world.pump()


@pytest.mark.parametrize(("key", "converts"), [("publishable", False), ("write", True)])
@pytest.mark.parametrize("merged", [False, True])
def test_nor_is_it_anybody_s_goal(acme: World, key: str, converts: bool, merged: bool) -> None:
    publish(acme, {"event": "Ordered"}, goal={"event": "Consent Given"})
    acme.track("ada", "Ordered")
    reported(acme, "Consent Given", key, **({"anonymousId": "a-1"} if merged else {"userId": "ada"}))
    if merged:
        merge(acme, who(acme, anonymous_id="a-1"), who(acme, user_id="ada"))
    assert bool(entered(acme)[0]["converted_at"]) is converts


@pytest.mark.parametrize(("key", "arm"), [("publishable", "otherwise"), ("write", "Gave")])
def test_nor_does_a_condition_count_it(acme: World, key: str, arm: str) -> None:
    arms = [{"name": "Gave", "when": {"did": "Consent Given"}, "next": "asked"}]
    components = {"which": {"type": "branch", "arms": arms, "otherwise": "asked"}, "asked": COMPONENTS["asked"]}
    publish(acme, {"event": "Ordered"}, start="which", components=components)
    reported(acme, "Consent Given", key, userId="ada")
    acme.track("ada", "Ordered")
    acme.run()
    assert entered(acme)[0]["path"][0]["outcome"] == arm


@pytest.mark.parametrize(("key", "state"), [("publishable", "live"), ("write", "exited")])
def test_nor_does_the_condition_of_an_exit(acme: World, key: str, state: str) -> None:
    exits = [{"name": "Withdrew", "when": {"did": "Consent Withdrawn", "since": "enrolment"}}]
    publish(acme, {"event": "Ordered"}, exits=exits)
    acme.track("ada", "Ordered")
    reported(acme, "Consent Withdrawn", key, userId="ada")
    assert entered(acme)[0]["state"] == state


@pytest.mark.parametrize(("key", "entries"), [("publishable", 0), ("write", 1)])
def test_nor_does_it_start_anything_by_a_merge(acme: World, key: str, entries: int) -> None:
    trigger = {"event": "Consent Given", "where": {"trait": "plan", "is": "free"}, "merged": True}
    publish(acme, trigger)
    reported(acme, "Consent Given", key, anonymousId="a-1")
    acme.now += timedelta(seconds=1)
    merge(acme, who(acme, anonymous_id="a-1"), who(acme, user_id="ada"))
    assert len(entered(acme)) == entries
