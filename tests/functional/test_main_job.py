"""The main job: an event becomes an e-mail through a compiled automation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.world import World

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
