"""Which way leads where: what stands before and behind a component, as far as only waits lie between."""

from __future__ import annotations

from collections.abc import Iterable

from tidings.automations.components import Component, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.machines.graph import links, state_of
from tidings.automations.statistics.tallies import SKIPPED, Place

BEGUN = ""  # in place of a component: whoever began at a wait came from none


def sources(definition: Definition, component: str) -> list[str]:
    """From where people come to a component: from such as act, and `BEGUN` if the automation begins with its waits."""
    wanted = set(heads_of(definition, component))
    found = [BEGUN] if definition.start in wanted else []
    for name, other in definition.components.items():
        if other.acts and wanted & set(links(other).values()):
            found.append(name)
    return found


def heads_of(definition: Definition, component: str) -> list[str]:
    """The components from which only waits lead to a component, itself included."""
    found = [component]
    for one in found:
        found += [name for name in leading_to(definition, one) if name not in found]
    return found


def leading_to(definition: Definition, component: str) -> list[str]:
    """The waits right behind which a component comes."""
    waits = ((name, one) for name, one in definition.components.items() if isinstance(one, Wait))
    return [name for name, wait in waits if wait.next == component]


def target_of(component: Component, outcome: str) -> str:
    """The component that an outcome leads to; empty for none. A message that was refused goes on as a skipped one."""
    ways = links(component)
    return ways.get(outcome, ways.get(SKIPPED, ""))


def now_at(definition: Definition, place: Place) -> str:
    """The component at which somebody is who is at a place; empty for the end."""
    if not place.is_past or not isinstance(definition.components.get(place.component), Wait):
        return place.component
    return next_of(definition, place.component)


def next_of(definition: Definition, wait: str) -> str:
    """The component that acts right behind a wait; empty for an end, and for a wait whose date was past."""
    component = definition.components[wait]
    following = state_of(definition, component.next or "") if isinstance(component, Wait) else ""
    return "" if isinstance(definition.components.get(following), Wait) else following


def behind(definition: Definition, wait: str) -> str:
    """The component that acts behind a chain of waits; empty for the end."""
    reached, seen = wait, set()
    while isinstance(component := definition.components.get(reached), Wait) and reached not in seen:
        seen.add(reached)
        reached = component.next or ""
    return state_of(definition, reached)


def in_order(definition: Definition, waits: Iterable[str]) -> list[str]:
    """Waits so that each comes before the one behind it."""

    def steps(wait: str) -> int:
        count, reached = 0, wait
        while isinstance(component := definition.components.get(reached), Wait) and count <= len(definition.components):
            count, reached = count + 1, component.next or ""
        return count

    return sorted(waits, key=steps, reverse=True)
