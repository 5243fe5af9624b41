"""The index of a workspace's automations: what has to be known of each to tell whether an event concerns it.

An automation is one line of JSON, beside a table of the names of events and the lines that they concern. All of it is
packed into a few pieces. A piece is unpacked as a whole, but a line is read, and the conditions in it are parsed, only
when an event of its name comes: so an event costs by how many automations listen to it, not by how many there are.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from pydantic import TypeAdapter

from tidings.automations.definition.triggers import AnyReentry, AnyTrigger, DateTrigger, TraitDate
from tidings.automations.entering.entries import basis_of
from tidings.automations.lifecycle.standing import AutomationState
from tidings.core.clock import from_text, to_text

# What an event can mean to an automation: it enrols, somebody waits for it, leaves by it, or succeeds by it. The last
# three in any version that was ever published, since people finish on theirs.
ENROLS, AWAITS, LETS_OUT, GOALS = "enrols", "awaits", "lets_out", "goals"
BY_EVENT = (ENROLS, AWAITS, LETS_OUT, GOALS)
# Stands among the events that let people out for "whatever happens".
ANYTHING = ""
# Which lines ask for the events of whoever is merged, and which have a date.
MERGES, DATES = "merges", "dates"

Line = Mapping[str, Any]


@lru_cache(maxsize=1)
def _triggers() -> TypeAdapter[AnyTrigger]:
    return TypeAdapter(AnyTrigger)


@lru_cache(maxsize=1)
def _reentries() -> TypeAdapter[AnyReentry]:
    return TypeAdapter(AnyReentry)


@dataclass(frozen=True)
class Listener:
    """An automation as the index knows it: the live version, and by which events people leave or wait in any."""

    workspace: str
    line: Line

    @property
    def name(self) -> str:
        """The automation's name."""
        return str(self.line["name"])

    @property
    def version(self) -> int:
        """The live version."""
        return int(self.line["version"])

    @property
    def machine(self) -> str:
        """The ARN of the live version's machine."""
        return str(self.line["machine"])

    @property
    def published_at(self) -> datetime:
        """When the live version was published."""
        return from_text(self.line["at"])

    @property
    def first_published_at(self) -> datetime | None:
        """When the first version was published, if that was written down."""
        return from_text(self.line["first"]) if "first" in self.line else None

    @property
    def state(self) -> AutomationState:
        """Where the automation stands."""
        return AutomationState(self.line.get("state", AutomationState.LIVE))

    @cached_property
    def trigger(self) -> AnyTrigger:
        """What enrols people."""
        return _triggers().validate_python(self.line["trigger"])

    @cached_property
    def reentry(self) -> AnyReentry:
        """How often one contact may enter."""
        return _reentries().validate_python(self.line["reentry"])

    @property
    def alike_since(self) -> int:
        """The first of the versions, this one last, whose re-entry goes by the same entries (`entries.basis_of`)."""
        return int(self.line.get("alike", 1))

    @property
    def date(self) -> TraitDate | None:
        """The date that enrols people, if that is what does."""
        return self.trigger.date if isinstance(self.trigger, DateTrigger) else None


@dataclass(frozen=True)
class Piece:
    """A piece of an index, unpacked: `table` says which lines an event concerns. `number` grows with every change."""

    workspace: str
    number: int
    table: Mapping[str, Any]
    lines: Sequence[bytes]

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return sum(map(len, self.lines)) * 2

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.table["names"])}

    @cached_property
    def _read(self) -> dict[int, Listener]:
        return {}

    def by_event(self, role: str, event: str) -> list[Listener]:
        """The automations to which an event of this name has a meaning, of `BY_EVENT`."""
        return [self._at(place) for place in self.table[role].get(event, ())]

    def names_by_event(self, role: str, event: str) -> list[str]:
        """Their names: no line is read."""
        return [self.table["names"][place] for place in self.table[role].get(event, ())]

    def events(self, role: str) -> Iterator[str]:
        """The names of the events that have this meaning to any automation."""
        return iter(self.table[role])

    def of_kind(self, kind: str) -> list[Listener]:
        """The automations that ask for events of the merged (`MERGES`), or have a date (`DATES`)."""
        return [self._at(place) for place in self.table[kind]]

    def named(self, name: str) -> Listener | None:
        """The automation of this name, if it is in this piece."""
        place = self._places.get(name)
        return None if place is None else self._at(place)

    def all_lines(self) -> dict[str, Line]:
        """Every line by the automation's name, all of them read."""
        return {name: json.loads(line) for name, line in zip(self.table["names"], self.lines, strict=True)}

    def _at(self, place: int) -> Listener:
        if place not in self._read:
            self._read[place] = Listener(self.workspace, json.loads(self.lines[place]))
        return self._read[place]


def pack(lines: Mapping[str, Line]) -> bytes:
    """Lines as they are stored: the table first; always the same bytes for the same lines."""
    names = sorted(lines)
    table: dict[str, Any] = {role: defaultdict(list) for role in BY_EVENT} | {MERGES: [], DATES: []}
    for place, name in enumerate(names):
        for role, event in _meanings(lines[name]):
            table[role][event].append(place)
        for kind in (MERGES, DATES):
            if lines[name].get(kind):
                table[kind].append(place)
    rows = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in _rows(names, table, lines)]
    return zlib.compress("\n".join(rows).encode(), 6)


def unpack(workspace: str, number: int, packed: bytes) -> Piece:
    """The piece that was packed."""
    table, *lines = zlib.decompress(packed).split(b"\n")
    return Piece(workspace, number, json.loads(table), lines)


def path_of(name: str) -> str:
    """Where an automation stands among the pieces: bits, of which the first choose its piece; evenly spread."""
    return f"{int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], 'big'):032b}"


def line_of(live: Any, before: Line | None) -> Line:
    """What the index says of a live automation (`automation_store.Automation`); `before` is what it said until now.

    By which events people succeed in earlier versions, and when the first was published, stands nowhere else.
    """
    definition, known = live.definition, before or {}
    trigger = definition.trigger
    written = definition.model_dump(
        mode="json", by_alias=True, exclude_unset=True, exclude_none=True, include={"trigger"}
    )["trigger"]
    goals = {definition.goal.event} if definition.goal else set()
    first = to_text(live.created_at) if live.version == 1 else known.get("first")
    told = {
        "name": live.name,
        "version": live.version,
        "machine": live.machine,
        "at": to_text(live.created_at),
        "first": first,
        "state": None if live.state is AutomationState.LIVE else live.state.value,
        "trigger": written,
        "reentry": definition.as_dict().get("reentry", "every_time"),
        "alike": _alike(live, before),
        ENROLS: [] if trigger.addressed else list(trigger.events),
        AWAITS: sorted(live.awaits),
        LETS_OUT: sorted(live.lets_out),
        GOALS: sorted(goals | set(known.get(GOALS, ()))),
        MERGES: trigger.takes_merged,
        DATES: isinstance(trigger, DateTrigger),
    }
    return {key: value for key, value in told.items() if value}


def _alike(live: Any, before: Line | None) -> int:
    if before is None:
        return int(live.version)
    same = basis_of(live.definition.reentry) == basis_of(_reentries().validate_python(before["reentry"]))
    return int(before.get("alike", 1) if same else live.version)


def _meanings(line: Line) -> Iterator[tuple[str, str]]:
    for role in BY_EVENT:
        for event in line.get(role, ()):
            yield role, event
    if line.get(LETS_OUT):
        yield LETS_OUT, ANYTHING


def _rows(names: Sequence[str], table: Mapping[str, Any], lines: Mapping[str, Line]) -> Iterator[Any]:
    yield {"names": names, **table}
    for name in names:
        yield lines[name]
