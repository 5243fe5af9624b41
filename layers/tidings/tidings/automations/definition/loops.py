"""Ways through an automation that turn in a circle, or never come to an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from tidings.activity.own_events import OF_SENDING, REQUESTED
from tidings.automations.components import (
    AssignConversation,
    Awaits,
    Component,
    Sends,
    StartAutomation,
    UntilTime,
    UpdateContact,
    Wait,
)
from tidings.automations.definition.model import Definition
from tidings.automations.definition.problems import Problem
from tidings.automations.machines.graph import state_of, ways

UPDATED, TRANSFERRED = "Contact Updated", "Conversation Transferred"


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
    if isinstance(component, StartAutomation):
        return min(events, default="") if component.automation == definition.automation else ""
    if isinstance(component, AssignConversation):  # a second time it is there already, and nothing is told
        return ""
    return min(events & brought_about(component), default="")


def brought_about(component: Component) -> Set[str]:
    """The events that follow from a component without anybody doing anything."""
    if isinstance(component, Sends):
        return OF_SENDING
    if isinstance(component, UpdateContact):
        return {UPDATED}
    if isinstance(component, AssignConversation):
        return {TRANSFERRED}
    return {REQUESTED} if isinstance(component, StartAutomation) else set()


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


def at_once(component: Component, brought: Set[str] = OF_SENDING) -> list[str]:
    """Where a component may lead without any time passing for certain, and without anybody doing anything.

    `brought` are the events that come of themselves.
    """
    if isinstance(component, Wait) and (component.length or isinstance(component.until, UntilTime)):
        return []
    if isinstance(component, Awaits):
        return [arm.next or "" for arm in component.awaited if arm.event in brought]
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


def loops_by_own_acts(definition: Definition) -> Iterator[Problem]:
    """A loop that waits for what it does itself turns without end once somebody is in it twice."""
    components = definition.components
    awaited = {event for one in components.values() if isinstance(one, Awaits) for event in one.events} - OF_SENDING
    brought = awaited & {event for one in components.values() for event in brought_about(one)}
    if not brought:
        return
    inside = {name: at_once(one, brought | OF_SENDING) for name, one in components.items()}
    turning = {name: targets for name, targets in inside.items() if _loop_through(name, inside)}
    for loop in _loops_among(turning):
        waits = (components[name] for name in loop)
        events = brought & {event for one in waits if isinstance(one, Awaits) for event in one.events}
        acts = [name for name in turning if brought_about(components[name]) & events]
        if acts:
            message = (
                f'the loop {_way(loop)} waits for "{min(brought_about(components[acts[0]]) & events)}", which '
                f'"{acts[0]}" brings about: two ways of one person would end each other\'s waits without end; '
                "put a wait `for` a length of time into it"
            )
            yield Problem("loop_by_own_acts", message, loop[0], place=f"components.{loop[0]}")


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
