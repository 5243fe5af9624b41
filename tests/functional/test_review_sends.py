"""What goes wrong with one of many, or for long, stays with that one and ends: found by reading the code for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_sends import addressed, get, ordered, people
from tests.support.world import World

from tidings.contacts.model import IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.core.errors import Throttled, Unavailable
from tidings.email.deliveries import Deliveries
from tidings.email.send_store import DynamoSendStore

EVERY_FIVE_MINUTES = {"source": "aws.events"}


@pytest.fixture
def tips(world: World) -> World:
    world.template("tips", subject="Tips for {{ variables.name }}", variables={"name": "you"})
    return world


def delivered(world: World, body: dict[str, Any]) -> bool:
    """Let deliver work on a message of its queue; whether it did not come back as failed."""
    record = {"messageId": "q-1", "body": json.dumps(body)}
    answer = world.invoke("deliver", {"Records": [record]})
    return bool(answer == {"batchItemFailures": []})


@pytest.mark.parametrize(
    "fault",
    [
        Unavailable("contact_contended", "The contact kept changing."),
        Throttled("write_throttled", "The database is busy."),
        ValueError("what nobody thought of"),
    ],
)
def test_who_cannot_be_worked_off_keeps_nobody_behind_them_waiting(
    tips: World, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    whole = ContactDirectory.find_by_address

    def find(directory: ContactDirectory, workspace: str, kind: IdentityKind, address: str) -> Any:
        if address == "p0@people.example":
            raise fault
        return whole(directory, workspace, kind, address)

    monkeypatch.setattr(ContactDirectory, "find_by_address", find)
    send = ordered(tips, recipients=people(4))["send"]
    (spread,) = tips.messages_in("deliveries")
    assert delivered(tips, spread)
    (part,) = tips.messages_in("deliveries")
    began = tips.now
    slow = isinstance(fault, Throttled)
    assert delivered(tips, part) is slow  # only a fault counts towards the dead letters
    assert tips.now - began < timedelta(seconds=2)
    assert addressed(tips) == sorted(one["email"] for one in people(4)[1:])
    assert get(tips, send)["counts"] == {"accepted": 3, "waiting": 1}
    monkeypatch.setattr(ContactDirectory, "find_by_address", whole)
    if slow:
        (part,) = tips.messages_in("deliveries")
    assert delivered(tips, part)
    assert get(tips, send)["counts"] == {"accepted": 4}


def test_a_provider_that_is_paused_for_hours_does_not_fill_the_queue(tips: World) -> None:
    ordered(tips, recipients=people(1))
    (spread,) = tips.messages_in("deliveries")
    delivered(tips, spread)
    tips.ses.failing = ["SendingPausedException"] * 1000
    for _ in range(12):
        (part,) = tips.messages_in("deliveries")  # one at a time, however long it takes
        assert delivered(tips, part)
        tips.now += timedelta(minutes=15)
        tips.invoke("deliver", EVERY_FIVE_MINUTES)
    tips.ses.failing = []
    (part,) = tips.messages_in("deliveries")
    assert delivered(tips, part)
    assert addressed(tips) == ["p0@people.example"]


def test_a_send_that_cannot_be_revived_keeps_no_other_from_it(tips: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sends = [ordered(tips, recipients=people(1), idempotency_key=f"k-{n}")["send"] for n in range(6)]
    tips.messages_in("deliveries")
    tips.now += timedelta(minutes=40)
    whole = Deliveries.begin

    def begin(deliveries: Deliveries, workspace: str, send: str) -> None:
        if send == sends[0]:
            raise Unavailable("database_failed", "The database answered.")
        whole(deliveries, workspace, send)

    monkeypatch.setattr(Deliveries, "begin", begin)
    with pytest.raises(Unavailable):  # for the alarm
        tips.invoke("deliver", EVERY_FIVE_MINUTES)
    assert {one["send"] for one in tips.messages_in("deliveries")} == set(sends[1:])


@pytest.mark.parametrize("worked_off", [3, 1], ids=["all of it", "a part of it"])
def test_of_two_calls_of_one_order_the_slower_leaves_no_addresses_behind(
    tips: World, monkeypatch: pytest.MonkeyPatch, worked_off: int
) -> None:
    write, calls = DynamoSendStore.write_recipients, []

    def late(store: DynamoSendStore, send: Any, parts: Any) -> None:
        calls.append(send)
        if len(calls) == 1:
            ordered(tips, recipients=people(60))
            (spread,) = tips.messages_in("deliveries")
            delivered(tips, spread)
            bodies = sorted(tips.messages_in("deliveries"), key=lambda one: int(one["part"]))
            assert [delivered(tips, body) for body in bodies[:worked_off]] == [True] * worked_off
        write(store, send, parts)

    monkeypatch.setattr(DynamoSendStore, "write_recipients", late)
    send = ordered(tips, recipients=people(60))["send"]
    tips.deliver()
    assert get(tips, send)["counts"] == {"accepted": 60}
    assert len(tips.ses.accepted) == 60
    assert [item for item in tips.items("TABLE_SENDS") if item["sk"]["S"] == "part"] == []
