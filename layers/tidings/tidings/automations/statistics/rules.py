"""What the counts of an automation come to: rules without any database.

Of each component it is told how many came to it (`entered`), how many of them acted there, by outcome, how many were
skipped, by reason, how many left while they were there, and how many are there now (`waiting`):

    entered = acted + skipped + left + waiting

Each passage counts: whoever comes by in a loop, or enrols again, counts again. Counts are exact, whatever is repeated.
Where waits follow on each other nothing is written for those who pass from one to the next; that follows from when the
waits end of those who are there, which an index tells that is a moment behind the counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidings.automations.components import Awaits, Decides, End, GoalReached, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.model import EnrolmentState
from tidings.automations.machines.graph import links, state_of
from tidings.automations.statistics.onward import behind, in_order, next_of, now_at, target_of
from tidings.automations.statistics.tallies import (
    BEGAN,
    CONVERTED,
    DID,
    ENDED,
    LEFT,
    PARKED,
    PAST,
    SKIPPED,
    TO,
    Place,
    parts_of,
)

Rows = Mapping[str, Mapping[str, int]]
"""What was counted of a version, by component."""

# Who leaves without an exit having been named: by hand, or because a version was ended.
UNNAMED = "ended"
_ENDS = (EnrolmentState.FAILED, EnrolmentState.STOPPED)


@dataclass(frozen=True)
class Standing:
    """Who came to a state last and is inside: where those are by now whose first wait is over, and how many wait yet.

    None where they are too many to be counted one by one.
    """

    past: Counter[Place] | None = None
    ahead: int | None = None


@dataclass
class Numbers:
    """What is told of a component."""

    entered: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    passed: int = 0
    left: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    converted: Counter[str] = field(default_factory=Counter)
    is_exact: bool = True

    @property
    def gone(self) -> int:
        """How many left while they were there."""
        return self.left.total() + self.exits.total()

    def add(self, other: Numbers) -> None:
        """Count what is told of the component in another version too."""
        self.entered += other.entered
        self.passed += other.passed
        self.waiting += other.waiting
        self.is_exact &= other.is_exact
        for mine, theirs in ((self.outcomes, other.outcomes), (self.left, other.left), (self.exits, other.exits)):
            mine.update(theirs)
        self.converted.update(other.converted)
        for outcome, reasons in other.reasons.items():
            self.reasons[outcome].update(reasons)

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        skipped = self.outcomes[SKIPPED]
        return {
            "entered": self.entered,
            "acted": self.outcomes.total() - skipped + self.passed,
            "skipped": skipped,
            "left": self.gone,
            "waiting": self.waiting,
            "waiting_is_exact": self.is_exact,
            "outcomes": dict(sorted(self.outcomes.items())),
            "reasons": {outcome: dict(sorted(why.items())) for outcome, why in sorted(self.reasons.items())},
            "left_by": dict(sorted(self.left.items())),
            "exits": dict(sorted(self.exits.items())),
        }


@dataclass(frozen=True)
class Basin:
    """A component that acts, or the end (""), with the waits that lead to it and nowhere else, the first ones first."""

    component: str
    waits: tuple[str, ...]


def basins(definition: Definition) -> list[Basin]:
    """Each component that acts, and the end, with its waits."""
    waits: dict[str, list[str]] = defaultdict(list)
    for name, component in definition.components.items():
        if isinstance(component, Wait):
            waits[behind(definition, name)].append(name)
    acting = [name for name, component in definition.components.items() if component.acts]
    return [Basin(one, tuple(in_order(definition, waits[one]))) for one in [*acting, ""]]


def heads_to_ask(definition: Definition, rows: Rows) -> list[str]:
    """The states of which is to be asked who stands there: those to which people came whose next waits are several."""
    came = _came(rows)
    asked: list[str] = []
    for basin in basins(definition):
        if basin.waits and _there(basin, rows) > 0:
            asked += [one for one in (*basin.waits, basin.component) if one and came[one]]
    return asked


def numbers(definition: Definition, rows: Rows, standing: Mapping[str, Standing]) -> dict[str, Numbers]:
    """What is told of each component of a version, in the order of its file."""
    found = {name: Numbers() for name in definition.components}
    came = _came(rows)
    for name, counts in rows.items():
        if name in found:
            _count(found[name], counts)
    _count_past(definition, rows, found)
    for basin in basins(definition):
        _fill(definition, basin, rows, standing, found)
    for basin in basins(definition):
        for name in (*basin.waits, basin.component):
            if name:
                found[name].entered += came[name]
        _pass_on(definition, basin, rows, found)
    _count_ends(definition, found)
    return found


def totals(rows: Rows) -> dict[str, Any]:
    """What is told of a version as a whole."""
    began, finished, converted = 0, 0, 0
    left: Counter[str] = Counter()
    exits: Counter[str] = Counter()
    for counts in rows.values():
        began, finished = began + counts.get(BEGAN, 0), finished + counts.get(ENDED, 0)
        converted += counts.get(CONVERTED, 0)
        for _, state, name, number in _ends_in(counts):
            if state == EnrolmentState.COMPLETED:
                finished += number
            elif state == EnrolmentState.EXITED:
                exits[name] += number
            else:
                left[state] += number
    gone = finished + exits.total() + left.total()
    return {
        "started": began,
        "inside": began - gone,
        "finished": finished,
        "exited": exits.total(),
        "exits": dict(sorted((+exits).items())),
        **{state.value: left[state] for state in _ENDS},
        "converted": converted,
        "conversion_rate": rate(converted, began),
    }


def by_state(rows: Rows) -> dict[EnrolmentState, int]:
    """How many are inside a version, for each state of `INSIDE`."""
    told, parked = totals(rows), rows.get("", {}).get(PARKED, 0)
    found = {
        EnrolmentState.LIVE: told["inside"] - parked,
        EnrolmentState.PARKED: parked,
        EnrolmentState.FAILED: told["failed"],
    }
    # Rows are not read in one stroke: somebody may begin behind the reading, and end before it.
    return {state: max(0, number) for state, number in found.items()}


def together(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Totals of several versions as one."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, dict):
                found[name] = dict(Counter(found.get(name, {})) + Counter(value))
            else:
                found[name] = found.get(name, 0) + (value or 0)
    return {**totals({}), **found, "conversion_rate": rate(found.get("converted", 0), found.get("started", 0))}


def arms(definition: Definition, found: Mapping[str, Numbers]) -> list[dict[str, Any]]:
    """How many of those who took each arm of what decides reached the goal, counted once each."""
    return [
        {
            "component": name,
            "arm": arm,
            "took": found[name].outcomes[arm],
            "converted": found[name].converted[arm],
            "conversion_rate": rate(found[name].converted[arm], found[name].outcomes[arm]),
        }
        for name, component in definition.components.items()
        if decides(definition, name)
        for arm in links(component)
    ]


def goals(definition: Definition, found: Mapping[str, Numbers]) -> dict[str, int]:
    """How often people came to each component that is a goal."""
    return {
        name: found[name].outcomes.total()
        for name, component in definition.components.items()
        if isinstance(component, GoalReached)
    }


def decides(definition: Definition, name: str) -> bool:
    """Whether a component sends people different ways, by whose names conversions are counted too."""
    component = definition.components.get(name)
    return isinstance(component, Decides | Awaits) and len(links(component)) > 1


def rate(part: int, whole: int) -> float | None:
    """A part of a whole, in thousandths rounded; None of nothing."""
    return round(part / whole, 3) if whole else None


# --- how it is derived ------------------------------------------------------------------------------------------------


def _came(rows: Rows) -> Counter[str]:
    """How many came to each state from a component that acts, or began there."""
    came: Counter[str] = Counter()
    for name, counts in rows.items():
        came[name] += counts.get(BEGAN, 0)
        for count, number in counts.items():
            kind, *said = parts_of(count)
            if kind == TO:
                came[said[0]] += number
    return came


def _count(found: Numbers, counts: Mapping[str, int]) -> None:
    for count, number in counts.items():
        kind, *said = parts_of(count)
        if kind == DID:
            found.outcomes[said[0]] += number
            if len(said) > 1:
                found.reasons[said[0]][said[1]] += number
        elif kind == CONVERTED and said:
            found.converted[said[0]] += number
        elif kind == LEFT and number:
            _leave(found, said, number)


def _leave(found: Numbers, said: list[str], number: int) -> None:
    if said[0] == EnrolmentState.COMPLETED:  # behind the wait that was the last
        return
    if said[0] == EnrolmentState.EXITED:
        found.exits[said[1] if len(said) > 1 else UNNAMED] += number
    else:
        found.left[said[0]] += number


def _count_past(definition: Definition, rows: Rows, found: Mapping[str, Numbers]) -> None:
    """Who left behind a wait that was over was on the way to what follows: there they count, or nowhere at the end."""
    for name, counts in rows.items():
        for count, number in counts.items():
            kind, *said = parts_of(count)
            if kind == PAST and number and name in found:
                there = next_of(definition, name) if isinstance(definition.components[name], Wait) else name
                if there:
                    _leave(found[there], said, number)


def _ends_in(counts: Mapping[str, int]) -> Iterable[tuple[str, str, str, int]]:
    for count, number in counts.items():
        kind, *said = parts_of(count)
        if kind in (LEFT, PAST):
            yield kind, said[0], said[1] if len(said) > 1 else UNNAMED, number


def _there(basin: Basin, rows: Rows) -> int:
    """How many are at a component or in the waits before it."""
    came = _came(rows)
    there = 0
    for name in (*basin.waits, basin.component):
        if name:
            counts = rows.get(name, {})
            there += came[name] - sum(number for *_, number in _ends_in(counts))
            there -= sum(number for count, number in counts.items() if parts_of(count)[0] == DID)
    return there


def _fill(
    definition: Definition,
    basin: Basin,
    rows: Rows,
    standing: Mapping[str, Standing],
    found: Mapping[str, Numbers],
) -> None:
    """Say who waits where: of those whose first wait lasts, the largest number follows from all others."""
    there, came = _there(basin, rows), _came(rows)
    if not basin.waits or there <= 0:
        if basin.component:
            found[basin.component].waiting = max(0, there)
        return
    heads = [one for one in (*basin.waits, basin.component) if one and came[one]]
    counted, unknown, is_exact = _counted(definition, heads, standing)
    counted[max(unknown or heads, key=lambda head: came[head])] += there - counted.total()
    for name in (*basin.waits, basin.component):
        if name:
            found[name].waiting = max(0, counted[name])
            found[name].is_exact = is_exact


def _counted(
    definition: Definition, heads: Iterable[str], standing: Mapping[str, Standing]
) -> tuple[Counter[str], list[str], bool]:
    """Who waits where as far as it was counted, the states of which it is not known, and whether all else is."""
    counted: Counter[str] = Counter()
    unknown: list[str] = []
    is_exact = True
    for head in heads:
        known = standing.get(head, Standing())
        is_exact &= known.past is not None
        for place, number in (known.past or {}).items():
            counted[now_at(definition, place)] += number
        if known.ahead is None:
            unknown.append(head)
        else:
            counted[head] += known.ahead
    return counted, unknown, is_exact and len(unknown) <= 1


def _pass_on(definition: Definition, basin: Basin, rows: Rows, found: Mapping[str, Numbers]) -> None:
    for name in basin.waits:
        component, one = definition.components[name], found[name]
        one.passed = one.entered - one.waiting - one.gone
        following = state_of(definition, component.next or "") if isinstance(component, Wait) else ""
        if not following:
            continue
        found[following].entered += one.passed
        if isinstance(definition.components[following], Wait):  # whoever did not get there found its date to be past
            found[following].entered -= sum(n for kind, *_, n in _ends_in(rows.get(name, {})) if kind == PAST)


def _count_ends(definition: Definition, found: Mapping[str, Numbers]) -> None:
    """Nothing is recorded at an end: those came to it who took an outcome that leads there."""
    for name, component in definition.components.items():
        for outcome, number in found[name].outcomes.items():
            target = target_of(component, outcome)
            if isinstance(definition.components.get(target), End):
                found[target].entered += number
        if isinstance(component, Wait) and isinstance(definition.components.get(component.next or ""), End):
            found[component.next or ""].entered += found[name].passed
    for name, component in definition.components.items():
        if isinstance(component, End):
            found[name].passed = found[name].entered
