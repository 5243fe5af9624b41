"""Whether an automation makes sense: every mistake that can be found without running it, each with a code of its own.

| code | what is wrong |
|---|---|
| invalid_definition | wrong form: unknown key, wrong type, missing value |
| unknown_component_type | a component of a type that does not exist |
| invalid_syntax, duplicate_key, alias_refused, definition_too_large | the text itself (`source`) |
| too_many_components | more than 200 |
| unknown_start | `start` names no component |
| unknown_component | a link, or a `since: {step: ...}`, to nowhere |
| unreachable_component | no way leads to it |
| no_acting_component | nothing but waits and ends |
| loop_without_wait | a loop in which no wait takes time for certain; `until` a date takes none once it is past |
| loop_without_action | a loop of waits and nothing else |
| loop_without_end | a loop that nobody can ever leave |
| loop_through_trigger | sends at once, and what becomes of the message starts it again |
| wait_too_long | `for` or `timeout` more than 365 days, the longest that an execution lasts |
| duplicate_arm | two arms of a component with the same name |
| step_not_upstream | `since: {step: x}` where nobody can have passed x |
| step_not_recorded | `since: {step: x}` where x is a wait: only components that act leave a record |
| events_in_trigger | `did` or `did_not` in the trigger's `where`; a branch can ask that |
| events_in_arm | `did` or `did_not` in the `where` of an arm that waits for an event; a branch can ask that |
| unknown_template | no such template |
| nothing_follows_wait | warning: the way ends after a wait |
| branch_without_effect | warning: every arm leads to the same place |
| event_misspelled | warning: an event that is called nearly like one of Tidings' own |

The links themselves are walked in `graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Literal

from pydantic import ValidationError

from tidings.automations.graph import Following, Moment, follow, links, reachable, state_of, ways
from tidings.automations.model import (
    Branch,
    CheckSuppression,
    Component,
    Definition,
    Sends,
    Wait,
    WaitFor,
    code_of,
)
from tidings.automations.own_events import OWN_EVENTS
from tidings.automations.source import read
from tidings.conditions.model import needs_events, steps_named
from tidings.conditions.places import mistakes
from tidings.core.errors import InvalidInput

__all__ = ["Following", "Moment", "Problem", "check", "follow", "links", "lint"]

MAX_COMPONENTS = 200
LONGEST_WAIT = timedelta(days=365)
# What comes after a message without anybody doing anything. Opens and clicks are people's, if not always theirs.
OF_SENDING = frozenset(
    {
        "Email Sent",
        "Email Skipped",
        "Email Delivered",
        "Email Delayed",
        "Email Bounced",
        "Email Rejected",
        "Email Rendering Failed",
        "Email Opened by Machine",
        "Email Link Clicked by Machine",
        "SMS Sent",
        "SMS Skipped",
        "SMS Delivered",
        "SMS Undelivered",
        "SMS Delayed",
        "SMS Fallen Back",
        "SMS Link Clicked by Machine",
    }
)


@dataclass(frozen=True)
class Problem:
    """One mistake. `component` is its id or "", `place` where it stands in the file; warnings do not stop anything."""

    code: str
    message: str
    component: str = ""
    level: Literal["error", "warning"] = "error"
    place: str = ""

    def as_dict(self) -> dict[str, str]:
        """The problem as it stands on the wire."""
        return {
            "code": self.code,
            "message": self.message,
            "component": self.component,
            "level": self.level,
            "place": self.place,
        }


def check(
    written: str | Mapping[str, Any], templates: Collection[str] | None = None
) -> tuple[Definition | None, list[Problem]]:
    """The definition that a text or plain data says, and all that is wrong with it.

    The definition is None if the form is wrong; what the graph says is then not looked at.
    """
    try:
        definition = Definition.model_validate(read(written) if isinstance(written, str) else dict(written))
    except InvalidInput as error:
        return None, [Problem(error.code, error.message)]
    except ValidationError as error:
        return None, _problems_of_form(error)
    return definition, lint(definition, templates)


def lint(definition: Definition, templates: Collection[str] | None = None) -> list[Problem]:
    """What is wrong with the graph; unknown templates only if the names of all templates are given."""
    if len(definition.components) > MAX_COMPONENTS:
        message = f"has {len(definition.components)} components; at most {MAX_COMPONENTS} are allowed"
        return [Problem("too_many_components", message, place="components")]
    return [
        *_start(definition),
        *_trigger(definition),
        *_links(definition),
        *_reach(definition),
        *(list(_loops(definition)) or _endless(definition)),
        *_waits(definition),
        *_waits_for_events(definition),
        *_branches(definition),
        *_events(definition),
        *_templates(definition, templates),
    ]


def _problems_of_form(error: ValidationError) -> list[Problem]:
    problems = []
    for mistake in mistakes(error):
        component = str(mistake.path[1]) if mistake.path[:1] == ("components",) and len(mistake.path) > 1 else ""
        message = f"{mistake.place}: {mistake.message}" if mistake.place else mistake.message
        problems.append(Problem(code_of(mistake), message, component, place=mistake.place))
    return problems


def _start(definition: Definition) -> Iterator[Problem]:
    if definition.start not in definition.components:
        yield Problem("unknown_start", f'start: there is no component "{definition.start}"', place="start")
    if not any(component.acts for component in definition.components.values()):
        yield Problem("no_acting_component", "nothing but waits and ends: the automation would do nothing")


def _trigger(definition: Definition) -> Iterator[Problem]:
    where = definition.trigger.where
    if where is not None and needs_events(where):
        message = "trigger.where: looks at the event and the contact only; ask for other events in a branch"
        yield Problem("events_in_trigger", message, place="trigger.where")
    sends_at_once = next(_sends_at_once(definition), None)
    if definition.trigger.event in OF_SENDING and definition.reentry == "every_time" and sends_at_once:
        message = (
            f'trigger.event: "{definition.trigger.event}" comes of itself after "{sends_at_once}" has sent, and starts '
            "the automation again without end; wait before it, or let people enter once (reentry: once)"
        )
        yield Problem("loop_through_trigger", message, sends_at_once, place="trigger.event")


def _sends_at_once(definition: Definition) -> Iterator[str]:
    """Components that send before any wait that takes time for certain."""
    ahead, seen = [definition.start], set()
    while ahead:
        here = ahead.pop()
        component = definition.components.get(here)
        if here in seen or component is None:
            continue
        seen.add(here)
        if isinstance(component, Sends):
            yield here
        ahead.extend(_at_once(component))


def _at_once(component: Component) -> list[str]:
    """Where a component may lead without any time passing for certain, and without anybody doing anything."""
    if isinstance(component, Wait) and component.length:
        return []
    if isinstance(component, WaitFor):
        return [arm.next or "" for arm in component.arms if arm.event in OF_SENDING]
    return [target for _, target in ways(component)]


def _links(definition: Definition) -> Iterator[Problem]:
    for component_id, component in definition.components.items():
        for key, target in _written_links(component):
            if target not in definition.components:
                place = f"components.{component_id}.{key}"
                message = f'{place}: there is no component "{target}"'
                yield Problem("unknown_component", message, component_id, place=place)


def _written_links(component: Component) -> list[tuple[str, str]]:
    """The links as they stand in the file: key and target."""
    written: list[tuple[str, str | None]] = []
    if isinstance(component, Wait):
        written = [("next", component.next)]
    elif isinstance(component, Sends):
        written = [("next", component.next), ("on_skipped", component.on_skipped)]
    elif isinstance(component, CheckSuppression):
        written = [("clear", component.clear), ("suppressed", component.suppressed)]
    elif isinstance(component, Branch):
        written = [(f"arms[{number}].next", arm.next) for number, arm in enumerate(component.arms)]
        written.append(("otherwise", component.otherwise))
    elif isinstance(component, WaitFor):
        written = [(f"arms[{number}].next", arm.next) for number, arm in enumerate(component.arms)]
        written.append(("on_timeout", component.on_timeout))
    return [(key, target) for key, target in written if target is not None]


def _reach(definition: Definition) -> Iterator[Problem]:
    reached = reachable(definition, [definition.start])
    for component_id in definition.components if reached else ():
        if component_id not in reached:
            message = f'no way leads from the start to "{component_id}"'
            yield Problem("unreachable_component", message, component_id, place=f"components.{component_id}")


def _loops(definition: Definition) -> Iterator[Problem]:
    """A loop must pass a wait that takes time for certain, and something that acts."""
    for loop in _loops_among({name: _at_once(component) for name, component in definition.components.items()}):
        message = f"the loop {_way(loop)} has no wait `for` a length of time, so it could run without end at once"
        yield Problem("loop_without_wait", message, loop[0], place=f"components.{loop[0]}")
    waits = {name: wait for name, wait in definition.components.items() if isinstance(wait, Wait)}
    for loop in _loops_among({name: [wait.next or ""] for name, wait in waits.items()}):
        message = f"the loop {_way(loop)} only waits and never ends"
        yield Problem("loop_without_action", message, loop[0], place=f"components.{loop[0]}")


def _endless(definition: Definition) -> Iterator[Problem]:
    """Components from which no way leads to an end; an execution would be cut off after a year or 25,000 events."""
    ending = {""}
    while True:
        found = {
            component_id
            for component_id, component in definition.components.items()
            if component_id not in ending
            and (not ways(component) or any(state_of(definition, way) in ending for _, way in ways(component)))
        }
        if not found:
            break
        ending |= found
    endless = [component_id for component_id in definition.components if component_id not in ending]
    if endless:
        message = f"whoever comes to {', '.join(endless[:5])} never comes to an end"
        yield Problem("loop_without_end", message, endless[0], place=f"components.{endless[0]}")


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


def _waits(definition: Definition) -> Iterator[Problem]:
    for component_id, component in definition.components.items():
        if not isinstance(component, Wait):
            continue
        if component.length is not None and component.length > LONGEST_WAIT:
            place = f"components.{component_id}.for"
            message = f"{place}: waits longer than {LONGEST_WAIT.days} days"
            yield Problem("wait_too_long", message, component_id, place=place)
        follows = component.next or ""
        if not follows or (follows in definition.components and not state_of(definition, follows)):
            message = f'nothing follows the wait "{component_id}"'
            yield Problem("nothing_follows_wait", message, component_id, "warning", f"components.{component_id}")


def _waits_for_events(definition: Definition) -> Iterator[Problem]:
    for component_id, component in definition.components.items():
        if not isinstance(component, WaitFor):
            continue
        yield from _arms(component_id, [arm.name for arm in component.arms])
        if component.length > LONGEST_WAIT:
            place = f"components.{component_id}.timeout"
            message = f"{place}: waits longer than {LONGEST_WAIT.days} days"
            yield Problem("wait_too_long", message, component_id, place=place)
        for number, arm in enumerate(component.arms):
            if arm.where is not None and needs_events(arm.where):
                place = f"components.{component_id}.arms[{number}].where"
                message = f"{place}: looks at the event and the contact only; ask for other events in a branch"
                yield Problem("events_in_arm", message, component_id, place=place)
        if all(not state_of(definition, target) for _, target in ways(component)):
            message = f'nothing follows the wait "{component_id}", whatever comes'
            yield Problem("nothing_follows_wait", message, component_id, "warning", f"components.{component_id}")


def _events(definition: Definition) -> Iterator[Problem]:
    """Events that are nobody's: a name that Tidings' own events nearly have is a slip of the pen."""
    named = [("trigger.event", "", definition.trigger.event)]
    for component_id, component in definition.components.items():
        arms = component.arms if isinstance(component, WaitFor) else ()
        named += [(f"components.{component_id}.arms[{n}].event", component_id, a.event) for n, a in enumerate(arms)]
    for place, component_id, event in named:
        meant = _meant(event)
        if meant:
            message = f'{place}: nobody sends "{event}" unless an app does; did you mean "{meant}"?'
            yield Problem("event_misspelled", message, component_id, "warning", place)


def _meant(event: str) -> str:
    """The event of Tidings' own that a name is nearly the name of; empty if it is one, or none is near."""
    from difflib import get_close_matches  # late: only where somebody writes an automation

    near = {own.casefold(): own for own in OWN_EVENTS}
    found = [] if event in OWN_EVENTS else get_close_matches(event.casefold(), near, n=1, cutoff=0.88)
    return near[found[0]] if found else ""


def _branches(definition: Definition) -> Iterator[Problem]:
    @cache
    def after(step: str) -> set[str]:
        return reachable(definition, links(definition.components[step]).values())

    for component_id, component in definition.components.items():
        if isinstance(component, Branch):
            yield from _arms(component_id, [arm.name for arm in component.arms])
            yield from _steps(definition, component_id, component, after)
            if len({state_of(definition, target) for _, target in ways(component)}) == 1:
                message = f'every arm of "{component_id}" leads to the same place'
                yield Problem("branch_without_effect", message, component_id, "warning", f"components.{component_id}")


def _arms(component_id: str, names: list[str]) -> Iterator[Problem]:
    for number, name in enumerate(names):
        if name in names[:number]:
            place = f"components.{component_id}.arms[{number}].name"
            message = f'{place}: another arm is called "{name}" too'
            yield Problem("duplicate_arm", message, component_id, place=place)


def _steps(
    definition: Definition, component_id: str, branch: Branch, after: Callable[[str], set[str]]
) -> Iterator[Problem]:
    for number, arm in enumerate(branch.arms):
        place = f"components.{component_id}.arms[{number}].when"
        for step in sorted(steps_named(arm.when)):
            if step not in definition.components:
                message = f'{place}: since: there is no component "{step}"'
                yield Problem("unknown_component", message, component_id, place=place)
            elif component_id not in after(step):
                message = f'{place}: since: nobody who comes here has passed "{step}"'
                yield Problem("step_not_upstream", message, component_id, place=place)
            elif not definition.components[step].acts:
                message = f'{place}: since: only components that act are recorded as steps, and "{step}" does not'
                yield Problem("step_not_recorded", message, component_id, place=place)


def _templates(definition: Definition, templates: Collection[str] | None) -> Iterator[Problem]:
    for component_id, component in definition.components.items():
        if templates is not None and isinstance(component, Sends) and component.template not in templates:
            place = f"components.{component_id}.template"
            message = f'{place}: there is no template "{component.template}"'
            yield Problem("unknown_template", message, component_id, place=place)
