"""How long the largest batch takes, and how many calls it makes: within the 30 seconds that the HTTP API waits."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from tests.e2e.local_system import LocalSystem
from tests.e2e.workspaces import open_workspace

ITEMS = 2500
A_CALL = 25
MOST_SECONDS = 30.0


@pytest.fixture(scope="module")
def own(local: LocalSystem) -> LocalSystem:
    """A workspace of its own, with the function that takes batches awake."""
    workspace = open_workspace(local, "batches")
    assert send(workspace, [{"type": "track", "userId": "first", "event": "Woken"}]) < MOST_SECONDS
    return workspace


def send(own: LocalSystem, batch: list[dict[str, Any]]) -> float:
    """Send one batch; the seconds that it took."""
    for item in batch:
        item.setdefault("messageId", uuid.uuid4().hex)
    began = time.monotonic()
    answer = own.call("POST", "/v1/batch", {"batch": batch}, key="write")
    took = time.monotonic() - began
    assert (answer.status, answer.json) == (200, {"success": True}), answer.data
    return took


def writes(own: LocalSystem) -> list[dict[str, str]]:
    """The calls so far by which the function that takes batches had the database write."""
    return [call for call in own.recorded() if call["function"] == "BatchFunction" and "PartiQL" in call["action"]]


@pytest.mark.parametrize("people", [ITEMS, 1], ids=["each of somebody else", "all of one person"])
def test_the_largest_batch_is_answered_in_one_request(own: LocalSystem, people: int, record_property: Any) -> None:
    before = len(writes(own))
    batch = [{"type": "track", "userId": f"b-{number % people}", "event": "Listed"} for number in range(ITEMS)]
    took = send(own, batch)
    record_property("seconds", round(took, 1))
    assert took < MOST_SECONDS
    assert len(writes(own)) - before == ITEMS // A_CALL
