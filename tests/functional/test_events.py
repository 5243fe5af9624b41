"""The events of the folder events/: one for each function and source, each taken by its handler.

They tell one story in this order.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.retell import EVENTS, add_keys, event, made, written
from tests.support.short_links import make_link
from tests.support.template import root_stack
from tests.support.world import ROOT, World

from tidings.automations.enrolments.model import EnrolmentOver

EMPTY = {
    "code": "empty_variable",
    "severity": "warning",
    "field": "html",
    "message": "contact.first_name comes out as nothing for this person.",
}
# Each event and what its answer must say; of an API's answer the body counts, and its status is 2xx.
STORY: dict[str, dict[str, Any] | None] = {
    "templates.api": {"template": "tips", "version": 1, "changed": True},
    "templates.api.sms": {"template": "pin", "channel": "sms", "version": 1},
    "automations.api": {"automation": "welcome", "problems": []},
    "automations.api.publish": {"automation": "welcome", "version": 1, "changed": True},
    "templates.api.lint": {"findings": [EMPTY]},
    "settings.api": {"plan": {"track": {"__default": {"enabled": True}}}},
    "page.api": {"success": True},
    "identify.api": {"success": True},
    "alias.api": {"success": True},
    "group.api": {"success": True},
    "track.api": {"success": True},
    "batch.api": {"success": True},
    "screen.api": {"success": True},
    "ungroup.api": {"success": True},
    "forms.api": {"success": True},
    "react.stream": {"batchItemFailures": []},
    "start_enrolments.queue": {"batchItemFailures": []},
    "run_jobs.queue": {"batchItemFailures": []},
    "contacts.api": {"cursor": ""},
    "templates.api.preview": {"subject": "Tips for Ada", "missing": [], "version": 1},
    "change_contacts.api": {
        "traits": {"email": "ada@people.example", "first_name": "Ada", "plan": "team", "seats": 12},
        "known": True,
    },
    "merges.api": {"act": "link", "allowed": True, "identities": [{"kind": "anon", "value": "a-77"}]},
    "companies.api": {"company": "g-1", "traits": {"tier": "gold"}},
    "branch.machine": {"outcome": "yes", "next": "guard", "n": 1},
    "check_suppression.machine": {"outcome": "clear", "next": "tips", "n": 2},
    "send_email.machine": {"outcome": "accepted", "next": "pin", "n": 3},
    "send_sms.machine": {"outcome": "skipped", "next": "mark", "n": 4},
    "act.machine": {"outcome": "updated", "next": "tell", "n": 5},
    "call_webhook.machine": {"outcome": "failed", "next": "answer", "n": 6},
    "call_webhook.api": {},
    "wait_for.machine": {},
    "ses_events.queue": {"batchItemFailures": []},
    "ses_webhook.api": {"result": "taken"},
    "sms_events.queue": {"batchItemFailures": []},
    "links.api": {"text": ""},
    "sending.api": {"state": "good", "why": ""},
    "messages.api": {"state": "delivered", "address": "ada@people.example", "subject": "Tips for Ada"},
    "reports.api": {"by": ["automation"], "cursor": ""},
    "why.api": {"code": "decided", "answer": "Sent and delivered."},
    "statistics.api": {"automation": "welcome", "converted": 0},
    "chain.api": {"truncated": False},
    "settle_executions.rule": None,
    "send_email.api": {"state": "accepted", "kind": "transactional"},
    "send_email.api.resend": {"state": "accepted", "kind": "marketing"},
    "send_email.api.many": {"state": "scheduled", "recipients": 2},
    "send_sms.api": {"state": "accepted", "channel": "sms", "address": "+48600100200"},
    "send_sms.api.preview": {"encoding": "Unicode", "parts": 1, "missing": []},
    "sends.api": {"cursor": ""},
    "deliver.machine": {},
    "deliver.queue": {"batchItemFailures": []},
    "deliver.schedule": {},
    "senders.api": {"identity": "new.example", "verified": False},
    "check_senders.schedule": None,
    "sender_ids.api.setup": {"max_price": "0.05", "lifetime": 3600},
    "sender_ids.api": {"name": "TIDINGS", "state": "requested"},
    "review_sender_ids.machine": {"do": "end"},
    "sender_ids.api.reject": {"name": "TIDINGS", "state": "rejected"},
    "suppressions.api": {"address": "bob@people.example", "reason": "manual"},
    "check_suppression.api": {"suppressed": True, "check": "suppression"},
    "templates.api.confirm": {"template": "confirm", "version": 1},
    "policy.api": {"topic": "club", "consent": "double_opt_in"},
    "policy.api.rule": {"rule": "closed", "kinds": "all"},
    "policy.api.inbox": {"inbox": "sales", "title": "Sales"},
    "conversations.api": {"conversations": [], "cursor": ""},
    "wake_conversations.machine": {},
    "agenda.machine": {"next": "done", "after": ""},
    "numbers.api": {"number": "+48732100200", "two_way": True, "todo": []},
    "numbers.api.keyword": {"keyword": "confirm", "words": ["TAK", "YES"]},
    "sms_inbound.queue": {"batchItemFailures": []},
    "conversations.api.reply": {},
    "email_inbound.queue": {"batchItemFailures": []},
    "subscriptions.api": {"state": "pending"},
    "consents.api": {"result": "set", "reply": "subscribed"},
    "consents.api.import": {"rows": [{"row": 1, "result": "set"}]},
    "mirror_suppressions.schedule": {"suppressed": 0},
    "settle_messages.schedule": None,
    "export.api": {"cursor": ""},
    "erase.api": {"state": "erasing"},
    "erasures.queue": {"batchItemFailures": []},
    "brand.api": {"name": "Acme", "colour": "#1f6f54"},
    "unsubscribe.api": {"text": "You are unsubscribed.\n"},
    "openapi.api": {"openapi": "3.1.1"},
}


@pytest.fixture
def story(world: World) -> World:
    """A workspace that has the keys of the events."""
    add_keys(world)
    link, message = event("links.api")["pathParameters"]["code"], event("messages.api")["pathParameters"]["message"]
    make_link(world, message, link, "https://shop.example/cart")
    return world


def played(world: World, name: str) -> Any:
    answer = world.invoke(name.partition(".")[0], event(name))
    if "requestContext" not in event(name):
        return answer
    assert 200 <= answer["statusCode"] < 400, answer
    is_json = answer["headers"].get("content-type") == "application/json"
    return json.loads(answer["body"]) if is_json else {"text": answer.get("body", "")}


@pytest.fixture
def answers(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What each event of the story was answered; it is played once a process."""
    if not ANSWERS:
        story = request.getfixturevalue("story")
        ANSWERS.update({name: played(story, name) for name in STORY})
    return ANSWERS


ANSWERS: dict[str, Any] = {}


@pytest.mark.parametrize("name", STORY)
def test_each_handler_takes_its_event(answers: dict[str, Any], name: str) -> None:
    answer, expected = answers[name], STORY[name]
    if expected is None:
        assert answer is None
        return
    assert {field: answer[field] for field in expected} == expected


def test_who_texted_is_answered_by_text_and_the_conversation_goes_on(answers: dict[str, Any]) -> None:
    told = answers["conversations.api.reply"]
    message, conversation = told["message"], told["conversation"]
    assert (message["state"], message["address"], message["channel"]) == ("accepted", "+48600100200", "sms")
    assert message["transport"]["sender"] == "+48732100200"
    assert (conversation["state"], conversation["reply"]["from"]) == ("ongoing", "+48732100200")


def test_the_ids_in_the_events_are_those_that_are_made(world: World) -> None:
    assert made(world) == written(), "write the new ids into the events: python -m tests.support.retell"


def test_the_story_ends_well(story: World) -> None:
    for name in STORY:
        played(story, name)
    contact = story.contact(user_id="u-7")["contact"]
    (enrolment,) = story.of_contact(contact, "enrolments")
    assert enrolment["state"] == "completed"
    assert [step["component"] for step in enrolment["path"]] == ["active", "guard", "tips", "pin", "mark", "tell"]
    assert len(story.ses.to("ada@people.example")) == 5
    assert story.messages_in("aside") == story.messages_in("starts") == []


def test_the_whole_story_may_be_told_twice(story: World) -> None:
    for name in STORY:
        played(story, name)
    for name in STORY:
        if name == "wait_for.machine":  # nothing ended the wait but the end of the execution, so no step of it stands
            with pytest.raises(EnrolmentOver):
                played(story, name)
        else:
            played(story, name)
    assert len(story.ses.accepted) == 6
    # Ada's, the one that waits for the send's instant, and a wait and a clock for each request of a sender ID.
    assert len(story.executions) == 2 + 4
    contact = story.contact(user_id="u-7")["contact"]
    told = [one["event"] for one in story.of_contact(contact, "events") if one["event"]]
    consents = ["Consent Asked", "Consent Given", "Consent Withdrawn"]
    mails = ["Email Delivered", "Email Sent", "Email Unsubscribed", "SMS Skipped"]
    viewed = ["Viewed Home Screen", "Viewed Pricing Page"]
    updated = ["Contact Updated", "Contact Updated"]  # by hand, and by the automation
    assert sorted(told) == sorted([*consents, *mails, *viewed, *updated, "Project Created", "Signed Up"])


def test_every_function_has_an_event_for_each_source_that_wakes_it() -> None:
    there = {tuple(path.stem.split(".")[:2]) for path in EVENTS.glob("*.json")}
    assert there == _woken_by()
    assert {path.stem for path in EVENTS.glob("*.json")} == set(STORY)


def _woken_by() -> set[tuple[str, str]]:
    """Each function and what wakes it, as the template has it."""
    sources = {"HttpApi": "api", "EventBridgeRule": "rule", "Schedule": "schedule"}
    resources = root_stack().resources
    folders = {
        name: resource["Properties"]["CodeUri"].strip("/").rpartition("/")[2]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert set(folders.values()) == {path.parent.name for path in ROOT.glob("functions/*/app.py")}
    woken = {
        (folder, sources[trigger["Type"]])
        for name, folder in folders.items()
        for trigger in resources[name]["Properties"].get("Events", {}).values()
    }
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            kind = "stream" if "Stream" in str(resource["Properties"]["EventSourceArn"]) else "queue"
            woken.add((folders[resource["Properties"]["FunctionName"]["Ref"]], kind))
    (statement,) = resources["MachinesMayCallSteps"]["Properties"]["PolicyDocument"]["Statement"]
    machines = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::StepFunctions::StateMachine"]
    told = f"{statement['Resource']} {[machine['DefinitionString'] for machine in machines]}"
    called = [name for name in folders if f"'{name}'" in told or f"${{{name}.Arn}}" in told]
    return woken | {(folders[name], "machine") for name in called}
