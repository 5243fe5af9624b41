"""A round of calls that start automations, for the test of permissions: by each way to name somebody, and twice."""

from __future__ import annotations

from typing import Any

from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_people import identify, track
from tests.e2e.test_main_job import apply, contact_of

STARTED: dict[str, Any] = {
    "automation": "started",
    "trigger": {"api": True, "where": {"property": "go", "is": True}},
    "reentry": {"per": "by", "at_most": 2, "parallel": 10},
    "start": "asked",
    "components": {"asked": {"type": "check_suppression", "channel": "email"}},
}
ROUTE = "/v1/automations/started/start"


def walk(local: LocalSystem) -> None:
    """Everybody who is named enters, but who is refused; a repeat is answered the same."""
    apply(local, STARTED)
    identify(local, {"userId": "start-1", "traits": {"email": "start-1@people.example"}})
    contact = contact_of(local, "start-1")
    track(local, {"userId": "start-1", "anonymousId": "start-a", "event": "Start Seen"})
    eventually(lambda: local.call("GET", "/v1/contacts?anonymous_id=start-a").json["contacts"])
    names = {
        "contact": contact,
        "user_id": "start-1",
        "email": "start-1@people.example",
        "anonymous_id": "start-a",
    }
    for by, value in names.items():
        order = {by: value, "properties": {"go": True, "by": by}, "idempotency_key": f"start-{by}"}
        first, again = (local.call("POST", ROUTE, order) for _ in range(2))
        assert (first.status, first.json) == (202, again.json)
    assert local.call("POST", ROUTE, {"contact": contact, "properties": {"go": False}}).status == 202
    eventually(lambda: len(_entered(local, contact)) == len(names))
    eventually(lambda: local.call("GET", f"/v1/why?contact={contact}&automation=started").json["refused"])


def _entered(local: LocalSystem, contact: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"]
    return [one for one in found if one["automation"] == "started"]
