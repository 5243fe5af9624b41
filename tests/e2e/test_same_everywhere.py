"""A way on which every kind of state is entered, on the local engine: it ends as in the other two interpreters.

`tests/functional/test_moto_interpreter.py` tells the same of moto's and of our own. Waits take no time here; that of
waits for an event is not scaled, so what nobody answers takes some seconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.local_system import LocalSystem, eventually, start
from tests.e2e.round_mail import done
from tests.e2e.test_main_job import contact_of
from tests.support.sample import DAYS, SAMPLE, WAYS

from tidings.core.ids import digest, message_id

# A job that resumes begins some seconds after the pause is lifted.
PATIENCE = 90.0
NAME = SAMPLE["automation"]
PATH = f"/v1/automations/{NAME}"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LocalSystem]:
    """A system in which no wait takes time."""
    system = start(tmp_path, "--wait-scale", "0")
    done(system.call("PUT", "/v1/templates/tips", {"subject": "Tips", "text": "Hello", "html": "<p>Hello</p>"}))
    yield system
    assert system.stop() == 0


def publish(system: LocalSystem, timeout: str = "1 hour") -> None:
    """Publish the sample, in which an answer is waited for so long."""
    definition = copy.deepcopy(SAMPLE)
    definition["components"]["answer"]["timeout"] = timeout
    done(system.call("PUT", PATH, definition))
    done(system.call("POST", f"{PATH}/publish"))


def track(system: LocalSystem, user: str, event: str, **properties: Any) -> None:
    body = {"userId": user, "event": event, "properties": properties}
    done(system.call("POST", "/v1/track", body, key="write"))


def way(system: LocalSystem, user: str) -> dict[str, Any]:
    """Somebody's way, as the API shows it; empty before it begins."""
    found = done(system.call("GET", f"/v1/contacts/{contact_of(system, user)}/enrolments"))["enrolments"]
    return dict(found[0]) if found else {}


def stored(system: LocalSystem, user: str) -> dict[str, str]:
    """What stands in somebody's enrolment."""
    found = way(system, user)
    key = {"pk": {"S": f"{system.workspace}#{found['contact']}"}, "sk": {"S": f"{NAME}#{found['entry']}"}}
    item = system.client("dynamodb").get_item(
        TableName=system.outputs["TableEnrolments"], Key=key, ConsistentRead=True
    )["Item"]
    return {name: str(next(iter(value.values()))) for name, value in item.items()}


def wait_at(system: LocalSystem, component: str, number: int) -> None:
    """Until so many wait at a component."""

    def registered() -> bool:
        pages = system.client("dynamodb").get_paginator("scan").paginate(TableName=system.outputs["TableEnrolments"])
        items = [item for page in pages for item in page["Items"] if item["sk"]["S"].startswith("#wait#")]
        here = [item for item in items if item["component"]["S"] == component and "ended_by" not in item]
        return len(here) >= number

    eventually(registered, PATIENCE)


def come(system: LocalSystem, *users: str) -> None:
    """Some enter, and wait to be told to go."""
    for user in users:
        traits = {"email": f"{user}@same.example"}
        done(system.call("POST", "/v1/identify", {"userId": user, "traits": traits}, key="write"))
        day = datetime.now(UTC) + timedelta(days=DAYS[user])
        track(system, user, "Began", day=day.date().isoformat())
    wait_at(system, "hold", len(users))


def states(system: LocalSystem, user: str) -> list[list[str]]:
    """The states that each of somebody's executions entered, as the engine's history has them."""
    item, client = stored(system, user), system.client("stepfunctions")
    ids = (item["pk"].partition("#")[0], item["pk"].partition("#")[2], NAME, item["sk"].partition("#")[2])
    machines = [one["stateMachineArn"] for one in client.list_state_machines()["stateMachines"]]
    found = []
    for run in range(int(item["runs"]) + 1):
        name = digest("execution", *ids, str(run), length=50)
        (arn,) = (
            one["executionArn"]
            for machine in machines
            for one in client.list_executions(stateMachineArn=machine)["executions"]
            if one["name"] == name
        )
        events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        found.append(
            [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
        )
    return found


def test_a_way_through_every_kind_of_state_ends_as_in_the_other_interpreters(system: LocalSystem) -> None:
    publish(system, "5 seconds")
    come(system, "cleo")
    track(system, "cleo", "Go")
    eventually(lambda: len(way(system, "cleo")["path"]) > 1)
    publish(system)  # she finishes on her version
    come(system, "bob", "ada")
    track(system, "bob", "Go")
    eventually(lambda: len(way(system, "cleo")["path"]) > 2, PATIENCE)
    wait_at(system, "answer", 1)
    track(system, "bob", "Answered")
    for user in ("bob", "cleo"):
        eventually(lambda user=user: way(system, user)["state"] == "completed", PATIENCE)
    done(system.call("POST", f"{PATH}/pause", {"what": "all"}))
    track(system, "ada", "Go")
    eventually(lambda: way(system, "ada")["state"] == "parked", PATIENCE)
    done(system.call("POST", f"{PATH}/resume", {}))
    wait_at(system, "answer", 1)
    track(system, "ada", "Answered")
    eventually(lambda: way(system, "ada")["state"] == "completed", PATIENCE)
    for user, (path, entered) in WAYS.items():
        found = way(system, user)
        assert [(step["component"], step["outcome"]) for step in found["path"]] == path
        assert states(system, user) == entered
        assert messages(system, user) == sent_by(found)


def messages(system: LocalSystem, user: str) -> set[str]:
    """The messages that went to somebody."""
    found = done(system.call("GET", f"/v1/contacts/{contact_of(system, user)}/messages"))["messages"]
    assert len({one["message"] for one in found}) == len(found)
    return {one["message"] for one in found}


def sent_by(found: dict[str, Any]) -> set[str]:
    """The ids that messages of this way have."""
    return {
        message_id(found["contact"], NAME, found["entry"], step["component"], str(step["n"] - 1))
        for step in found["path"]
        if step["outcome"] == "accepted"
    }
