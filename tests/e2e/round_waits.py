"""A round of waits for events, for the test of permissions: who is woken, in vain, twice, or merged meanwhile."""

from __future__ import annotations

from typing import Any

from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_people import _record, identify, invoke, track
from tests.e2e.test_main_job import apply, contact_of

YES = {"property": "sure", "is": True}
WAITING: dict[str, Any] = {
    "automation": "waiting",
    "trigger": {"event": "Wait Began"},
    "start": "mail",
    "components": {
        "mail": {"type": "send_email", "template": "e2e-tips", "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "yes", "event": "Wait Answered", "where": YES, "next": "bye"}],
            "timeout": "8 seconds",
            "on_timeout": "bye",
        },
        "bye": {"type": "send_email", "template": "e2e-nudge"},
    },
}
LONG = {**WAITING["components"]["answer"], "timeout": "1 hour"}


def walk(local: LocalSystem) -> None:
    """All of it."""
    apply(local, {**WAITING, "components": {**WAITING["components"], "answer": LONG}})
    _woken(local)
    apply(local, WAITING)
    _in_vain(local)


def _woken(local: LocalSystem) -> None:
    """Somebody in an earlier version is woken; both functions are asked again."""
    contact = _begin(local, "wait-1", {"userId": "wait-1"})
    apply(local, {**WAITING, "description": "later"})
    track(local, {"userId": "wait-1", "event": "Wait Answered", "properties": {"sure": True}})
    taken = eventually(lambda: _outcome(local, contact, "answer"))
    assert taken == "yes"
    assert invoke(local, "React", {"Records": [_record(local, "user#wait-1", "Wait Answered")]}) == {
        "batchItemFailures": []
    }
    enrolment = _enrolment(local, contact)
    call = {name: enrolment[name] for name in ("contact", "automation", "version", "entry")}
    again = {**call, "workspace": local.workspace, "n": 1, "component": "answer", "token": "of-no-use"}
    assert invoke(local, "WaitFor", again) == {}


def _in_vain(local: LocalSystem) -> None:
    """Somebody anonymous waits and signs in; what they do under both ids is no answer, and the time runs out."""
    identify(local, {"userId": "wait-2", "traits": {"name": "Two"}})
    contact_of(local, "wait-2")
    contact = _begin(local, "wait-a", {"anonymousId": "wait-a"})
    both = {"userId": "wait-2", "anonymousId": "wait-a"}
    identify(local, both)
    track(local, {**both, "event": "Wait Answered", "properties": {"sure": False}})
    survivor = contact_of(local, "wait-2")
    eventually(lambda: contact in local.call("GET", f"/v1/contacts/{survivor}").json["absorbed"])
    assert eventually(lambda: _outcome(local, survivor, "answer")) == "timeout"


def _begin(local: LocalSystem, name: str, who: dict[str, str]) -> str:
    """Let somebody begin to wait; their contact."""
    identify(local, {**who, "traits": {"email": f"{name}@waits.example"}})
    track(local, {**who, "event": "Wait Began"})
    kind, value = ("user_id", who["userId"]) if "userId" in who else ("anonymous_id", who["anonymousId"])

    def found() -> str:
        contacts = local.call("GET", f"/v1/contacts?{kind}={value}").json["contacts"]
        contact = str(contacts[0]["contact"]) if contacts else ""
        return contact if contact and _outcome(local, contact, "mail") else ""

    contact = str(eventually(found))
    eventually(lambda: local.recorded() and _registered(local, contact))
    return contact


def _registered(local: LocalSystem, contact: str) -> bool:
    items = local.client("dynamodb").query(
        TableName=local.outputs["TableEnrolments"],
        KeyConditionExpression="pk = :pk AND begins_with(sk, :waits)",
        ExpressionAttributeValues={":pk": {"S": f"{local.workspace}#{contact}"}, ":waits": {"S": "#wait#"}},
    )["Items"]
    return bool(items)


def _enrolment(local: LocalSystem, contact: str) -> dict[str, Any]:
    enrolments: list[dict[str, Any]] = local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"]
    return next((one for one in enrolments if one["automation"] == "waiting"), {"path": []})


def _outcome(local: LocalSystem, contact: str, component: str) -> str:
    steps = _enrolment(local, contact)["path"]
    return next((str(step["outcome"]) for step in steps if step["component"] == component), "")
