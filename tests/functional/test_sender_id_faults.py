"""The life of a sender ID, struck at each AWS call of a decision and of its machine and then repeated: one end.

Each call is struck before it is made, after it was, and with its answer lost. Callers repeat their call, machines their
step; nothing that was decided is lost, and AWS is asked for the name once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws
from tests.functional.test_faults import MODES, Fault
from tests.support.recorder import Killed, Recorder
from tests.support.sender_ids import NAME, FakeSenderIds, People
from tests.support.world import REGION, World

READ, WRITE = "dynamodb:GetItem", "dynamodb:TransactWriteItems"
DESCRIBED, ASKED, RELEASED = (
    f"pinpoint-sms-voice-v2:{name}" for name in ("DescribeSenderIds", "RequestSenderId", "ReleaseSenderId")
)
STARTED, ANSWERED, SEEN = (
    f"stepfunctions:{name}" for name in ("StartExecution", "SendTaskSuccess", "DescribeExecution")
)
# What each function calls in a whole life: the key's look-up is remembered after the first call of each key.
CALLS = {
    "sender_ids": [
        *(READ, READ, READ, "dynamodb:Query", WRITE, STARTED, STARTED),  # request: key, workspace, name, the others
        *(READ, READ, WRITE, ANSWERED, SEEN),  # verify: the clock is there still
        *(READ, READ, WRITE, ANSWERED),  # accept
        *(READ, READ, WRITE, STARTED, ANSWERED),  # retire: name, workspace; the token is an old one
    ],
    "review_sender_ids": [
        *(READ, WRITE),  # the wait for staff
        *(READ, WRITE),  # the wait for the administrator
        *(READ, READ, DESCRIBED, READ, WRITE, ASKED, READ, WRITE),  # AWS is asked
        *(READ, RELEASED, READ, WRITE),  # AWS has it back
    ],
}
# What is refused anyhow is not struck afterwards: the name that AWS has not yet, and the answer to an old token.
REFUSED = {"sender_ids": 1, "review_sender_ids": 1}


def _cases() -> Iterator[tuple[str, int, str]]:
    for function, calls in CALLS.items():
        for mode in MODES:
            refused = 0 if mode == "before" else REFUSED[function]
            yield from ((function, number, mode) for number in range(len(calls) - refused))


def _until_done(world: World, do: Callable[[], Any]) -> None:
    """What a caller does: again after a fault, until it is answered."""
    for _ in range(4):
        try:
            status, answer = do()
        except Killed:
            world.cold("sender_ids")
            continue
        if status == 200:
            return
        assert status in (429, 503), answer
    pytest.fail("it never came to its end")


def _run(world: World) -> None:
    """What Step Functions does: the same step again after a fault."""
    for _ in range(4):
        try:
            world.run()
        except Killed:
            world.cold("review_sender_ids")
        except Exception:  # noqa: BLE001, S112 - Step Functions repeats whatever a function raises
            continue
        else:
            return
    pytest.fail("the machine never came to its end")


def _live(world: World, fault: Fault | None) -> tuple[dict[str, list[str]], dict[str, Any]]:
    people, aws = People(world), FakeSenderIds.of(world)
    made: dict[str, list[str]] = {"sender_ids": [], "review_sender_ids": []}

    def after(call: Any) -> None:
        if fault is not None:
            fault.after(call)

    def before(call: Any) -> None:
        if world.running in made:
            made[world.running].append(call.name)
        if fault is not None:
            fault.before(call)

    world.recorder.before, world.recorder.after = before, after
    for step in (people.request, people.verify, people.accept):
        _until_done(world, step)
        _run(world)
    active = (_record(world), people.told(), sorted(aws.held))
    _until_done(world, people.retire)
    _run(world)
    world.recorder.before = world.recorder.after = None
    return made, {
        "active": active,
        "retired": (_record(world), people.told(), sorted(aws.held)),
        "asked": sorted(set(aws.tokens)),
        "log": people.log(),
        "claims": [item["pk"]["S"] for item in world.items("TABLE_SENDER_IDS") if item["pk"]["S"].startswith("#")],
        "waits": [one.state for one in world.executions.values() if one.state not in ("", "clock")],
    }


def _record(world: World) -> dict[str, Any]:
    """The sender ID as it is kept, without what counts attempts."""
    (item,) = [item for item in world.items("TABLE_SENDER_IDS") if item["sk"]["S"] == NAME]
    kept = json.loads(item["document"]["S"])
    kept["approvals"] = {step: one["by"] for step, one in kept["approvals"].items()}  # keys are made at random
    return {name: value for name, value in kept.items() if name not in ("starts", "clocks", "token_for")}


@pytest.fixture(scope="module")
def clean() -> tuple[dict[str, list[str]], dict[str, Any]]:
    """What each function calls without faults, and how it ends."""
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch, mock_aws(), recorder.listening():
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.setenv(name, REGION)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        return _live(World(recorder, patch), None)


def test_every_call_has_its_cases(clean: tuple[dict[str, list[str]], dict[str, Any]]) -> None:
    assert clean[0] == CALLS


def test_without_faults_it_is_active_and_then_gone(clean: tuple[dict[str, list[str]], dict[str, Any]]) -> None:
    _, end = clean
    assert end["active"][0]["state"] == "active"
    assert end["active"][1:] == ({NAME: {"PL": "active"}}, [(NAME, "PL")])
    assert end["retired"][0]["state"] == "retired"
    assert end["retired"][1:] == ({}, [])
    assert (len(end["asked"]), end["claims"], end["waits"]) == (1, [], [])


@pytest.mark.parametrize(("function", "number", "mode"), list(_cases()))
def test_a_fault_at_any_of_them_and_a_repeat_end_in_one_state(
    clean: tuple[dict[str, list[str]], dict[str, Any]], world: World, function: str, number: int, mode: str
) -> None:
    fault = Fault(world, function, number, mode)
    _, end = _live(world, fault)
    assert fault.struck
    assert end == clean[1]
    assert len(world.sms.of("RequestSenderId")) <= 2  # a repeat brings the same token, and AWS knows it
