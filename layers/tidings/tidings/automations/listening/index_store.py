"""Where the index of a workspace's automations is kept: in pieces beside them, all of which one query reads.

A workspace begins with one piece. One that outgrows `PIECE_BYTES` is split in two by the automations' names, in the
transaction that made it too large, and stays as a mark that it was split. So publishing writes one piece however many
there are, and DynamoDB's limit of 400 KB for an item is never met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pynamodb.attributes import BinaryAttribute, NumberAttribute
from pynamodb.expressions.condition import Condition

from tidings.automations.automation_store import Automation, DynamoAutomationStore
from tidings.automations.listening.index import Line, line_of, pack, path_of, unpack
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Database, Item, Key, Part, faults, put

PREFIX = "index#"
PIECE_BYTES = 64 * 1024
DEPTH = 12
TRIES = 6


class IndexItem(Item):
    number = NumberAttribute()
    packed = BinaryAttribute(null=True, legacy_encoding=False)  # none where the piece was split


@dataclass(frozen=True, slots=True)
class Packed:
    """A piece as it is stored; `path` and `number` tell whether it is one that is known."""

    path: str
    number: int
    packed: bytes


class DynamoIndexStore:
    """The index in DynamoDB, changed in the transactions that change automations."""

    def __init__(self, database: Database, automations: DynamoAutomationStore) -> None:
        self._database = database
        self._automations = automations
        self._items = database.table(IndexItem, "automations")

    def pieces(self, workspace: str) -> list[Packed] | None:
        """All pieces, read consistently: one query for each megabyte. None where there is no index yet."""
        found = []
        with faults():
            for item in self._items.query(workspace, self._items.sk.startswith(PREFIX), consistent_read=True):
                found.append(item)
        if not found:
            return None
        return [Packed(item.sk, int(item.number), item.packed) for item in found if item.packed is not None]

    def rebuilt(self, workspace: str) -> dict[str, Line]:
        """What an index would say that was never written: one query for each megabyte of live automations."""
        return {live.name: line_of(live, None) for live in self._automations.all_live(workspace)}

    def write(
        self,
        workspace: str,
        before: Automation | None,
        after: Automation | None,
        change: Callable[[Sequence[Part]], None],
    ) -> None:
        """Make a change of an automation together with that of the index, again if another automation's came between.

        `change` writes the parts it is given together with its own. Raises what it raises; Unavailable if others kept
        changing the index.
        """
        for _ in range(TRIES):
            try:
                change(self.parts(workspace, before, after))
            except ConditionFailed as error:
                if error.labels != {"index"}:
                    raise
            else:
                return
        raise Unavailable("index_contended", "Too many automations are being published at once.")

    def parts(self, workspace: str, before: Automation | None, after: Automation | None) -> list[Part]:
        """What a change of an automation changes in the index, labelled `index`: one batched read.

        `before` is the live automation until then, if there was one, and `after` from then on; with none it is taken
        out. The transaction is refused if the piece was changed since it was read. Where there is no index yet, all
        live automations are read and it is made.
        """
        one = after or before
        if one is None:
            return []
        path, item = self._leaf(workspace, path_of(one.name))
        if item is None:
            lines, number = self.rebuilt(workspace), 0
            condition: Condition = self._items.pk.does_not_exist()
        else:
            lines, number = _lines_of(item), int(item.number)
            condition = self._items.number == number
        known = lines.pop(one.name, None)
        if after is not None:
            lines[after.name] = line_of(after, known or (line_of(before, None) if before else None))
        return list(self._written(workspace, path, number + 1, lines, condition))

    def _leaf(self, workspace: str, path: str) -> tuple[str, IndexItem | None]:
        """The piece that an automation stands in, or would."""
        keys = [Key(self._items, workspace, f"{PREFIX}{path[:bits]}") for bits in range(DEPTH + 1)]
        found = self._database.batch_get(keys)
        for bits, key in enumerate(keys):
            item = found.get(key)
            if item is None or item.packed is not None:
                return path[:bits], item
        raise AssertionError("a piece at the greatest depth is never split")

    def _written(
        self, workspace: str, path: str, number: int, lines: Mapping[str, Line], condition: Condition
    ) -> Iterator[Part]:
        packed = pack(lines)
        splits = len(packed) > PIECE_BYTES and len(lines) > 1 and len(path) < DEPTH
        item = self._items(workspace, f"{PREFIX}{path}", number=number, packed=None if splits else packed)
        yield put("index", item, condition)
        for bit in "01" if splits else "":
            below = {name: line for name, line in lines.items() if path_of(name)[len(path)] == bit}
            yield from self._written(workspace, path + bit, 1, below, self._items.pk.does_not_exist())


def _lines_of(item: IndexItem) -> dict[str, Line]:
    return unpack(item.pk, int(item.number), item.packed or b"").all_lines()
