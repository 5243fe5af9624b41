"""What the recorder counts for real calls: units by the items around a call."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.world import World

KB = 1024


@pytest.fixture
def priced(world: World) -> World:
    world.recorder.priced = True
    return world


def event(sk: str, size: int = 100, **more: str) -> dict[str, Any]:
    attributes = {"pk": "acme#user#ada", "sk": sk, "received_at": "2026", "body": "x" * size, **more}
    return {name: {"S": value} for name, value in attributes.items()}


def key(sk: str) -> dict[str, Any]:
    return {"pk": {"S": "acme#user#ada"}, "sk": {"S": sk}}


def put(world: World, item: dict[str, Any], **more: Any) -> None:
    world.dynamodb.put_item(TableName="Events", Item=item, **more)


def units(world: World) -> tuple[float, float]:
    """Write and read units of the last call."""
    call = world.recorder.calls[-1]
    return call.write_units, call.read_units


def test_a_put_counts_its_index(priced: World) -> None:
    put(priced, event("a"))
    assert units(priced) == (2, 0)


def test_a_refused_put_counts_what_is_there_and_no_index(priced: World) -> None:
    put(priced, event("a", size=2 * KB))
    with pytest.raises(ClientError):
        put(priced, event("a"), ConditionExpression="attribute_not_exists(pk)")
    assert units(priced) == (3, 0)
    assert priced.recorder.write_units == 6 + 3


def test_an_update_counts_the_whole_item_before_and_after(priced: World) -> None:
    put(priced, event("a", size=2 * KB))
    priced.dynamodb.update_item(
        TableName="Events",
        Key=key("a"),
        UpdateExpression="SET body = :b REMOVE received_at",
        ExpressionAttributeValues={":b": {"S": ""}},
    )
    assert units(priced) == (3 + 3, 0)  # the index loses the item as it was


def test_a_deletion_counts_what_goes(priced: World) -> None:
    put(priced, event("a", size=2 * KB))
    priced.dynamodb.delete_item(TableName="Events", Key=key("a"))
    assert units(priced) == (3 + 3, 0)
    priced.dynamodb.delete_item(TableName="Events", Key=key("a"))
    assert units(priced) == (1, 0)


def transact(world: World, *entries: dict[str, Any]) -> None:
    world.dynamodb.transact_write_items(TransactItems=list(entries))


def test_a_transaction_counts_twice_also_what_it_only_checks(priced: World) -> None:
    put(priced, event("a", size=2 * KB))
    check = {"TableName": "Events", "Key": key("a"), "ConditionExpression": "attribute_exists(pk)"}
    transact(priced, {"ConditionCheck": check}, {"Put": {"TableName": "Events", "Item": event("b")}})
    assert units(priced) == (2 * 3 + 2 * 1 + 1, 0)


def test_a_transaction_that_is_refused_counts_every_part(priced: World) -> None:
    check = {"TableName": "Events", "Key": key("a"), "ConditionExpression": "attribute_exists(pk)"}
    with pytest.raises(ClientError):
        transact(priced, {"ConditionCheck": check}, {"Put": {"TableName": "Events", "Item": event("b", size=KB)}})
    assert units(priced) == (2 * 1 + 2 * 2, 0)


def test_reads_count_by_item_in_a_batch_and_together_in_a_query(priced: World) -> None:
    for sk in "abc":
        put(priced, event(sk, size=1500))
    keys = [key(sk) for sk in ("a", "b", "missing")]
    priced.dynamodb.batch_get_item(RequestItems={"Events": {"Keys": keys, "ConsistentRead": True}})
    assert units(priced) == (0, 3)
    priced.dynamodb.batch_get_item(RequestItems={"Events": {"Keys": keys}})
    assert units(priced) == (0, 1.5)
    priced.dynamodb.get_item(TableName="Events", Key=key("a"))
    assert units(priced) == (0, 0.5)
    query(priced)
    assert units(priced) == (0, 2)


def query(world: World, **more: Any) -> None:
    values = {":p": {"S": "acme#user#ada"}, **more.pop("values", {})}
    world.dynamodb.query(
        TableName="Events",
        ConsistentRead=True,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues=values,
        **more,
    )


def test_a_query_counts_what_its_filter_leaves_out(priced: World) -> None:
    for sk in "abc":
        put(priced, event(sk, size=1500, name="x"))
    query(
        priced,
        FilterExpression="#n = :n",
        ExpressionAttributeNames={"#n": "name"},
        values={":n": {"S": "other"}},
    )
    assert units(priced) == (0, 2)


def test_units_are_not_guessed_at(world: World) -> None:
    with pytest.raises(AssertionError, match="priced"):
        assert world.recorder.write_units
