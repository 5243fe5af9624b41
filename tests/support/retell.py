"""Write the ids that Tidings makes into the events of events/, when they have come to be made in another way.

    python -m tests.support.retell

Plays the story that the events tell up to the enrolment, and replaces the old ids by those that come out.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from tests.support.recorder import Recorder
from tests.support.world import ROOT, World, variables
from tidings.accounts.model import ApiKey, KeyKind, Role
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.consent.store import address_key
from tidings.core.ids import message_id
from tidings.core.keys import fingerprint
from tidings.messages.unsubscribe import Ticket, token_of

EVENTS = ROOT / "events"
BEGINNING = [
    *("templates.api", "templates.api.sms", "automations.api", "automations.api.publish"),
    *("identify.api", "track.api", "forms.api", "react.stream"),
]
_KEYS = {"pk_example": KeyKind.PUBLISHABLE, "wk_example": KeyKind.WRITE, "sk_example": KeyKind.SECRET}


def event(name: str) -> dict[str, Any]:
    """An event of the story."""
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return read


def add_keys(world: World) -> None:
    """Give the workspace the keys that stand in the events, and the secret that ids in them were made with."""
    with world.recorder.unseen():
        world.dynamodb.update_item(
            TableName=variables()["TABLE_WORKSPACES"],
            Key={"pk": {"S": "acme"}},
            UpdateExpression="SET secret = :secret",
            ExpressionAttributeValues={":secret": {"S": "ws_example"}},
        )
        keys = DynamoKeyStore(world.database)
        for key, kind in _KEYS.items():
            keys.add(ApiKey(fingerprint(key), "acme", kind, kind.value, world.now))
        staff = fingerprint("sk_staff_example")
        keys.add(ApiKey(staff, "acme", KeyKind.SECRET, "staff", world.now, role=Role.STAFF, actor="Mia"))


def written() -> list[str]:
    """The ids as they stand in the events."""
    send, settled = event("send_email.machine"), event("settle_executions.rule")["detail"]
    message = event("messages.api")["pathParameters"]["message"]
    return [
        event("unsubscribe.api")["pathParameters"]["token"],  # first, since it contains the message
        message,
        settled["executionArn"],
        settled["stateMachineArn"],
        settled["name"],
        send["contact"],
        send["entry"],
        event("erase.api")["pathParameters"]["contact"],
        event("conversations.api.reply")["pathParameters"]["conversation"],
    ]


def made(world: World) -> list[str]:
    """The same ids as they come out when the story is played."""
    add_keys(world)
    for name in BEGINNING:
        world.invoke(name.partition(".")[0], event(name))
    contact = world.contact(user_id="u-7")["contact"]
    (enrolment,) = world.of_contact(contact, "enrolments")
    (execution,) = world.executions
    message = message_id(contact, "welcome", enrolment["entry"], "tips", "2")
    machine, _, name = execution.replace(":execution:", ":stateMachine:").rpartition(":")
    erased = world.contact(email="cleo@people.example")["contact"]
    acme = DynamoWorkspaceStore(world.database).get("acme")
    assert acme is not None
    token = token_of(acme, Ticket("acme", message, address_key(acme, "ada@people.example"), "marketing"))
    return [token, message, execution, machine, name, contact, enrolment["entry"], erased, _conversation(world)]


def _conversation(world: World) -> str:
    """The conversation that a text which comes in opens."""
    for name in ("numbers.api", "sms_inbound.queue"):
        world.invoke(name.partition(".")[0], event(name))
    _, listed = world.call("conversations", "GET /v1/conversations")
    (opened,) = listed["conversations"]
    return str(opened["conversation"])


def main() -> None:
    """Rewrite the files in place."""
    os.environ |= {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch, mock_aws(), recorder.listening():
        changes = list(zip(written(), made(World(recorder, patch)), strict=True))
    for path in Path(EVENTS).glob("*.json"):
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
