"""The whole life of a sender ID on the local engine: its machines really wait, and the carrier really has the name."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.workspaces import open_workspace

ASKED = {"countries": ["PL"], "purpose": "Reminders of visits.", "sample": "Your visit is tomorrow."}


@pytest.fixture(scope="module")
def shop(local: LocalSystem) -> LocalSystem:
    """A workspace of its own, with the keys of staff and of its administrator. Its requests wait for long."""
    own = open_workspace(local, "idshop")
    # A day takes 0.9 s here.
    waits(own, "30 days", "90 days")
    return own


def waits(shop: LocalSystem, remind: str, expire: str) -> None:
    answer = shop.call("PUT", "/v1/sms/setup", {"review": {"remind_every": remind, "expires_after": expire}})
    assert answer.status == 200, answer.data


def request(shop: LocalSystem, name: str, **changes: Any) -> None:
    answer = shop.call("POST", "/v1/sender-ids", {**ASKED, "name": name, **changes})
    assert (answer.status, answer.json["state"]) == (200, "requested"), answer.data


def decide(shop: LocalSystem, name: str, decision: str, key: str, **body: Any) -> str:
    answer = shop.call("POST", f"/v1/sender-ids/{name}/{decision}", body, key=key)
    assert answer.status == 200, answer.data
    return str(answer.json["state"])


def show(shop: LocalSystem, name: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.call("GET", f"/v1/sender-ids/{name}").json
    return found


def reached(shop: LocalSystem, name: str, state: str) -> dict[str, Any]:
    eventually(lambda: show(shop, name)["state"] == state)
    return show(shop, name)


def machines(shop: LocalSystem) -> list[str]:
    """The executions that wait."""
    machine = shop.outputs["SenderIdsMachineArn"]
    listed = shop.client("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    return [execution["name"] for execution in listed["executions"]]


def entered(shop: LocalSystem, name: str) -> list[str]:
    """The states that a machine entered so far."""
    execution = f"{shop.outputs['SenderIdsMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"
    history = shop.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    told = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    return [state for state in told if state != "next"]


def waits_for(shop: LocalSystem, name: str) -> str:
    """The token by which a decision ends a machine's wait; empty until the machine said that it waits."""
    key = {"pk": {"S": shop.workspace}, "sk": {"S": name}}
    found = shop.client("dynamodb").get_item(TableName=shop.outputs["TableSenderIds"], Key=key, ConsistentRead=True)
    return str(found.get("Item", {}).get("token", {}).get("S", ""))


def send(shop: LocalSystem, name: str, key: str) -> dict[str, Any]:
    order = {
        "to": {"phone": "+48600100777"},
        "text": "Your visit is tomorrow.",
        "kind": "transactional",
        "sender": name,
        "idempotency_key": key,
    }
    answer = shop.call("POST", "/v1/sms", order)
    assert answer.status == 202, answer.data
    message: dict[str, Any] = answer.json
    return message


def test_from_request_to_a_text_that_leaves_from_it(shop: LocalSystem) -> None:
    before = set(machines(shop))
    request(shop, "IDSHOP")
    assert send(shop, "IDSHOP", "k-1")["state"] == "skipped"  # nothing leaves from what nobody approved
    eventually(lambda: len(set(machines(shop)) - before) == 2)
    waiting = next(name for name in set(machines(shop)) - before if "-clock" not in name)
    eventually(lambda: entered(shop, waiting) == ["wait"] and waits_for(shop, "IDSHOP"))
    first = waits_for(shop, "IDSHOP")
    assert decide(shop, "IDSHOP", "verify", "staff") == "verified"
    eventually(lambda: entered(shop, waiting) == ["wait", "wait"])
    eventually(lambda: waits_for(shop, "IDSHOP") not in ("", first))
    assert send(shop, "IDSHOP", "k-2")["state"] == "skipped"
    assert decide(shop, "IDSHOP", "accept", "administrator") == "accepted"
    found = reached(shop, "IDSHOP", "active")
    assert found["countries"]["PL"]["state"] == "active"
    eventually(lambda: entered(shop, waiting) == ["wait", "wait", "work", "end"])
    assert send(shop, "IDSHOP", "k-3")["state"] == "accepted"
    changes = shop.call("GET", "/v1/sender-ids/IDSHOP/log").json["log"]
    assert [(one["what"], one["who"]) for one in reversed(changes)] == [
        ("requested", "tests"),
        ("verified", "staff@idshop.example"),
        ("accepted", "administrator@idshop.example"),
        ("active", "tidings"),
    ]


def test_nothing_leaves_from_it_once_it_is_retired_and_the_carrier_has_it_back(shop: LocalSystem) -> None:
    request(shop, "IDGONE")
    decide(shop, "IDGONE", "verify", "staff")
    decide(shop, "IDGONE", "accept", "administrator")
    reached(shop, "IDGONE", "active")
    assert shop.call("DELETE", "/v1/sender-ids/IDGONE", key="administrator").json["state"] == "retired"
    assert send(shop, "IDGONE", "k-4")["state"] == "skipped"
    eventually(lambda: shop.call("GET", "/v1/sender-ids/IDGONE/log").json["log"][0]["what"] == "released")


@pytest.mark.parametrize(("name", "steps"), [("IDNEVER", []), ("IDALMOST", ["verify"])])
def test_a_rejected_name_ends_with_its_reason(shop: LocalSystem, name: str, steps: list[str]) -> None:
    request(shop, name)
    for step in steps:
        decide(shop, name, step, "staff")
    key = "administrator" if steps else "staff"
    assert decide(shop, name, "reject", key, reason="It is somebody else's.") == "rejected"
    assert show(shop, name)["reason"] == "It is somebody else's."


def test_what_nobody_decides_about_is_reminded_of_and_expires(shop: LocalSystem) -> None:
    waits(shop, "1 day", "3 days")
    try:
        request(shop, "IDLATE")
        found = reached(shop, "IDLATE", "expired")
    finally:
        waits(shop, "30 days", "90 days")
    assert found["reason"] == "nobody decided within 3 days"
    changes = shop.call("GET", "/v1/sender-ids/IDLATE/log").json["log"]
    assert [one["what"] for one in reversed(changes)] == ["requested", "reminded", "reminded", "expired"]
    late = shop.call("POST", "/v1/sender-ids/IDLATE/verify", {}, key="staff")
    assert (late.status, late.json["code"]) == (409, "sender_id_decided")


def test_a_name_that_has_to_be_registered_says_what_to_do(shop: LocalSystem) -> None:
    request(shop, "IDTURK", countries=["PL", "TR"])
    decide(shop, "IDTURK", "verify", "staff")
    decide(shop, "IDTURK", "accept", "administrator")
    reached(shop, "IDTURK", "active")
    eventually(lambda: show(shop, "IDTURK")["countries"]["TR"]["state"] != "wanted")
    there = show(shop, "IDTURK")["countries"]["TR"]
    assert there["state"] in ("registering", "refused")  # looks pass in seconds here
    assert there["told"]
