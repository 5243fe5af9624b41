"""What DynamoDB bills for a call: write and read request units, from the items' sizes and the tables' indexes.

The rules are AWS's: "DynamoDB read and write operations", "Item sizes and formats" and "Write capacity units" of local
and global secondary indexes, all in https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/. What those pages
leave open was measured against DynamoDB by https://github.com/nubo-db/dynoxide (issue 176, pull request 188): that an
index is charged for the change to what it stores, that the factor of transactions holds for the table and not for its
indexes, and what a number's sign and halves count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]
Item = Mapping[str, Value]

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
TRANSACTION_FACTOR = 2


@dataclass(frozen=True)
class Index:
    """A local or global index: its key, and the attributes it stores (None for all)."""

    key: tuple[str, ...]
    stores: frozenset[str] | None = None

    def entry(self, item: Item | None) -> Item | None:
        """What the index stores of an item; None if the item lacks part of the key and so stays out."""
        if item is None or not all(name in item for name in self.key):
            return None
        return item if self.stores is None else {name: item[name] for name in item if name in self.stores}


@dataclass(frozen=True)
class Table:
    """What a table's units depend on."""

    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> Table:
        """The table that `create_table` makes of these arguments."""
        key = _names(definition)
        indexes = [*definition.get("LocalSecondaryIndexes", ()), *definition.get("GlobalSecondaryIndexes", ())]
        return cls(key, tuple(_index(index, key) for index in indexes))

    def key_of(self, item: Item) -> dict[str, Any]:
        """An item's key."""
        return {name: item[name] for name in self.key}


def _names(definition: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(part["AttributeName"] for part in definition["KeySchema"])


def _index(definition: Mapping[str, Any], table_key: tuple[str, ...]) -> Index:
    key, projection = _names(definition), definition["Projection"]
    if projection["ProjectionType"] == "ALL":
        return Index(key)
    return Index(key, frozenset({*key, *table_key, *projection.get("NonKeyAttributes", ())}))


# --- sizes ------------------------------------------------------------------------------------------------------------


def item_bytes(item: Item) -> int:
    """An item's size: names and text in UTF-8, and what `value_bytes` says of each value."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Value) -> int:
    """A value's size in bytes: 3 for a list or map and 1 for each thing in it, 1 for a boolean or null."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _number_bytes(content)
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_bytes(part) for name, part in content.items())
    if kind == "L":
        return 3 + sum(1 + value_bytes(part) for part in content)
    if kind in ("SS", "NS", "BS"):
        return sum(value_bytes({kind[0]: part}) for part in content)
    return len(content)


def _number_bytes(text: str) -> int:
    """One byte, one for a minus sign, and one for each two significant digits before and after the point."""
    whole, _, fraction = format(abs(Decimal(text)), "f").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    # Zeros next to the point count only between digits.
    whole, fraction = whole if fraction else whole.rstrip("0"), fraction if whole else fraction.lstrip("0")
    return 1 + math.ceil(len(whole) / 2) + math.ceil(len(fraction) / 2) + (Decimal(text) < 0)


# --- writes -----------------------------------------------------------------------------------------------------------


def write_units(table: Table, before: Item | None, after: Item | None, in_transaction: bool = False) -> int:
    """A write that turned one item into another: None where there is none.

    The larger of the two counts for the table; each index counts by what changes in it. In a transaction the table
    counts twice, its indexes once; an item that is only checked counts as if it were written.
    """
    factor = TRANSACTION_FACTOR if in_transaction else 1
    return factor * _image_units(before, after) + sum(_entry_units(index, before, after) for index in table.indexes)


def refused_units(before: Item | None, wanted: Item | None) -> int:
    """A conditional write that was refused: the larger of what is there and what was to be; no index changes."""
    return _image_units(before, wanted)


def _image_units(before: Item | None, after: Item | None) -> int:
    return max(_units(before), _units(after), 1)


def _entry_units(index: Index, before: Item | None, after: Item | None) -> int:
    old, new = index.entry(before), index.entry(after)
    if old == new:
        return 0
    if old is not None and new is not None and any(old[name] != new[name] for name in index.key):
        return _units(old) + _units(new)  # taken out at one place and put in at another
    return max(_units(old), _units(new))


def _units(item: Item | None) -> int:
    return 0 if item is None else max(1, math.ceil(item_bytes(item) / WRITE_UNIT_BYTES))


# --- reads ------------------------------------------------------------------------------------------------------------


def get_units(item: Item | None, consistent: bool) -> float:
    """One item read by its key, alone or in a batch; what is not there costs as much as something small."""
    return _read(0 if item is None else item_bytes(item), consistent)


def query_units(items: Iterable[Item], consistent: bool) -> float:
    """A query or scan: the items that it went through, before any filter, counted together."""
    return _read(sum(item_bytes(item) for item in items), consistent)


def _read(size: int, consistent: bool) -> float:
    return max(1, math.ceil(size / READ_UNIT_BYTES)) * (1 if consistent else 0.5)
