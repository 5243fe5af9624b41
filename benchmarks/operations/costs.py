"""What one step costs in AWS calls and units of DynamoDB, and the list of operations whose step is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws
from tests.support import fast
from tests.support.recorder import Recorder
from tests.support.world import REGION, World

Step = Callable[[], Any]
Preparation = Callable[[World], Step]


@dataclass(frozen=True)
class Cost:
    """What one step cost: its AWS calls by name, and DynamoDB's units."""

    calls: dict[str, int]
    write_units: float
    read_units: float

    @property
    def all_calls(self) -> int:
        """How many calls there were."""
        return sum(self.calls.values())

    def as_dict(self) -> dict[str, Any]:
        """The cost for a JSON file."""
        return {"calls": self.calls, "write_units": self.write_units, "read_units": self.read_units}


@dataclass(frozen=True)
class Operation:
    """One row: its group and name, and what prepares it."""

    group: str
    name: str
    prepare: Preparation


# The groups in the order in which they are shown.
GROUPS = (
    "ingest", "forms", "react", "entering", "waiting", "leaving", "dates", "deciding", "acting", "automations",
    "statistics", "jobs",
    "API", "feedback", "inbound", "settling",
)  # fmt: skip
_NAMED: list[Operation] = []


def operation(group: str, name: str) -> Callable[[Preparation], Preparation]:
    """Name a preparation as an operation of a group."""

    def add(prepare: Preparation) -> Preparation:
        _NAMED.append(Operation(group, name, prepare))
        return prepare

    return add


def operations() -> list[Operation]:
    """Everything that was named so far, by groups."""
    return sorted(_NAMED, key=lambda one: GROUPS.index(one.group))


@contextmanager
def worlds() -> Iterator[Callable[[], Any]]:
    """A maker of fresh worlds, each a context of its own."""

    @contextmanager
    def fresh() -> Iterator[World]:
        recorder = Recorder()
        with pytest.MonkeyPatch.context() as patch, mock_aws(), recorder.listening():
            yield World(recorder, patch)

    with pytest.MonkeyPatch.context() as patch, fast.sharing():
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.setenv(name, REGION)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        yield fresh


def cost_of(world: World, prepare: Preparation) -> Cost:
    """Prepare a step, take it, and count what it called."""
    return counted(world, prepare(world))


def counted(world: World, step: Step) -> Cost:
    """What a step calls."""
    recorder = world.recorder
    recorder.clear()
    recorder.priced = True
    step()
    recorder.priced = False
    names = Counter(call.name for call in recorder.calls)
    units = [(call.write_units, call.read_units) for call in recorder.calls]
    return Cost(dict(names), sum(write for write, _ in units), sum(read for _, read in units))
