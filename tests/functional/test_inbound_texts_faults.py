"""sms_inbound is killed at each of its AWS calls, and the queue delivers the text again: the end is the same.

Three faults for every call, as in test_faults: the process dies before the call, after it, or goes on without its
answer. The calls are listed below; a test compares the lists with what the recorder sees, so that a new call without a
case fails the suite. The one thing that may be missing in the end is an answer of which nobody can tell whether it was
sent: that is the guarantee of every message. It is never sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.functional.test_inbound_texts import log, sent, set_up, suppression, timeline
from tests.support.recorder import Call, Killed
from tests.support.world import THEIR_NUMBER, World

MODES = ("before", "after", "lost")
READ, STROKE, QUERY, BATCH, WRITE = (
    "dynamodb:GetItem", "dynamodb:TransactWriteItems", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:PutItem",
)  # fmt: skip
SEND, PUT, DELETE = (f"pinpoint-sms-voice-v2:{name}" for name in (
    "SendTextMessage", "PutOptedOutNumber", "DeleteOptedOutNumber"))  # fmt: skip
# Whose the number is, and the workspace: in a warm process neither is asked.
FIRST = [READ, READ]
TAKING = [QUERY, BATCH, STROKE]
# The contact, the message, the address, what its conversation shows of it, the claim, the provider and its answer.
ANSWERING = [READ, READ, READ, READ, BATCH, STROKE, SEND, STROKE]
# The last word, who has the number, and their events.
TELLING = [QUERY, READ, STROKE]


@dataclass(frozen=True)
class Scene:
    """What sms_inbound calls for a text after what came before, and what there is to see in the end.

    `refused` is the place of a call whose condition does not hold; `alike` are calls as in another scene.
    """

    words: str
    calls: list[str]
    before: tuple[str, ...] = ()
    answered: int = 0
    reason: str = ""
    listed: bool = False
    event: str = ""
    refused: int = -1
    alike: int = 0


SCENES = {
    "text": Scene("Is it open?", [*FIRST, *TAKING]),
    "stop": Scene(
        "STOP",
        [*FIRST, STROKE, *TAKING, *TELLING, *ANSWERING, READ, PUT, READ],
        answered=1,
        reason="stop",
        listed=True,
        event="Address Suppressed",
    ),
    "second_stop": Scene(
        # refused as the first, written as a later one
        "stop",
        [*FIRST, STROKE, STROKE, *TAKING, READ, PUT, READ],
        before=("STOP",),
        answered=1,
        reason="stop",
        listed=True,
        event="Address Suppressed",
        refused=2,
    ),
    "start": Scene(
        "START",
        [*FIRST, READ, STROKE, *TAKING, *TELLING, READ, DELETE, READ, *ANSWERING],
        before=("STOP",),
        answered=2,
        event="Address Released",
    ),
    "help": Scene("help", [*FIRST, *TAKING, *ANSWERING], answered=1, alike=11),
    "keyword": Scene("tak", [*FIRST, *TAKING, *ANSWERING], answered=1, alike=5),
}
# Killed here, nobody knows whether the answer was sent: it is given up as unknown, and not sent again.
UNSURE = {(SEND, "before"), (SEND, "after"), (SEND, "lost")}


def cases() -> Iterator[Any]:
    for name, scene in SCENES.items():
        for number, call in enumerate(scene.calls[scene.alike :], scene.alike):
            for mode in MODES if number != scene.refused else MODES[:1]:
                yield pytest.param(name, number, mode, id=f"{name}-{number}-{call.partition(':')[2]}-{mode}")


def prepared(world: World, scene: Scene) -> dict[str, Any]:
    set_up(world, {"keywords": [{"name": "yes", "words": ["TAK"], "meaning": "confirm", "answer": "Good."}]})
    for words in scene.before:
        assert world.receive(world.text(words)) == []
        world.now += timedelta(minutes=1)
    world.cold("sms_inbound")
    return world.text(scene.words, inbound="in-last")


def taken(world: World, record: dict[str, Any]) -> None:
    """Deliver a record until it is taken, in a new process after each death."""
    for _ in range(8):
        try:
            if world.receive(record, pump=False) == []:
                break
        except Killed:
            world.cold("sms_inbound")
        world.now += timedelta(minutes=6)  # as long as the queue hides it
    else:
        pytest.fail("the text was never taken")
    world.pump()


def require_end(world: World, scene: Scene, answered: range) -> None:
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    assert len(timeline(world, contact, "SMS Received")) == len(scene.before) + 1
    assert len(timeline(world, contact, "Conversation Opened")) == 1
    assert (suppression(world) or {}).get("reason", "") == scene.reason
    assert (THEIR_NUMBER in world.sms.opted_out.get("Default", set())) == scene.listed
    ordered = [words for words in (*scene.before, scene.words) if words.upper() in ("STOP", "START")]
    assert len(log(world)) == len(ordered)
    if scene.event:
        assert len(timeline(world, contact, scene.event)) == 1
    assert len(sent(world)) in answered
    assert len(world.sms.messages()) == len(set(world.sms.messages()))


@pytest.mark.parametrize("name", SCENES)
def test_every_call_has_its_cases(world: World, name: str) -> None:
    scene = SCENES[name]
    record = prepared(world, scene)
    calls: list[Call] = []
    world.recorder.before = lambda call: calls.append(call) if world.running == "sms_inbound" else None
    taken(world, record)
    world.recorder.before = None
    assert [call.name for call in calls] == scene.calls
    require_end(world, scene, range(scene.answered, scene.answered + 1))


@pytest.mark.parametrize(("name", "number", "mode"), list(cases()))
def test_a_fault_at_any_call_changes_nothing_of_the_end(world: World, name: str, number: int, mode: str) -> None:
    scene = SCENES[name]
    record = prepared(world, scene)
    made: list[str] = []
    struck: list[str] = []

    def strike(call: Call, when: str) -> None:
        if world.running != "sms_inbound" or struck:
            return
        if when == "before":
            made.append(call.name)
        if len(made) != number + 1 or (when == "before") != (mode == "before"):
            return
        struck.append(call.name)
        if mode == "lost":
            raise ReadTimeoutError(endpoint_url="https://aws")
        raise Killed(call.name)

    world.recorder.before, world.recorder.after = partial(strike, when="before"), partial(strike, when="after")
    taken(world, record)
    world.recorder.before = world.recorder.after = None
    assert struck == [scene.calls[number]]
    claimed = scene.calls[number] == STROKE and number + 1 < len(scene.calls) and scene.calls[number + 1] == SEND
    unsure = (scene.calls[number], mode) in UNSURE or (claimed and mode == "after")
    require_end(world, scene, range(scene.answered - int(unsure), scene.answered + 1))


def test_the_same_text_delivered_to_many_processes_at_once_is_taken_and_answered_once(world: World) -> None:
    record = world.text("STOP", inbound="in-1")
    module = world.function("sms_inbound")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: module.handler({"Records": [record]}, None), range(4)))
    world.now += timedelta(minutes=6)
    world.receive(record)
    assert any(answer == {"batchItemFailures": []} for answer in answers)
    assert len(sent(world)) == 1
    assert len(log(world)) == 1
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    assert len(timeline(world, contact, "SMS Received")) == 1


@pytest.mark.parametrize("first", ["STOP", "START"])
def test_a_stop_and_a_start_at_once_end_as_their_times_say(world: World, first: str) -> None:
    """Whichever overtakes the other, at whichever of its calls."""
    later = "START" if first == "STOP" else "STOP"
    for place in range(18):
        person = f"+4860010{place:04d}"
        early = world.text(first, sender=person)
        world.now += timedelta(seconds=1)
        late = world.text(later, sender=person)
        made = count()
        world.recorder.before = overtaking(world, late, made, place)
        assert world.receive(early, pump=False) == []
        world.recorder.before = None
        world.receive(late)
        stopped = later == "STOP"
        assert (suppression(world, person) is not None) == stopped, place
        assert (person in world.sms.opted_out.get("Default", set())) == stopped, place


def overtaking(world: World, record: dict[str, Any], made: Iterator[int], place: int) -> Callable[[Call], None]:
    """Another process takes a record before the call at this place."""

    def overtake(call: Call) -> None:
        if world.running == "sms_inbound" and next(made) == place:
            world.running = "another"
            assert world.function("sms_inbound").handler({"Records": [record]}, None) == {"batchItemFailures": []}
            world.running = "sms_inbound"

    return overtake


def test_a_send_that_starts_after_a_stop_was_stored_never_leaves(world: World) -> None:
    """The STOP comes in before each of the calls of a send in turn."""
    left: list[bool] = []
    for place in range(20):
        person = f"+4860020{place:04d}"
        stop = world.text("STOP", sender=person)
        world.running = ""
        world.receive(world.text("hello", sender=person))
        calls: list[str] = []

        def overtake(call: Call, calls: list[str] = calls, stop: dict[str, Any] = stop, place: int = place) -> None:
            if world.running != "send_sms":
                return
            calls.append(call.name)
            if len(calls) == place + 1:
                world.running = "sms_inbound"
                assert world.function("sms_inbound").handler({"Records": [stop]}, None) == {"batchItemFailures": []}
                world.running = "send_sms"

        world.recorder.before = overtake
        to = world.contact(phone=person)["contact"]
        body = {"to": {"contact": to}, "text": "Offer", "kind": "transactional", "idempotency_key": person}
        status, answer = world.call("send_sms", "POST /v1/sms", body)
        world.recorder.before = None
        assert status == 202, answer
        world.receive(stop)
        assert suppression(world, person) is not None
        if len(calls) <= place:
            break  # the send was over before
        left.append("Offer" in sent(world, person))
        before_claim = STROKE not in calls[: place + 1] or (calls[place] == STROKE and calls[:place].count(STROKE) == 0)
        assert left[-1] == (not before_claim), (place, calls)
    assert set(left) == {True, False}
