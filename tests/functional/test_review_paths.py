"""Other paths of `react` and `send_email`, killed at each call that changes something: refusals, skips, merges.

What `test_faults` does for the main path: each call is struck before it is made, after it was, and with its answer
lost, and a call that is not listed fails a test. Reads are left out here; a repeat finds no trace of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.functional.test_faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.world import World

EMAIL = "ada@people.example"
TOUR = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}
READS = frozenset({"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"})


def _sign_up(world: World) -> None:
    message = {"userId": "ada", "event": "Signed Up", "messageId": "e-1", "properties": {"plan": "team"}}
    assert world.ingest("track", message)[0] == 200


def _suppressed(world: World) -> None:
    path = {"channel": "email", "address": EMAIL}
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)


def _throttled(world: World) -> None:
    world.ses.failing.append("TooManyRequestsException")


def _refused(world: World) -> None:
    world.ses.failing.append("MessageRejected")


def _nothing(world: World) -> None:
    """Nothing is prepared."""


def _merged(world: World) -> None:
    """The event came from a device that turns out to be Ada's in the same batch."""
    message = {"anonymousId": "a-1", "event": "Signed Up", "messageId": "e-1", "properties": {"plan": "team"}}
    assert world.ingest("track", message)[0] == 200
    assert world.ingest("identify", {"userId": "ada", "anonymousId": "a-1", "messageId": "e-2"})[0] == 200


def _no_room(world: World) -> None:
    _sign_up(world)
    world.start_failures += ["ThrottlingException"]


TRANSACTION, UPDATE = "dynamodb:TransactWriteItems", "dynamodb:UpdateItem"
SEND, START = "sesv2:SendEmail", "stepfunctions:StartExecution"


@dataclass(frozen=True)
class Path:
    """What is prepared and done, which function is struck, what it calls, and in which state and mails it ends."""

    function: str
    prepare: Callable[[World], None]
    do: Callable[[World], None]
    writes: tuple[str, ...]
    state: str
    mails: int


PATHS = {
    "skipped": Path("send_email", _suppressed, _sign_up, (TRANSACTION,), "skipped", 0),
    # Claimed, turned away, let go; and the whole once more.
    "throttled": Path(
        "send_email", _throttled, _sign_up, (TRANSACTION, SEND, UPDATE, TRANSACTION, SEND, TRANSACTION), "delivered", 1
    ),
    "refused": Path("send_email", _refused, _sign_up, (TRANSACTION, SEND, TRANSACTION), "refused", 0),
    # The device's contact, its enrolment, which comes before it is Ada's, and the merge; then when she was last seen.
    "merged": Path(
        "react", _nothing, _merged, (TRANSACTION, TRANSACTION, START, TRANSACTION, UPDATE, UPDATE), "delivered", 1
    ),
    "no room": Path("react", _nothing, _no_room, (TRANSACTION, START, "sqs:SendMessage", UPDATE), "delivered", 1),
}


def _prepared(world: World, path: Path) -> Repeating:
    world.template("tips")
    world.automation(TOUR)
    world.identify("ada", email=EMAIL)
    path.prepare(world)
    world.pump()
    return Repeating(world)


def _play(world: World, repeating: Repeating, path: Path) -> None:
    path.do(world)
    repeating.react()
    for body in world.messages_in("starts"):
        world.invoke("start_enrolments", {"Records": [{"messageId": "q", "body": json.dumps(body)}]})
    for _ in range(20):
        running = [execution for execution in world.executions.values() if not execution.is_over]
        if not running:
            return
        running[0].step(repeating.task)
        repeating.feedback()
    pytest.fail("the execution never came to its end")


def _cases() -> Iterator[Any]:
    for name, path in PATHS.items():
        for number, call in enumerate(path.writes):
            for mode in MODES:
                yield pytest.param(name, number, mode, id=f"{name}-{number}-{call.partition(':')[2]}-{mode}")


@pytest.mark.parametrize("name", PATHS)
def test_every_call_that_changes_something_has_its_cases(world: World, name: str) -> None:
    path = PATHS[name]
    repeating, made = _prepared(world, path), []

    def seen(call: Call) -> None:
        if world.running == path.function and call.name not in READS:
            made.append(call.name)

    world.recorder.before = seen
    _play(world, repeating, path)
    assert tuple(made) == path.writes


@pytest.mark.parametrize(("name", "number", "mode"), list(_cases()))
def test_a_fault_at_any_of_them_sends_the_mail_at_most_once(world: World, name: str, number: int, mode: str) -> None:
    path = PATHS[name]
    repeating, fault = _prepared(world, path), Fault(world, path.function, 0, mode)
    made = 0

    def before(call: Call) -> None:
        nonlocal made
        if world.running == path.function and call.name not in READS:
            made += 1
            if made == number + 1:
                fault.before(call)

    def after(call: Call) -> None:
        if made == number + 1 and call.name not in READS:
            fault.after(call)

    world.recorder.before, world.recorder.after = before, after
    _play(world, repeating, path)
    # What the service itself refused (a condition, too much at once) has no answer that could be lost.
    assert fault.struck or mode != "before"
    contact = world.contact(user_id="ada")["contact"]
    (message,) = world.of_contact(contact, "messages")
    assert len(world.of_contact(contact, "enrolments")) == len(world.executions) == 1
    assert world.messages_in("aside") == []
    if message["state"] == "unknown":  # it died between the claim and the provider's word
        assert world.ses.accepted == []
    else:
        assert (message["state"], len(world.ses.accepted)) == (path.state, path.mails)
