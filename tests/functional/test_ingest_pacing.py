"""A batch is stored as fast as partitions take it, and may be repeated when one does not."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.calls import basic, message, request, stored
from tests.support.recorder import Call
from tests.support.units import item_bytes
from tests.support.world import START, World

from tidings.activity.pacing import UNITS_A_SECOND


def small(user: str, number: int) -> dict[str, Any]:
    """As small as 2,500 must be to stay below the 500 KB of a batch."""
    return {"type": "track", "userId": user, "event": "Viewed", "messageId": str(number)}


def listen(world: World) -> list[tuple[datetime, list[dict[str, Any]]]]:
    """Store nothing, and note when each call came and which items were in it."""
    calls: list[tuple[datetime, list[dict[str, Any]]]] = []

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        statements = arguments["Statements"]
        calls.append((world.now, [_item(statement) for statement in statements]))
        return {"Responses": [{} for _ in statements]}

    world.recorder.doubles["dynamodb:BatchExecuteStatement"] = answer
    return calls


def _item(statement: dict[str, Any]) -> dict[str, Any]:
    names = [part.split("'")[1] for part in statement["Statement"].partition("VALUE ")[2].split(", ")]
    return dict(zip(names, statement["Parameters"], strict=True))


def most_in_a_second(calls: list[tuple[datetime, list[dict[str, Any]]]]) -> int:
    """The most write units that one partition, with its local index, was given within a second."""
    most = 0
    for start, _ in calls:
        units: Counter[str] = Counter()
        for at, items in calls:
            for item in items if 0 <= (at - start).total_seconds() < 1 else []:
                units[item["pk"]["S"]] += 2 * -(-item_bytes(item) // 1024)
        most = max(most, *units.values())
    return most


def test_2500_events_of_one_person_are_100_calls_of_25_over_six_seconds(world: World) -> None:
    calls = listen(world)
    body = {"batch": [small("u-7", number) for number in range(2500)]}
    assert world.ingest("batch", body) == (200, {"success": True})
    assert [len(items) for _, items in calls] == [25] * 100
    assert [item["sk"]["S"] for _, items in calls for item in items] == [str(number) for number in range(2500)]
    assert (world.now - START).total_seconds() == 6
    assert most_in_a_second(calls) == UNITS_A_SECOND


def test_2500_events_of_many_people_wait_for_nobody(world: World) -> None:
    calls = listen(world)
    assert world.ingest("batch", {"batch": [small(f"u-{number % 7}", number) for number in range(2500)]})[0] == 200
    assert [len(items) for _, items in calls] == [25] * 100
    assert world.now == START
    assert [item["sk"]["S"] for _, items in calls for item in items] == [str(number) for number in range(2500)]


def test_one_person_s_backlog_lets_the_others_through(world: World) -> None:
    calls = listen(world)
    items = [small("u-7", number) for number in range(1500)] + [small(f"v-{number}", number) for number in range(1000)]
    assert world.ingest("batch", {"batch": items})[0] == 200
    assert len(calls) == 100
    assert most_in_a_second(calls) <= UNITS_A_SECOND
    assert (world.now - START).total_seconds() <= 3
    first = Counter(item["pk"]["S"] == "acme#user#u-7" for _, items in calls[:50] for item in items)
    assert abs(first[True] - 750) < 25


def test_events_are_received_in_the_order_of_the_batch_whatever_is_written_first(world: World) -> None:
    items = [small("u-7", number) for number in range(450)] + [small(f"v-{number}", number) for number in range(50)]
    calls = listen(world)
    assert world.ingest("batch", {"batch": items})[0] == 200
    written = [item for _, call in calls for item in call]
    written.sort(key=lambda item: item["received_at"]["S"])
    assert [item["pk"]["S"] for item in written] == [f"acme#user#{item['userId']}" for item in items]
    assert {item["received_at"]["S"][:19] for item in written} == {"2026-11-21T09:00:00"}
    assert world.now > START


def test_a_batch_that_one_person_s_partition_takes_too_long_to_store_is_refused_whole(world: World) -> None:
    # A context of 30 KB of noise in each of 600 items is more than 36,000 write units of one partition.
    noise = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(10_000))
    calls = listen(world)
    body = {"batch": [small("u-7", number) for number in range(600)], "context": {"noise": noise}}
    status, answer = world.ingest("batch", body)
    assert (status, answer["code"], answer["field"]) == (400, "batch_too_large", "batch")
    assert calls == []
    assert world.now == START


def throttle(world: World, after: int) -> None:
    """Let so many calls through, then answer as DynamoDB does when it has had enough."""
    left = [after]

    def before(call: Call) -> None:
        if call.operation == "BatchExecuteStatement":
            left[0] -= 1
            if left[0] < 0:
                code = "ProvisionedThroughputExceededException"
                raise ClientError({"Error": {"Code": code, "Message": code}}, call.operation)

    world.recorder.before = before


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_batch_throttled_in_the_middle_says_when_to_come_back_and_may_be_repeated_whole(
    world: World, after: int
) -> None:
    body = {"batch": [message("track", messageId=str(number), userId=f"u-{number % 3}") for number in range(100)]}
    asked = request("/v1/batch", body, basic(world.keys["write"]))
    throttle(world, after)
    answer = world.invoke("batch", asked)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (429, "write_throttled")
    assert answer["headers"]["retry-after"] == answer["headers"]["x-ratelimit-reset"] == "1"
    assert len(stored(world)) == 25 * after
    world.recorder.before = None
    first = {(str(event.identity), event.message_id): event.received_at for event in stored(world)}
    answer = world.invoke("batch", asked)
    assert (answer["statusCode"], answer["body"]) == (200, '{"success":true}')
    events = {(str(event.identity), event.message_id): event.received_at for event in stored(world)}
    assert len(events) == 100
    assert first.items() <= events.items()
