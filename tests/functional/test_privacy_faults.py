"""An erasure that is interrupted at any call, before or after it was carried out, ends the same when it is repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.functional.test_faults import MODES, Fault
from tests.functional.test_privacy import AUTOMATION, found, people
from tests.support.recorder import Killed
from tests.support.world import World

TRIES = 5


def somebody(world: World, number: int) -> tuple[str, list[str]]:
    """Somebody who was anonymous, is in an automation and got a mail; their contact id, and what only they say."""
    user, device, email = f"user-{number}.", f"device-{number}.", f"p{number}.@people.example"
    for kind, body in (
        ("track", {"anonymousId": device, "event": "Viewed", "messageId": f"m-{number}-1"}),
        ("identify", {"userId": user, "anonymousId": device, "traits": {"email": email}, "messageId": f"m-{number}-2"}),
        ("track", {"userId": user, "event": "Signed Up", "messageId": f"m-{number}-3", "properties": {"of": user}}),
    ):
        assert world.ingest(kind, body)[0] == 200
    world.pump()
    world.run()
    return str(world.contact(user_id=user)["contact"]), [user, device, email]


def tried(world: World, function: str, event: dict[str, Any]) -> Any:
    """What a function answers; nothing if it died, and then the next call starts a new process."""
    try:
        return world.invoke(function, event)
    except Killed:
        world.cold(function)
    return None


def erase(world: World, contact: str) -> None:
    """Ask to erase somebody, as often as it takes."""
    event = {
        "routeKey": "POST /v1/contacts/{contact}/erase",
        "headers": {"authorization": f"Bearer {world.keys['secret']}"},
        "pathParameters": {"contact": contact},
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps({"confirm": contact}),
    }
    for _ in range(TRIES):
        answer = tried(world, "erase", event)
        if answer is not None and answer["statusCode"] == 202:
            return
        assert answer is None or answer["statusCode"] in (429, 503), answer
    pytest.fail("nobody was erased")


def clear(world: World) -> None:
    """Deliver what is in the queue until there is nothing, each message as often as it takes."""
    while bodies := world.messages_in("erasures"):
        for body in bodies:
            event = {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]}
            if not any(tried(world, "erasures", event) == {"batchItemFailures": []} for _ in range(TRIES)):
                pytest.fail("a message was never worked off")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("function", "calls"), [("erase", 5), ("erasures", 20)])
def test_a_fault_at_any_call_loses_and_leaves_nothing(world: World, function: str, calls: int, mode: str) -> None:
    world.template("tips")
    world.automation(AUTOMATION)
    number = 0
    while True:
        contact, values = somebody(world, number)
        assert {value for _, value, _ in found(world, *values)} == set(values)
        fault = Fault(world, function, number, mode)
        world.recorder.before, world.recorder.after = fault.before, fault.after
        erase(world, contact)
        clear(world)
        world.recorder.before = world.recorder.after = None
        assert found(world, *values) == []
        assert people(world) == {"identified": 0, "anonymous": 0}
        assert all(execution.is_over for execution in world.executions.values())
        entry = world.call("suppressions", "GET /v1/suppressions/{channel}/{address}",
                           path={"channel": "email", "address": values[2]})  # fmt: skip
        assert entry[1]["reason"] == "erased"
        if not fault.struck:
            break
        number += 1
    assert number >= calls  # each of its calls was struck once


def test_an_erasure_that_no_queue_took_is_continued_by_the_repeat(world: World) -> None:
    world.template("tips")
    world.automation(AUTOMATION)
    contact, values = somebody(world, 0)
    queues = world.recorder.doubles["sqs:SendMessage"]

    def refuse(arguments: dict[str, Any]) -> dict[str, Any]:
        raise ReadTimeoutError(endpoint_url="https://sqs")

    world.recorder.doubles["sqs:SendMessage"] = refuse
    path, body = {"contact": contact}, {"confirm": contact}
    status, answer = world.call("erase", "POST /v1/contacts/{contact}/erase", body, path=path)
    assert (status, answer["code"]) == (503, "queue_failed")
    world.recorder.doubles["sqs:SendMessage"] = queues
    world.erase(contact)
    assert found(world, *values) == []
