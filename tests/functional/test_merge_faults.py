"""Merging, taking back and joining a company by API, struck at each AWS call and then repeated; and while events come.

Each call is struck before it is made, after it was, and with its answer lost. Nothing is lost and nothing doubled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from moto import mock_aws
from tests.functional.test_faults import MODES, Fault
from tests.functional.test_merges import (
    ADA,
    OLD,
    apart,
    counts,
    merge,
    merges,
    names,
    person_and_device,
    say,
    shown,
    suppress,
    who,
)
from tests.support.recorder import Call, Killed, Recorder
from tests.support.world import REGION, World

KEY = "k-1"


def _merge(world: World, known: dict[str, str]) -> Any:
    body = {"contact": known["device"], "into": known["ada"], "idempotency_key": KEY}
    return world.call("merges", "POST /v1/merges", body)


def _undo(world: World, known: dict[str, str]) -> Any:
    return world.call("merges", "POST /v1/merges/{merge}/undo", {}, path={"merge": known["merge"]})


def _join(world: World, known: dict[str, str]) -> Any:
    path = {"company": "initech", "contact": known["ada"]}
    return world.call("companies", "PUT /v1/companies/{company}/contacts/{contact}", path=path)


DONE: dict[str, tuple[str, Callable[[World, dict[str, str]], Any]]] = {
    "merge": ("merges", _merge),
    "undo": ("merges", _undo),
    "join": ("companies", _join),
}


def _prepared(world: World, what: str) -> dict[str, str]:
    ada, device = person_and_device(world)
    suppress(world, OLD)
    world.pump()
    known = {"ada": ada, "device": device}
    if what == "undo":
        known["merge"] = merge(world, device, ada)["merge"]
    return known


def _events(world: World) -> list[str]:
    names = [item.get("name", {}).get("S", "") for item in world.items("TABLE_EVENTS")]
    return sorted(name for name in names if name not in ("", "Viewed", "Address Suppressed"))


def _end(world: World, what: str, known: dict[str, str]) -> dict[str, Any]:
    """Everything that the call brought about, without ids that are random and when it was."""
    world.pump()
    found = [apart(shown(world, known[one])) for one in ("ada", "device")]
    records = [
        (one["rule"], one["call"], one["identities"], bool(one["undone_at"])) for one in merges(world, known["ada"])
    ]
    identities = [(item["pk"]["S"], item["sk"]["S"], item["contact"]["S"]) for item in world.items("TABLE_IDENTITIES")]
    return {
        "contacts": found,
        "timelines": [names(world, known[one]) for one in ("ada", "device")],
        "records": records,
        "identities": sorted(identities),
        "counts": counts(world),
        "events": _events(world),
        "suppressed": [suppress(world, address, "GET") for address in (ADA, OLD)],
        "companies": sorted(item["sk"]["S"] for item in world.items("TABLE_COMPANIES")),
        "versions": sorted(item["version"]["N"] for item in world.items("TABLE_CONTACTS")),
    }


# How many calls each makes in the scenario; one of a merge and of an undo reads who is in which conversations.
CALLS = {"merge": 10, "undo": 14, "join": 6}

Ends = dict[str, tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def clean() -> Ends:
    """How many calls each makes without faults, and how it ends."""
    ends: Ends = {}
    for what in DONE:
        recorder = Recorder()
        with pytest.MonkeyPatch.context() as patch, mock_aws(), recorder.listening():
            for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
                patch.setenv(name, REGION)
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(name, "testing")
            ends[what] = _play(World(recorder, patch), what, None)
    return ends


def _play(world: World, what: str, fault: Fault | None) -> tuple[int, dict[str, Any]]:
    known = _prepared(world, what)
    function, do = DONE[what]
    world.cold(function)
    world.recorder.clear()
    if fault is not None:
        world.recorder.before, world.recorder.after = fault.before, fault.after
    for _ in range(4):
        try:
            answer = do(world, known)
        except Killed:
            world.cold(function)
            continue
        if answer[0] == 200:
            break
        assert answer[0] in (429, 503), answer
    else:
        pytest.fail("it never came to its end")
    made = len(world.recorder.calls)
    world.recorder.before = world.recorder.after = lambda call: None
    return made, _end(world, what, known)


@pytest.mark.parametrize("what", DONE)
def test_every_call_has_its_cases(clean: Ends, what: str) -> None:
    assert clean[what][0] == CALLS[what]


@pytest.mark.parametrize(
    ("what", "number", "mode"),
    [(what, number, mode) for what, count in CALLS.items() for number in range(count) for mode in MODES],
)
def test_a_fault_at_any_of_them_and_a_repeat_lose_and_double_nothing(
    clean: Ends, world: World, what: str, number: int, mode: str
) -> None:
    fault = Fault(world, DONE[what][0], number, mode)
    _, end = _play(world, what, fault)
    assert fault.struck
    assert end == clean[what][1]


# --- while events come -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(CALLS["undo"] - 2))  # of the key and the workspace it knows
def test_what_is_told_while_a_merge_is_taken_back_comes_to_whose_it_is(world: World, number: int) -> None:
    """The message is stored and reacted to right before one of the calls of the undo."""
    known = _prepared(world, "undo")
    made = 0

    def meanwhile(call: Call) -> None:
        nonlocal made
        if world.running != "merges":
            return
        made += 1
        if made == number + 1:
            say(world, anonymousId="a-1", traits={"size": "L"})
            say(world, userId="ada", traits={"seats": 4})

    world.recorder.before = meanwhile
    status, answer = _undo(world, known)
    world.recorder.before = lambda call: None
    assert (status, made > number) == (200, True), answer
    world.pump()
    assert shown(world, known["device"])["traits"] == {"email": OLD, "colour": "red", "size": "L"}
    assert shown(world, known["ada"])["traits"] == {"email": ADA, "plan": "team", "seats": 4}


@pytest.mark.parametrize("number", range(1, 5))
def test_what_is_under_way_when_a_merge_is_taken_back_comes_to_whose_it_is(world: World, number: int) -> None:
    """The merge is taken back right before one of the calls that react makes for a message of the device."""
    known = _prepared(world, "undo")
    message = {"anonymousId": "a-1", "messageId": "late", "traits": {"size": "L"}}
    world.ingest("identify", message)
    records, made = world.new_records(), 0

    def meanwhile(call: Call) -> None:
        nonlocal made
        if world.running == "react":
            made += 1
            if made == number:
                assert _undo(world, known)[0] == 200

    world.recorder.before = meanwhile
    answer = world.invoke("react", {"Records": records})
    world.recorder.before = lambda call: None
    while answer["batchItemFailures"]:
        answer = world.invoke("react", {"Records": records})
    world.pump()
    if made < number:
        _undo(world, known)
    assert who(world, anonymous_id="a-1") == known["device"]
    assert shown(world, known["device"])["traits"] == {"email": OLD, "colour": "red", "size": "L"}
    assert shown(world, known["ada"])["traits"] == {"email": ADA, "plan": "team"}
