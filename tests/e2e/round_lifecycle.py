"""A round of an automation's life, for the test of permissions: paused, resumed, lost, continued, ended, swept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import done
from tests.e2e.round_people import GONE, identify, invoke, track
from tests.e2e.test_main_job import apply, contact_of

from tidings.automations.lifecycle.jobs import Job, JobKind, Place
from tidings.automations.lifecycle.store import job_id
from tidings.core.ids import digest

NAME = "round-life"
PATH = f"/v1/automations/{NAME}"
# The engine lets a day last 0.9 s: time enough to pause while they rest, and to do everything else while they linger.
LIFE: dict[str, Any] = {
    "automation": NAME,
    "trigger": {"event": "Round Life"},
    "exits": [{"name": "gone", "event": "Round Gone"}],
    "start": "mail",
    "components": {
        "mail": {"type": "send_email", "template": "e2e-tips", "next": "rest"},
        "rest": {"type": "wait", "for": "10 days", "next": "check"},
        "check": {"type": "check_suppression", "channel": "email", "clear": "linger", "suppressed": "linger"},
        "linger": {"type": "wait", "for": "250 days", "next": "bye"},
        "bye": {"type": "send_email", "template": "e2e-nudge"},
    },
}
PEOPLE = ("life-1", "life-2", "life-3")
# A job that resumes begins some seconds after the pause is lifted.
PATIENCE = 90.0


def walk(local: LocalSystem) -> None:
    """All of it: one by the call, one by the job, and one who leaves meanwhile."""
    apply(local, LIFE)
    one, other, third = (_begin(local, user) for user in PEOPLE)
    track(local, {"userId": PEOPLE[2], "event": "Round Gone"})
    _paused(local, one, other)
    assert _item(local, third)["state"] == "exited"
    _lost(local, one)
    _without_machine(local, one)
    _continued(local, one)
    _looked_at(local, one)
    _stopped(local, other)
    _ended(local, one)
    _swept(local)


def _begin(local: LocalSystem, user: str) -> str:
    """Let somebody enter; their contact."""
    identify(local, {"userId": user, "traits": {"email": f"{user}@life.example"}})
    track(local, {"userId": user, "event": "Round Life"})
    contact = contact_of(local, user)
    eventually(lambda: _item(local, contact))
    return contact


def _paused(local: LocalSystem, one: str, other: str) -> None:
    """Both are parked where they come to while it is paused: one is resumed by a call, the other by the job."""
    done(local.call("POST", f"{PATH}/pause", {"what": "all"}))
    eventually(lambda: [_item(local, contact)["state"] for contact in (one, other)] == ["parked"] * 2, PATIENCE)
    inside = done(local.call("POST", f"{PATH}/publish", {"dry_run": True}))["inside"]
    assert inside == [{"version": 1, "live": 0, "parked": 2, "failed": 0}]
    assert done(local.call("POST", f"{PATH}/resume", {}))["job"]
    named = {"contact": one, "entry": _item(local, one)["entry"]}
    assert done(local.call("POST", f"{PATH}/resume", named))["resumed"] == 1
    eventually(lambda: all(_at(local, contact, runs="1", component="linger") for contact in (one, other)), PATIENCE)


def _lost(local: LocalSystem, contact: str) -> None:
    """An execution that is nowhere is found by a call, and begun anew by a job."""
    _lose_machine(local, contact)
    assert [one["lost"] for one in done(local.call("GET", f"{PATH}/lost"))["enrolments"]] == ["gone"]
    assert done(local.call("POST", f"{PATH}/resume", {"lost": True, "background": True}))["job"]
    eventually(lambda: _item(local, contact)["runs"] == "2")


def _without_machine(local: LocalSystem, contact: str) -> None:
    """A start that was put off finds no machine any more, which a job makes again."""
    _lose_machine(local, contact)
    named = {
        "workspace": local.workspace,
        "contact": contact,
        "automation": NAME,
        "entry": _item(local, contact)["entry"],
    }
    local.client("sqs").send_message(QueueUrl=local.outputs["StartsQueueUrl"], MessageBody=json.dumps(named))
    eventually(lambda: _item(local, contact)["runs"] == "3")


def _continued(local: LocalSystem, contact: str) -> None:
    """An execution that may last no longer is continued by another one, also where its machine is gone."""
    call = {"ask": "renew", "workspace": local.workspace, "contact": contact, "automation": NAME, "version": 1, "n": 1}
    call["entry"] = _item(local, contact)["entry"]
    assert invoke(local, "Act", {**call, "execution": _execution(local, contact)}) == {}
    assert _item(local, contact)["runs"] == "4"
    _lose_machine(local, contact)
    assert invoke(local, "Act", {**call, "execution": _execution(local, contact)}) == {}
    eventually(lambda: _item(local, contact)["runs"] == "6")


def _looked_at(local: LocalSystem, contact: str) -> None:
    """Its numbers, who is where, who was written to, and one way."""
    for path in (
        f"{PATH}/statistics",
        f"{PATH}/components/check/people",
        f"{PATH}/components/linger/people?who=waiting",
        f"{PATH}/enrolments",
        f"{PATH}/enrolments/{contact}/{_item(local, contact)['entry']}",
        f"{PATH}/components/mail/people",
    ):
        done(local.call("GET", path))


def _stopped(local: LocalSystem, contact: str) -> None:
    """Somebody stops an execution by hand, of which Step Functions tells."""
    machine = _item(local, contact)["machine"].replace(":stateMachine:", ":execution:")
    local.client("stepfunctions").stop_execution(executionArn=f"{machine}:{_execution(local, contact)}")
    eventually(lambda: _item(local, contact)["state"] == "stopped")


def _ended(local: LocalSystem, contact: str) -> None:
    assert done(local.call("POST", f"{PATH}/end", {}))["job"]
    eventually(lambda: _item(local, contact)["state"] == "exited")


def _swept(local: LocalSystem) -> None:
    """The machines of a version that nobody is in any more are deleted, without the quarter of an hour between."""
    apply(local, {**LIFE, "description": "later"})
    found = local.client("dynamodb").query(
        TableName=local.outputs["TableAutomations"],
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": local.workspace}, ":sk": {"S": f"machine#{NAME}#000001#"}},
    )["Items"]
    names = tuple(item["sk"]["S"].rpartition("#")[2] for item in found)
    assert len(names) > 1  # that of the version, and those that were made to go on where somebody was
    now = datetime.now(UTC)
    job = Job(local.workspace, NAME, job_id(now), JobKind.SWEEP, "", now)
    for place, machines in ((Place(), ()), (Place(page=1, round=2), names)):
        message = Job(**{**_fields(job), "place": place, "machines": machines}).as_message()
        assert invoke(local, "RunJobs", {"Records": [{"messageId": "1", "body": json.dumps(message)}]}) == {
            "batchItemFailures": []
        }
    left = {one["name"] for one in local.client("stepfunctions").list_state_machines(maxResults=1000)["stateMachines"]}
    assert not left & set(names)


def _fields(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in ("workspace", "automation", "id", "kind", "who", "at")}


def _execution(local: LocalSystem, contact: str) -> str:
    """The name of the execution that somebody is in."""
    item = _item(local, contact)
    return digest("execution", local.workspace, contact, NAME, item["entry"], item["runs"], length=50)


def _at(local: LocalSystem, contact: str, **expected: str) -> bool:
    item = _item(local, contact)
    return {name: item.get(name) for name in expected} == expected


def _lose_machine(local: LocalSystem, contact: str) -> None:
    """Let an enrolment name a machine that is not there, and so an execution that never was."""
    local.client("dynamodb").update_item(
        TableName=local.outputs["TableEnrolments"],
        Key=_key(local, contact),
        UpdateExpression="SET machine = :gone",
        ExpressionAttributeValues={":gone": {"S": GONE}},
    )


def _key(local: LocalSystem, contact: str) -> dict[str, Any]:
    item = _item(local, contact)
    return {"pk": {"S": f"{local.workspace}#{contact}"}, "sk": {"S": f"{NAME}#{item['entry']}"}}


def _item(local: LocalSystem, contact: str) -> dict[str, str]:
    """The enrolment as it is stored: its plain attributes and its entry; empty if there is none."""
    found = local.client("dynamodb").query(
        TableName=local.outputs["TableEnrolments"],
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": f"{local.workspace}#{contact}"}, ":sk": {"S": f"{NAME}#"}},
        ConsistentRead=True,
    )["Items"]
    if not found:
        return {}
    plain = {name: str(next(iter(value.values()))) for name, value in found[0].items()}
    return {"runs": "0", **plain, "entry": plain["sk"].rpartition("#")[2]}
