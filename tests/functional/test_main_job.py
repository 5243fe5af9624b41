"""The main job: an event becomes an e-mail through a compiled automation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.world import World

from tidings.core.errors import InvalidInput

WELCOME = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "active"},
        "active": {
            "type": "branch",
            "arms": [{"name": "yes", "when": {"did": "Project Created", "since": "enrolment"}, "next": "tips"}],
            "otherwise": "nudge",
        },
        "tips": {"type": "send_email", "template": "tips"},
        "nudge": {"type": "send_email", "template": "nudge"},
    },
}


@pytest.fixture
def welcome(world: World) -> World:
    """A workspace with the welcome automation published."""
    world.template("tips")
    world.template("nudge")
    world.automation(WELCOME)
    world.recorder.clear()
    return world


def sign_up(world: World, user: str) -> str:
    world.identify(user, email=f"{user}@people.example", firstName=user.title())
    world.track(user, "Signed Up", plan="team")
    return f"{user}@people.example"


def test_each_person_gets_the_mail_of_their_arm(welcome: World) -> None:
    ada, bob = sign_up(welcome, "ada"), sign_up(welcome, "bob")
    welcome.track("ada", "Project Created")
    welcome.run(timedelta(hours=23))
    assert welcome.ses.accepted == []
    welcome.run(timedelta(hours=1))
    assert [m["Content"]["Simple"]["Subject"]["Data"] for m in welcome.ses.to(ada)] == ["tips for Ada"]
    assert [m["Content"]["Simple"]["Subject"]["Data"] for m in welcome.ses.to(bob)] == ["nudge for Bob"]
    assert len(welcome.ses.accepted) == 2
    contact = welcome.contact(user_id="ada")["contact"]
    (message,) = welcome.of_contact(contact, "messages")
    assert message["state"] == "accepted"
    assert message["decision"]["send"] is True
    (enrolment,) = welcome.of_contact(contact, "enrolments")
    assert [(step["component"], step["outcome"]) for step in enrolment["path"]] == [
        ("active", "yes"),
        ("tips", "accepted"),
    ]


def test_a_trigger_counts_in_all_time_but_not_since_the_enrolment_it_began(world: World) -> None:
    world.template("loyal")
    world.template("other")
    often = {"did": "Order Placed", "at_least": 3, "within": "30 days"}
    again = {"did": "Order Placed", "since": "enrolment"}
    arms = [{"name": "again", "when": again, "next": "other"}, {"name": "often", "when": often, "next": "loyal"}]
    world.automation(
        {
            "automation": "loyalty",
            "trigger": {"event": "Order Placed"},
            "reentry": "every_time",
            "start": "look",
            "components": {
                "look": {"type": "branch", "arms": arms},
                "loyal": {"type": "send_email", "template": "loyal"},
                "other": {"type": "send_email", "template": "other"},
            },
        }
    )
    world.identify("ada", email="ada@people.example")
    for _ in range(3):
        world.track("ada", "Order Placed")
        world.run(timedelta(minutes=1))
    assert [mail["Content"]["Simple"]["Subject"]["Data"] for mail in world.ses.accepted] == ["loyal for"]
    (first, *_) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    assert first["path"][0]["why"]["often"]["result"] in (True, False)


def test_a_message_remembers_when_it_came_to_each_state(world: World) -> None:
    world.template("hello")
    world.identify("ada", email="ada@people.example")
    body = {"to": {"user_id": "ada"}, "template": "hello", "idempotency_key": "1"}
    _, message = world.call("send_email", "POST /v1/emails", body)
    (mail,) = world.ses.accepted
    world.feedback(world.ses.event("Delivery", mail))
    world.feedback(world.ses.event("Send", mail))
    _, shown = world.call("messages", "GET /v1/messages/{message}", path={"message": message["message"]})
    assert sorted(shown["history"]) == ["accepted", "claimed", "delivered"]
    assert shown["history"]["delivered"] == "2026-11-21T09:00:05.000000Z"


def test_a_workspace_needs_a_sender_that_is_an_address(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.accounts.create_workspace("new", "New", "not an address")
    assert caught.value.code == "invalid_sender"
