"""What DynamoDB bills, by the rules and examples of its developer guide."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.units import (
    Index,
    Table,
    get_units,
    item_bytes,
    query_units,
    refused_units,
    value_bytes,
    write_units,
)

KB = 1024
PLAIN = Table(("pk",))
BY_DATE = Index(("pk", "date"))
INDEXED = Table(("pk",), (BY_DATE,))
NAMES_ONLY = Table(("pk",), (Index(("pk", "date"), frozenset({"pk", "date", "name"})),))


def item(size: int, **attributes: str) -> dict[str, Any]:
    """An item of exactly this many bytes: pk, the attributes, and filling."""
    named = {"pk": {"S": "p"}, **{name: {"S": value} for name, value in attributes.items()}, "f": {"S": ""}}
    named["f"] = {"S": "x" * (size - item_bytes(named))}
    assert item_bytes(named) == size
    return named


# --- item sizes (CapacityUnitCalculations.html, "DynamoDB item sizes and formats") ------------------------------------


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "zażółć"}, 10),
        ({"S": ""}, 0),
        ({"B": b"\x00\x01"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "42"}, 2),
        ({"N": "123"}, 3),
        ({"N": "100"}, 2),
        ({"N": "0.0000001"}, 2),
        ({"N": "1.05"}, 3),
        ({"N": "10.5"}, 3),
        ({"N": "1E+10"}, 2),
        ({"N": "-123"}, 4),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 1 + 2 + 1 + 2),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "123"]}, 5),
    ],
)
def test_a_value_s_size(value: dict[str, Any], size: int) -> None:
    assert value_bytes(value) == size


def test_an_item_s_size_is_that_of_its_names_and_values() -> None:
    assert item_bytes({"pk": {"S": "abc"}, "count": {"N": "12"}}) == 2 + 3 + 5 + 2


# --- writes (read-write-operations.html, "Capacity unit consumption for write operations") ----------------------------


@pytest.mark.parametrize(("size", "units"), [(20, 1), (KB, 1), (KB + 1, 2), (3 * KB + 500, 4)])
def test_a_new_item_counts_each_kilobyte_begun(size: int, units: int) -> None:
    assert write_units(PLAIN, None, item(size)) == units


@pytest.mark.parametrize(("before", "after"), [(100, 2500), (2500, 100)])
def test_a_change_counts_the_larger_of_before_and_after(before: int, after: int) -> None:
    assert write_units(PLAIN, item(before), item(after)) == 3


def test_a_deletion_counts_what_was_there_and_at_least_one() -> None:
    assert write_units(PLAIN, item(2500), None) == 3
    assert write_units(PLAIN, None, None) == 1


@pytest.mark.parametrize(
    ("there", "wanted", "units"), [(None, None, 1), (2500, None, 3), (2500, 100, 3), (100, 2500, 3)]
)
def test_a_refused_write_counts_the_larger_of_what_is_there_and_what_was_to_be(
    there: int | None, wanted: int | None, units: int
) -> None:
    assert refused_units(there and item(there), wanted and item(wanted)) == units


# --- indexes (LSI.html and GSI.html, "Write capacity units") ----------------------------------------------------------


def test_an_item_without_the_index_key_costs_the_index_nothing() -> None:
    assert write_units(INDEXED, None, item(100)) == 1
    assert write_units(INDEXED, item(100), item(200)) == 1


def test_an_item_that_enters_the_index_costs_one_write_more() -> None:
    assert write_units(INDEXED, None, item(100, date="1")) == 2
    assert write_units(INDEXED, item(100), item(100, date="1")) == 2
    assert write_units(INDEXED, None, item(1500, date="1")) == 4


def test_an_item_that_leaves_the_index_costs_one_write_more_by_its_size_before() -> None:
    assert write_units(INDEXED, item(1500, date="1"), item(100)) == 2 + 2
    assert write_units(INDEXED, item(100, date="1"), None) == 2


def test_an_item_that_moves_within_the_index_costs_two_writes_more() -> None:
    assert write_units(INDEXED, item(100, date="1"), item(100, date="2")) == 3
    assert write_units(INDEXED, item(1500, date="1"), item(100, date="2")) == 2 + 2 + 1


def test_a_change_of_what_the_index_stores_costs_one_write_more() -> None:
    assert write_units(INDEXED, item(100, date="1", name="a"), item(100, date="1", name="b")) == 2


def test_a_change_that_the_index_does_not_see_costs_it_nothing() -> None:
    assert write_units(NAMES_ONLY, item(100, date="1", name="a"), item(200, date="1", name="a")) == 1
    assert write_units(INDEXED, item(100, date="1"), item(100, date="1")) == 1


def test_a_small_index_of_a_large_item_counts_what_it_stores() -> None:
    assert write_units(NAMES_ONLY, None, item(3000, date="1", name="a")) == 3 + 1


# --- transactions (transaction-apis.html, "Capacity management for transactions") -------------------------------------


def test_a_transaction_counts_the_table_twice_and_its_indexes_once() -> None:
    assert write_units(PLAIN, None, item(1500), in_transaction=True) == 4
    assert write_units(INDEXED, None, item(100, date="1"), in_transaction=True) == 3


def test_a_check_in_a_transaction_counts_as_a_write_of_what_it_looked_at() -> None:
    assert write_units(INDEXED, item(1500, date="1"), item(1500, date="1"), in_transaction=True) == 4
    assert write_units(PLAIN, None, None, in_transaction=True) == 2


# --- reads (read-write-operations.html, "Capacity unit consumption for read operations") ------------------------------


@pytest.mark.parametrize(("size", "units"), [(100, 1), (3500, 1), (4 * KB, 1), (4 * KB + 1, 2), (10 * KB, 3)])
def test_an_item_read_counts_each_four_kilobytes_begun(size: int, units: int) -> None:
    assert get_units(item(size), consistent=True) == units
    assert get_units(item(size), consistent=False) == units / 2


def test_what_is_not_there_counts_like_something_small() -> None:
    assert get_units(None, consistent=True) == 1
    assert get_units(None, consistent=False) == 0.5
    assert query_units([], consistent=True) == 1
    assert query_units([], consistent=False) == 0.5


def test_a_batch_counts_each_item_by_itself_and_a_query_all_together() -> None:
    items = [item(1500), item(6500)]
    assert sum(get_units(one, consistent=True) for one in items) == 1 + 2
    assert query_units(items, consistent=True) == 2


# --- tables as the template has them ----------------------------------------------------------------------------------


def test_a_table_s_indexes_come_from_its_definition() -> None:
    table = Table.of(
        {
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "LocalSecondaryIndexes": [
                {
                    "KeySchema": [{"AttributeName": "pk"}, {"AttributeName": "date"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "GlobalSecondaryIndexes": [
                {
                    "KeySchema": [{"AttributeName": "kind"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]},
                },
                {"KeySchema": [{"AttributeName": "kind"}], "Projection": {"ProjectionType": "KEYS_ONLY"}},
            ],
        }
    )
    assert table == Table(
        ("pk", "sk"),
        (
            Index(("pk", "date")),
            Index(("kind",), frozenset({"pk", "sk", "kind", "name"})),
            Index(("kind",), frozenset({"pk", "sk", "kind"})),
        ),
    )
