"""A round of all that `act` does, and of messages that are parts of conversations, for the test of permissions."""

from __future__ import annotations

from typing import Any

import urllib3
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import done
from tests.e2e.round_people import identify, track
from tests.e2e.test_main_job import apply, contact_of, mails
from tests.e2e.test_sms import Phone

MAIL, NEW_MAIL, NUMBER = "acts@round-people.example", "acted@round-people.example", "+12065550159"
OURS = "+12065550100"
TEXT = {"type": "send_sms", "template": "round-text", "two_way": True}
ACTS: dict[str, Any] = {
    "automation": "round-acts",
    "trigger": {"event": "Round Acts"},
    "start": "mail",
    "components": {
        "mail": {"type": "send_email", "template": "round-mail", "conversation": "new", "next": "plan"},
        "plan": {"type": "assign_conversation", "inbox": "desk", "next": "reply"},
        "reply": {"type": "inbound_message", "of": "mail", "timeout": "300 days", "next": "move"},
        "move": {"type": "assign_conversation", "inbox": "default", "next": "more"},
        "more": {"type": "send_email", "template": "round-mail", "conversation": "follow_up", "next": "text"},
        "text": {**TEXT, "conversation": "follow_up", "next": "mark"},
        "mark": {
            "type": "update_contact",
            "set": {"email": NEW_MAIL, "visits": {"add": 1}},
            "unset": ["last_name"],
            "next": "other",
        },
        "other": {"type": "start_automation", "automation": "round-asked"},
    },
}
ASKED: dict[str, Any] = {
    "automation": "round-asked",
    "trigger": {"api": True},
    "start": "ask",
    "components": {
        "ask": {**TEXT, "conversation": "new", "next": "early"},
        "early": {"type": "send_email", "template": "round-mail", "conversation": "follow_up", "next": "again"},
        "again": {**TEXT, "conversation": "follow_up"},
    },
}


def walk(own: LocalSystem) -> None:
    """All of it, in a workspace that has numbers, an inbox `desk`, and templates of both kinds."""
    apply(own, ASKED)
    apply(own, ACTS)
    identify(own, {"userId": "round-acts", "traits": {"email": MAIL, "phone": NUMBER, "last_name": "Acts"}})
    contact = contact_of(own, "round-acts")
    track(own, {"userId": "round-acts", "event": "Round Acts"})
    (mail,) = eventually(lambda: mails(own, MAIL))
    eventually(lambda: _path(own, contact, "round-acts") == [("mail", "accepted"), ("plan", "assigned")])
    answered = urllib3.request(
        "POST", f"{own.outbox}/api/mails/{mail['id']}/answer", json={"text": "Yes."}, timeout=30, retries=False
    )
    assert answered.status < 300, answered.data
    eventually(lambda: ("other", "requested") in _path(own, contact, "round-acts"))
    outcomes = [outcome for _, outcome in _path(own, contact, "round-acts")]
    assert outcomes == [
        *("accepted", "assigned", "answered", "assigned", "accepted", "accepted", "updated", "requested"),
    ]
    asked = [("ask", "accepted"), ("early", "accepted"), ("again", "accepted")]
    eventually(lambda: _path(own, contact, "round-asked") == asked)
    phone = Phone(own, NUMBER, OURS)
    phone.answer(phone.arrives(3), "Hello?")
    eventually(lambda: len(done(own.call("GET", f"/v1/contacts/{contact}/conversations"))["conversations"]) == 2)


def _path(own: LocalSystem, contact: str, automation: str) -> list[tuple[str, str]]:
    found = done(own.call("GET", f"/v1/contacts/{contact}/enrolments"))["enrolments"]
    return [
        (step["component"], step["outcome"]) for one in found if one["automation"] == automation for step in one["path"]
    ]
