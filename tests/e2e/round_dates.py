"""A round of dates, for the test of permissions: written down by a publication and by an event, waited for, told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_people import identify, invoke
from tests.e2e.test_main_job import apply, contact_of

DATED: dict[str, Any] = {
    "automation": "dated",
    "trigger": {"date": {"trait": "born_on", "every": "year"}},
    "start": "mail",
    "components": {"mail": {"type": "send_email", "template": "e2e-tips"}},
}


def walk(local: LocalSystem) -> None:
    """All of it: somebody known before it was published, and somebody whose birthday is today."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    identify(local, {"userId": "born-1", "traits": {"born_on": f"1990-{today + timedelta(days=40):%m-%d}"}})
    contact = contact_of(local, "born-1")
    apply(local, DATED)
    eventually(lambda: _entries(local, contact))
    identify(local, {"userId": "born-2", "traits": {"born_on": f"1990-{today:%m-%d}", "email": "born@dates.example"}})
    born = contact_of(local, "born-2")
    eventually(lambda: _entries(local, born))
    _told(local, born, today)
    _waited_for(local, today + timedelta(days=400))


def _entries(local: LocalSystem, contact: str) -> list[Any]:
    """What the agenda has of a contact."""
    place = {":pk": {"S": f"{local.workspace}#{contact}"}, ":sk": {"S": "#agenda#"}}
    condition = "pk = :pk AND begins_with(sk, :sk)"
    answer = local.client("dynamodb").query(
        TableName=local.outputs["TableEnrolments"], KeyConditionExpression=condition, ExpressionAttributeValues=place
    )
    return list(answer["Items"])


def _told(local: LocalSystem, contact: str, today: datetime) -> None:
    """This morning's midnight is worked off, as if somebody had waited for it."""
    minute = f"{today:%Y-%m-%dT%H:%M:%S}.000000Z"
    place = {"pk": {"S": f"{local.workspace}#agenda#{minute}"}, "sk": {"S": f"{minute}#dated#{contact}#{today.year}"}}
    local.client("dynamodb").put_item(TableName=local.outputs["TableEnrolments"], Item=place)
    call = {"workspace": local.workspace, "bucket": minute, "at": {"until": minute, "after": ""}}
    assert invoke(local, "Agenda", call) == {"next": "done", "until": minute, "after": ""}
    eventually(lambda: local.call("GET", f"/v1/contacts/{contact}/enrolments").json["enrolments"])


def _waited_for(local: LocalSystem, day: datetime) -> None:
    """A wait begins anew where it was too long for one execution, and where it had found no room."""
    minute, stop = (f"{one:%Y-%m-%dT%H:%M:%S}.000000Z" for one in (day, day - timedelta(days=500)))
    call = {"workspace": local.workspace, "bucket": minute, "at": {"until": stop, "after": ""}}
    assert invoke(local, "Agenda", call)["next"] == "done"
    put_off = {"workspace": local.workspace, "bucket": minute}
    local.client("sqs").send_message(QueueUrl=local.outputs["StartsQueueUrl"], MessageBody=json.dumps(put_off))
    agenda = local.outputs["AgendaMachineArn"]
    eventually(
        lambda: any(
            call["function"] == "StartEnrolmentsFunction" and call["resource"] == agenda for call in local.recorded()
        )
    )
