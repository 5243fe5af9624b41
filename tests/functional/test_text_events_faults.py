"""sms_events and links are killed at each of their AWS calls, and what comes again leads to the same end.

Three faults for every call: the process dies before the call, after it, or goes on without its answer. The calls are
listed below; a test compares the lists with what the recorder sees, so that a new call without a case fails the suite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.support.recorder import Call, Killed
from tests.support.world import PUBLIC_URL, THEIR_NUMBER, World

MODES = ("before", "after", "lost")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Safari/604.1"
READ, STROKE, UPDATE, QUERY, PUT = (
    "dynamodb:GetItem", "dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "dynamodb:Query", "sqs:SendMessage",
)  # fmt: skip


def text(world: World, key: str, state: str = "accepted") -> dict[str, Any]:
    order = {"to": {"user_id": "ola"}, "text": "See https://a.example", "idempotency_key": key, "kind": "transactional"}
    status, answer = world.call("send_sms", "POST /v1/sms", order)
    assert (status, answer["state"]) == (202, state), answer
    return world.sms.accepted[-1]


def notified(world: World, kind: str, sent: dict[str, Any], **details: Any) -> dict[str, Any]:
    message = json.dumps(world.sms.event(kind, sent, **details))
    return {"Type": "Notification", "Message": message}


def delivery(world: World) -> dict[str, Any]:
    return notified(world, "TEXT_DELIVERED", text(world, "k-0"))


def number_that_does_not_exist(world: World) -> dict[str, Any]:
    return notified(world, "TEXT_INVALID", text(world, "k-0"), totalMessagePrice=0)


def fifth_unreachable(world: World) -> dict[str, Any]:
    at = 1795251605000
    for number in range(4):
        sent = text(world, f"k-{number}")
        assert world.told_of_text(world.sms.event("TEXT_UNREACHABLE", sent, eventTimestamp=at + number))
    return notified(world, "TEXT_UNREACHABLE", text(world, "k-4"), eventTimestamp=at + 4)


def news_of_a_claim_whose_answer_was_lost(world: World) -> dict[str, Any]:
    world.sms.failing = ["timeout"]
    return notified(world, "TEXT_DELIVERED", text(world, "k-0", "claimed"))


def early_click(world: World) -> dict[str, Any]:
    sent = text(world, "k-0")
    assert world.told_of_text(world.sms.event("TEXT_DELIVERED", sent))
    world.now += timedelta(seconds=30)
    code = sent["MessageBody"].partition(f"{PUBLIC_URL}/l/")[2]
    event = {
        "routeKey": "GET /l/{code}",
        "headers": {"user-agent": PHONE},
        "pathParameters": {"code": code},
        "requestContext": {"http": {"method": "GET", "sourceIp": "203.0.113.9"}, "requestId": "r-1"},
    }
    assert world.invoke("links", event)["statusCode"] == 302
    [body] = world.messages_in("sms_events")
    return body


@dataclass(frozen=True)
class Scene:
    """What sms_events calls, in this order, and what there is to see in the end."""

    made: Callable[[World], dict[str, Any]]
    calls: list[str]
    state: str
    events: list[str]
    counts: dict[str, int]
    reason: str = ""


SCENES = {
    scene.made.__name__: scene
    for scene in (
        Scene(
            delivery, [READ, STROKE], "delivered", ["SMS Delivered", "SMS Sent"],
            {"sent": 1, "delivered": 1, "parts": 1, "cost_micro_usd": 30_000},
        ),
        Scene(
            number_that_does_not_exist,
            # the message, the workspace, the suppression, the event
            [READ, READ, STROKE, STROKE], "undelivered", ["SMS Sent", "SMS Undelivered"],
            {"sent": 1, "undelivered": 1, "parts": 1}, "bounce",
        ),
        Scene(
            fifth_unreachable,
            # the message, the address, who has it and their messages, the suppression; the row ends, and the event
            [READ, READ, QUERY, QUERY, STROKE, READ, UPDATE, STROKE],
            "undelivered", ["SMS Sent"] * 5 + ["SMS Undelivered"] * 5,
            {"sent": 5, "undelivered": 5, "parts": 5, "cost_micro_usd": 150_000}, "bounce",
        ),
        Scene(
            news_of_a_claim_whose_answer_was_lost, [READ, STROKE], "delivered", ["SMS Delivered", "SMS Sent"],
            {"sent": 1, "delivered": 1, "parts": 1, "cost_micro_usd": 30_000},
        ),
        Scene(
            early_click,
            # the message, the workspace, the note, the queue; later the message and the event
            [READ, READ, UPDATE, PUT, READ, STROKE], "delivered", ["SMS Delivered", "SMS Link Clicked", "SMS Sent"],
            {"sent": 1, "delivered": 1, "parts": 1, "cost_micro_usd": 30_000, "clicked": 1, "clicks": 1},
        ),
    )
}  # fmt: skip


def cases() -> Iterator[Any]:
    for name, scene in SCENES.items():
        for number, call in enumerate(scene.calls):
            for mode in MODES:
                yield pytest.param(name, number, mode, id=f"{name}-{number}-{call.partition(':')[2]}-{mode}")


def prepared(world: World, scene: Scene) -> dict[str, Any]:
    world.identify("ola", first_name="Ola", phone=THEIR_NUMBER)
    body = scene.made(world)
    world.pump()
    return {"messageId": "q-1", "body": json.dumps(body)}


def taken(world: World, record: dict[str, Any]) -> None:
    """Deliver a record until it is taken, in a new process after each death, and what was put off as well."""
    queue = [record]
    for _ in range(12):
        if not queue:
            break
        try:
            answer = world.invoke("sms_events", {"Records": [queue[0]]})
        except Killed:
            world.cold("sms_events")
            continue
        if answer == {"batchItemFailures": []}:
            queue.pop(0)
            queue += [{"messageId": "q-2", "body": json.dumps(body)} for body in world.messages_in("sms_events")]
        world.now += timedelta(seconds=11)
    else:
        pytest.fail("the event was never taken")
    world.pump()


def require_end(world: World, scene: Scene) -> None:
    """What there is to see of it: messages, timeline, counts, pointers and the number."""
    contact = world.contact(user_id="ola")["contact"]
    messages = world.of_contact(contact, "messages")
    assert {one["state"] for one in messages} == {scene.state}
    shown = [one["event"] for one in world.of_contact(contact, "events") if str(one["event"]).startswith("SMS")]
    assert sorted(shown) == scene.events
    counts: dict[str, int] = {}
    for item in world.items("TABLE_REPORTS"):
        for name, value in item.items():
            if "N" in value and not name.startswith("why "):
                counts[name] = counts.get(name, 0) + int(value["N"])
    assert {name: number for name, number in counts.items() if number} == scene.counts
    pointers = [item["message"]["S"] for item in world.items("TABLE_MESSAGES") if item["sk"]["S"] == "answered"]
    assert sorted(pointers) == sorted(one["message"] for one in messages)
    reasons = [item["reason"]["S"] for item in world.items("TABLE_CONSENTS") if "reason" in item]
    assert reasons == ([scene.reason] if scene.reason else [])


@pytest.mark.parametrize("name", SCENES)
def test_every_call_has_its_cases(world: World, name: str) -> None:
    scene = SCENES[name]
    record = prepared(world, scene)
    calls: list[Call] = []
    world.recorder.before = lambda call: calls.append(call) if world.running == "sms_events" else None
    taken(world, record)
    world.recorder.before = None
    assert [call.name for call in calls] == scene.calls
    require_end(world, scene)


@pytest.mark.parametrize(("name", "number", "mode"), list(cases()))
def test_a_fault_at_any_call_changes_nothing_of_the_end(world: World, name: str, number: int, mode: str) -> None:
    record = prepared(world, SCENES[name])
    made = count()
    struck: list[str] = []

    def strike(call: Call) -> None:
        if world.running != "sms_events" or struck or next(made) != number:
            return
        struck.append(call.name)
        if mode == "lost":
            raise ReadTimeoutError(endpoint_url="https://aws")
        raise Killed(call.name)

    if mode == "before":
        world.recorder.before = strike
    else:
        world.recorder.after = strike
    taken(world, record)
    world.recorder.before = world.recorder.after = None
    assert struck == [SCENES[name].calls[number]]
    require_end(world, SCENES[name])
