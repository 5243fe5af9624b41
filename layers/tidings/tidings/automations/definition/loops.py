"""Ways through an automation that turn in a circle, or never come to an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidings.automations.components import Awaits, Component, Sends, UntilTime, UpdateContact, Wait
from tidings.automations.components.acts import StartAutomation
from tidings.automations.definition.model import Definition
from tidings.automations.definition.own_events import OF_SENDING
from tidings.automations.definition.problems import Problem
from tidings.automations.machines.graph import state_of, ways

UPDATED = "Contact Updated"


def through_trigger(definition: Definition) -> Iterator[Problem]:
    """What the automation itself does must not start it again at once, and so on without end."""
    if definition.reentry != "every_time":
        return
    for here in _at_the_start(definition):
        component = definition.components[here]
        again = _starts_again(definition, component)
        if again:
            message = (
                f'trigger: "{again}" comes of itself after "{here}", and starts the automation again without end; '
                "wait before it, or let people enter less often (reentry)"
            )
            yield Problem("loop_through_trigger", message, here, place="trigger")
            return


def _starts_again(definition: Definition, component: Component) -> str:
    """The event of the trigger that follows from a component by itself; empty if there is none."""
    events = set(definition.trigger.events)
    if isinstance(component, Sends):
        return min(events & OF_SENDING, default="")
    if isinstance(component, UpdateContact):
        return min(events & {UPDATED}, default="")
    if isinstance(component, StartAutomation) and component.automation == definition.automation:
        return min(events, default="")
    return ""


def _at_the_start(definition: Definition) -> Iterator[str]:
    """Components that somebody comes to before any wait that takes time for certain."""
    ahead, seen = [definition.start], set()
    while ahead:
        here = ahead.pop()
        component = definition.components.get(here)
        if here in seen or component is None:
            continue
        seen.add(here)
        yield here
        ahead.extend(at_once(component))


def at_once(component: Component) -> list[str]:
    """Where a component may lead without any time passing for certain, and without anybody doing anything."""
    if isinstance(component, Wait) and (component.length or isinstance(component.until, UntilTime)):
        return []
    if isinstance(component, Awaits):
        return [arm.next or "" for arm in component.awaited if arm.event in OF_SENDING]
    return [target for _, target in ways(component)]


def loops(definition: Definition) -> Iterator[Problem]:
    """A loop must pass a wait that takes time for certain, and something that acts."""
    for loop in _loops_among({name: at_once(component) for name, component in definition.components.items()}):
        message = (
            f"the loop {_way(loop)} has no wait `for` a length of time, so it could run without end at once; "
            "put one into it"
        )
        yield Problem("loop_without_wait", message, loop[0], place=f"components.{loop[0]}")
    waits = {name: wait for name, wait in definition.components.items() if isinstance(wait, Wait)}
    for loop in _loops_among({name: [wait.next or ""] for name, wait in waits.items()}):
        message = f"the loop {_way(loop)} only waits and never ends; lead out of it, or let it do something"
        yield Problem("loop_without_action", message, loop[0], place=f"components.{loop[0]}")


def endless(definition: Definition) -> Iterator[Problem]:
    """Components from which no way leads to an end. An exit is a way out for whoever is inside."""
    if definition.exits:
        return
    ending = {""}
    while True:
        found = {
            component_id
            for component_id, component in definition.components.items()
            if component_id not in ending and _may_end(definition, component, ending)
        }
        if not found:
            break
        ending |= found
    never = [component_id for component_id in definition.components if component_id not in ending]
    if never:
        message = f"whoever comes to {', '.join(never[:5])} never comes to an end; lead a way out, or add an exit"
        yield Problem("loop_without_end", message, never[0], place=f"components.{never[0]}")


def _may_end(definition: Definition, component: Component, ending: set[str]) -> bool:
    if isinstance(component, Wait) and component.may_leave:
        return True
    onward = ways(component)
    return not onward or any(state_of(definition, way) in ending for _, way in onward)


def _loops_among(inside: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """One loop for each knot of components and where each leads, in the order of its links."""
    told: set[str] = set()
    for name in inside:
        if name not in told:
            loop = _loop_through(name, inside)
            told.update(loop)
            if loop:
                yield loop


def _loop_through(start: str, inside: Mapping[str, list[str]]) -> list[str]:
    """The shortest loop from `start` back to it through `inside`; empty if there is none."""
    came_from = {target: start for target in inside[start] if target in inside}
    ahead = list(came_from)
    for here in ahead:
        if here == start:
            loop = [start]
            while came_from[loop[0]] != start:
                loop.insert(0, came_from[loop[0]])
            return [start, *loop[:-1]]
        for target in inside[here]:
            if target in inside and target not in came_from:
                came_from[target] = here
                ahead.append(target)
    return []


def _way(loop: list[str]) -> str:
    return " → ".join([*loop, loop[0]])
