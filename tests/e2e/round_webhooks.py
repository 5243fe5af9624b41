"""A round of all that `call_webhook` does, for the test of permissions: a server of the workspace is told and asked."""

from __future__ import annotations

import json
from typing import Any

from standardwebhooks import Webhook
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_people import identify, track
from tests.e2e.test_main_job import apply, contact_of
from tests.support.servers import Server, answered, server

GOLDEN = [("ask", "answered"), ("sort", "gold"), ("mark", "updated")]
GOLD = answered(200, b'{"tier": "gold"}', content_type="application/json")


def asking(name: str, url: str) -> dict[str, Any]:
    """An automation that asks the server, and remembers whether it said gold; with an exit that nobody takes."""
    sort = [{"name": "gold", "when": {"answer": "ask.body.tier", "is": "gold"}, "next": "mark"}]
    return {
        "automation": name,
        "trigger": {"event": f"{name} began"},
        "exits": [{"name": "gone", "event": "Asking Ended", "where": {"property": "final", "is": True}}],
        "start": "ask",
        "components": {
            "ask": {"type": "webhook", "url": url, "body": {"user": "{{ contact.user_id }}"}, "next": "sort"},
            "sort": {"type": "branch", "arms": sort},
            "mark": {"type": "update_contact", "set": {"tier": {"answer": "ask.body.tier"}}},
        },
    }


def walk(local: LocalSystem) -> None:
    """All of it."""
    with server(answered(503), GOLD) as there:
        _asked_again(local, there)
        _of_whom_was_merged(local, there)


def outcomes(local: LocalSystem, user: str, automation: str) -> list[tuple[str, str]]:
    """The steps that somebody took in an automation."""
    found = local.call("GET", f"/v1/contacts/{contact_of(local, user)}/enrolments").json["enrolments"]
    return [
        (step["component"], step["outcome"]) for one in found if one["automation"] == automation for step in one["path"]
    ]


def _asked_again(local: LocalSystem, there: Server) -> None:
    """A server that is busy at first is asked again under the same id, and its answer decides."""
    apply(local, asking("asking", there.url))
    identify(local, {"userId": "tour-w", "traits": {"email": "w@tour.example"}})
    track(local, {"userId": "tour-w", "event": "asking began"})
    eventually(lambda: outcomes(local, "tour-w", "asking") == GOLDEN)
    first, second = there.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(second.body) == {"user": "tour-w"}
    (secret,) = local.call("GET", "/v1/webhooks/secret").json["secrets"]
    Webhook(secret).verify(second.body, second.headers)


def _of_whom_was_merged(local: LocalSystem, there: Server) -> None:
    """Somebody anonymous turns out to be a known person on the way, and did what would let others out."""
    slow = asking("slow-asking", there.url)
    rest = {"type": "wait", "for": "14 days", "next": "ask"}
    apply(local, {**slow, "start": "rest", "components": {**slow["components"], "rest": rest}})
    identify(local, {"userId": "tour-v", "traits": {"name": "V"}})
    contact = contact_of(local, "tour-v")
    track(local, {"anonymousId": "tour-u", "event": "slow-asking began"})
    (found,) = eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=tour-u").json["contacts"])
    identify(local, {"userId": "tour-v", "anonymousId": "tour-u", "traits": {"name": "V"}})
    track(local, {"userId": "tour-v", "anonymousId": "tour-u", "event": "Asking Ended", "properties": {"final": False}})
    eventually(lambda: found["contact"] in local.call("GET", f"/v1/contacts/{contact}").json["absorbed"])
    eventually(lambda: outcomes(local, "tour-v", "slow-asking") == GOLDEN)
    assert json.loads(there.asked[-1].body) == {"user": "tour-v"}
