"""The main job on the local engine: calls of a published SDK become e-mails through a compiled automation."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import segment.analytics as analytics
import urllib3
from tests.e2e.local_system import LocalSystem, eventually

AUTOMATION = "e2e-welcome"
# No other test's automation begins with it: all share one system.
EVENT = "E2E Signed Up"
# The engine runs waits at a hundred-thousandth: four days last 3.5 seconds, enough for a second event to come.
DEFINITION = {
    "automation": AUTOMATION,
    "trigger": {"event": EVENT, "where": {"property": "plan", "is": "team"}},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "4 days", "next": "active"},
        "active": {
            "type": "branch",
            "arms": [{"name": "yes", "when": {"did": "Project Created", "since": "enrolment"}, "next": "tips"}],
            "otherwise": "guard",
        },
        "guard": {"type": "check_suppression", "channel": "email", "clear": "nudge", "suppressed": "nudge_anyway"},
        "nudge": {"type": "send_email", "template": "e2e-nudge"},
        "nudge_anyway": {"type": "send_email", "template": "e2e-nudge"},
        "tips": {"type": "send_email", "template": "e2e-tips"},
    },
}


def mails(local: LocalSystem, address: str) -> list[dict[str, Any]]:
    answer = urllib3.request("GET", f"{local.outbox}/api/mails?to={quote(address)}", retries=False)
    body = answer.json()
    found: list[dict[str, Any]] = body["mails"] if isinstance(body, dict) else body
    return found


def apply(local: LocalSystem, definition: dict[str, Any]) -> None:
    for name in ("e2e-tips", "e2e-nudge"):
        template = {"subject": f"{name} for {{{{ contact.first_name }}}}", "html": "<p>Hello</p>", "text": "Hello"}
        assert local.call("PUT", f"/v1/templates/{name}", template).status == 200
    path = f"/v1/automations/{definition['automation']}"
    applied = local.call("PUT", path, definition)
    assert applied.status == 200, applied.data
    published = local.call("POST", f"{path}/publish")
    assert published.status == 200, published.data


def contact_of(local: LocalSystem, user: str) -> str:
    def ask() -> str:
        found = local.call("GET", f"/v1/contacts?user_id={user}").json["contacts"]
        return str(found[0]["contact"]) if found else ""

    return str(eventually(ask))


def message_of(local: LocalSystem, user: str, *states: str) -> dict[str, Any]:
    """The one message of a user, once it is in one of the states."""
    contact = contact_of(local, user)

    def ask() -> dict[str, Any] | None:
        messages = local.call("GET", f"/v1/contacts/{contact}/messages").json["messages"]
        assert len(messages) <= 1
        return next((message for message in messages if message["state"] in states), None)

    found: dict[str, Any] = eventually(ask)
    return found


@pytest.fixture(scope="module")
def people(local: LocalSystem) -> dict[str, str]:
    """Five people report to the SDK: their e-mail addresses by user id."""
    apply(local, DEFINITION)
    addresses = {
        "e2e-ada": "ada@e2e.example",
        "e2e-bob": "bob@e2e.example",
        "e2e-sue": "sue@e2e.example",
        "e2e-bea": "bounce+bea@simulator.amazonses.com",
        "e2e-hobby": "hobby@e2e.example",
    }
    assert local.call("PUT", "/v1/suppressions/email/SUE@e2e.example", {}).status == 200
    client = analytics.Client(local.keys["write"], host=local.url, on_error=pytest.fail)
    for user, address in addresses.items():
        client.identify(user_id=user, traits={"email": address, "firstName": user[4:].title()})
        client.track(user_id=user, event=EVENT, properties={"plan": "hobby" if "hobby" in user else "team"})
    client.track(user_id="e2e-ada", event="Project Created")
    client.shutdown()
    return addresses


def test_who_did_it_gets_one_mail_and_who_did_not_the_other(local: LocalSystem, people: dict[str, str]) -> None:
    for user, subject in (("e2e-ada", "e2e-tips for Ada"), ("e2e-bob", "e2e-nudge for Bob")):
        message_of(local, user, "delivered")
        (mail,) = mails(local, people[user])
        assert mail["subject"] == subject


def test_the_suppressed_get_nothing_and_a_record_of_why(local: LocalSystem, people: dict[str, str]) -> None:
    message = message_of(local, "e2e-sue", "skipped")
    assert message["decision"]["decided_by"] == "suppression"
    assert mails(local, people["e2e-sue"]) == []


def test_a_bounce_suppresses_the_address(local: LocalSystem, people: dict[str, str]) -> None:
    message = message_of(local, "e2e-bea", "bounced")
    entry = local.call("GET", f"/v1/suppressions/email/{quote(people['e2e-bea'])}")
    assert entry.json["reason"] == "bounce"
    assert message["error"].startswith("Permanent/")


def test_who_does_not_meet_the_trigger_is_not_enrolled(local: LocalSystem, people: dict[str, str]) -> None:
    contact = contact_of(local, "e2e-hobby")
    message_of(local, "e2e-bob", "delivered")
    assert local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"] == []
    assert mails(local, people["e2e-hobby"]) == []


def test_the_timeline_tells_the_whole_story_and_the_branch_says_why(local: LocalSystem, people: dict[str, str]) -> None:
    contact = contact_of(local, "e2e-ada")
    (mail,) = mails(local, people["e2e-ada"])
    assert urllib3.request("POST", f"{local.outbox}/api/mails/{mail['id']}/open", retries=False).status < 300

    def names() -> list[str] | None:
        events = local.call("GET", f"/v1/contacts/{contact}/timeline").json["events"]
        found = [event["event"] for event in events][::-1]
        return found if "Email Opened" in found else None

    told = eventually(names)
    assert told[:3] == ["", EVENT, "Project Created"]
    assert set(told[3:]) == {"Email Sent", "Email Delivered", "Email Opened"}
    (enrolment,) = local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"]
    assert enrolment["path"][0]["why"]["yes"]["result"] is True


def test_one_machine_was_made_for_the_version_and_publishing_again_makes_none(
    local: LocalSystem, people: dict[str, str]
) -> None:
    before = local.client("stepfunctions").list_state_machines()["stateMachines"]
    answer = local.call("POST", f"/v1/automations/{AUTOMATION}/publish")
    assert (answer.json["version"], answer.json["changed"]) == (1, False)
    assert local.client("stepfunctions").list_state_machines()["stateMachines"] == before
