"""Adding and taking away a sender, struck at each AWS call and then repeated: it ends in one state.

Each call is struck before it is made, after it was, and with its answer lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from tests.functional.test_faults import MODES, Fault
from tests.functional.test_senders import delete, get, kept, put, send, told
from tests.support.recorder import Killed, Recorder
from tests.support.world import REGION, World

NAME = "new.example"


def _forget(world: World) -> Any:
    return delete(world, NAME, {"identity": "delete"})


def _add(world: World) -> Any:
    return put(world, NAME, {"mail_from": "bounce.new.example"})


DONE: dict[str, Callable[[World], Any]] = {
    "add": _add,
    "add_again": _add,
    "show": lambda world: get(world, NAME),
    "remove": lambda world: delete(world, NAME),
    "forget": _forget,
}
CALLS = {
    "add": [
        "dynamodb:GetItem",  # the key
        "dynamodb:GetItem",  # the workspace
        "dynamodb:Query",  # who has something near it
        "dynamodb:TransactWriteItems",  # the claim
        "sesv2:CreateEmailIdentity",
        "sesv2:GetEmailIdentity",
        "sesv2:PutEmailIdentityMailFromAttributes",
        "sesv2:GetEmailIdentity",
        "dynamodb:GetItem",  # the workspace
        "dynamodb:TransactWriteItems",  # what SES said
    ],
    "add_again": [
        "dynamodb:GetItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "sesv2:CreateEmailIdentity",
        "sesv2:GetEmailIdentity",
        "dynamodb:GetItem",
        "dynamodb:TransactWriteItems",
    ],
    "show": [
        "dynamodb:GetItem",  # the key
        "dynamodb:GetItem",  # the sender
        "dynamodb:UpdateItem",  # whose turn it is
        "sesv2:GetEmailIdentity",
        "dynamodb:GetItem",  # the workspace
        "dynamodb:TransactWriteItems",
    ],
    "remove": [
        "dynamodb:GetItem",  # the key
        "dynamodb:GetItem",  # the sender
        "dynamodb:GetItem",  # the workspace
        "dynamodb:TransactWriteItems",  # nobody's, and nothing leaves from it
    ],
    "forget": [
        "dynamodb:GetItem",
        "dynamodb:GetItem",
        "dynamodb:GetItem",
        "dynamodb:TransactWriteItems",  # nothing leaves from it
        "sesv2:DeleteEmailIdentity",
        "dynamodb:DeleteItem",  # the claim
    ],
}

# What SES refuses, since it has it already, is not struck afterwards.
REFUSED = {"add_again": 1}


def _cases() -> Iterator[tuple[str, int, str]]:
    for what, calls in CALLS.items():
        for mode in MODES:
            refused = 0 if mode == "before" else REFUSED.get(what, 0)
            yield from ((what, number, mode) for number in range(len(calls) - refused))


def _end(world: World) -> dict[str, Any]:
    """What there is of the sender, without when it was."""
    known = world.identities.known
    return {
        "claims": kept(world),
        "told": told(world),
        "ses": {name: (one.status, one.mail_from) for name, one in known.items()},
        "states": sorted(item["state"]["S"] for item in world.items("TABLE_SENDERS") if "state" in item),
        "leaving": [item for item in world.items("TABLE_SENDERS") if "leaving" in item],
        "sent": send(world, f"hello@{NAME}")["state"],
    }


def _play(world: World, what: str, fault: Fault | None) -> tuple[list[str], dict[str, Any]]:
    world.identities.status = "SUCCESS"
    if what != "add":
        _add(world)
        world.now += timedelta(minutes=1)
    world.cold("senders")
    world.recorder.clear()
    if fault is not None:
        world.recorder.before, world.recorder.after = fault.before, fault.after
    for _ in range(4):
        try:
            status, answer = DONE[what](world)
        except Killed:
            world.cold("senders")
            continue
        # What is gone is gone: the repeat of a removal whose answer was lost says so.
        if status == 200 or (status == 404 and what in ("remove", "forget") and fault and fault.struck):
            break
        assert status in (429, 503), answer
    else:
        pytest.fail("it never came to its end")
    made = world.recorder.names()
    world.recorder.before = world.recorder.after = None
    world.now += timedelta(minutes=1)
    if what == "show":
        get(world, NAME)
    return made, _end(world)


@pytest.fixture(scope="module")
def clean() -> dict[str, tuple[list[str], dict[str, Any]]]:
    """What each calls without faults, and how it ends."""
    ends = {}
    for what in DONE:
        recorder = Recorder()
        with pytest.MonkeyPatch.context() as patch, mock_aws(), recorder.listening():
            for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
                patch.setenv(name, REGION)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(name, "testing")
            ends[what] = _play(World(recorder, patch), what, None)
    return ends


@pytest.mark.parametrize("what", DONE)
def test_every_call_has_its_cases(clean: dict[str, tuple[list[str], dict[str, Any]]], what: str) -> None:
    assert clean[what][0] == CALLS[what]


def test_without_faults_it_is_there_or_gone(clean: dict[str, tuple[list[str], dict[str, Any]]]) -> None:
    for what in ("add", "add_again", "show"):
        assert clean[what][1]["told"] == {NAME: True}
        assert clean[what][1]["sent"] == "accepted"
    assert clean["remove"][1]["ses"] == {NAME: ("SUCCESS", "bounce.new.example")}
    for what in ("remove", "forget"):
        assert (clean[what][1]["claims"], clean[what][1]["sent"]) == ({}, "skipped")
    assert clean["forget"][1]["ses"] == {}


@pytest.mark.parametrize(("what", "number", "mode"), list(_cases()))
def test_a_fault_at_any_of_them_and_a_repeat_end_in_one_state(
    clean: dict[str, tuple[list[str], dict[str, Any]]], world: World, what: str, number: int, mode: str
) -> None:
    fault = Fault(world, "senders", number, mode)
    _, end = _play(world, what, fault)
    assert fault.struck
    assert end == clean[what][1]
