"""Walking an automation: where each outcome of a component leads, and until when the waits on the way last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tidings.automations.model import (
    OTHERWISE,
    TIMEOUT,
    Branch,
    CheckSuppression,
    Component,
    Definition,
    End,
    Sends,
    UntilTrait,
    Wait,
    WaitFor,
)
from tidings.conditions.values import lookup, parse_instant

_LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """What decides how long a wait lasts: the present (aware, UTC), the contact's traits, the trigger's properties."""

    now: datetime
    traits: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Following:
    """What follows: the id of the next state ("" where the way ends) and the end of each wait that comes at once."""

    next: str
    until: dict[str, datetime] = field(default_factory=dict)


def links(component: Component) -> dict[str, str]:
    """Where each outcome of the component leads; "" where the way ends.

    Outcomes: a wait `waited`; a branch the names of its arms and `otherwise`; wait_for those of its arms and `timeout`;
    send_email and send_sms `accepted`, `skipped` and `unknown`; check_suppression `clear` and `suppressed`; an end
    none.
    """
    return dict(ways(component))


def ways(component: Component) -> list[tuple[str, str]]:
    """The same as pairs: in a branch that is not yet checked, two arms may have the same name."""
    if isinstance(component, Wait):
        return [("waited", component.next or "")]
    if isinstance(component, Branch):
        return [*((arm.name, arm.next or "") for arm in component.arms), (OTHERWISE, component.otherwise or "")]
    if isinstance(component, WaitFor):
        return [*((arm.name, arm.next or "") for arm in component.arms), (TIMEOUT, component.on_timeout or "")]
    if isinstance(component, Sends):
        following = component.next or ""
        return [("accepted", following), ("skipped", component.on_skipped or following), ("unknown", following)]
    if isinstance(component, CheckSuppression):
        return [("clear", component.clear or ""), ("suppressed", component.suppressed or "")]
    return []


def state_of(definition: Definition, component_id: str) -> str:
    """The state that stands for the component: itself, or "" where it is an end or no component at all."""
    component = definition.components.get(component_id)
    return "" if component is None or isinstance(component, End) else component_id


def targets(definition: Definition, component_id: str) -> list[str]:
    """The states that the component's outcomes lead to, each once, in the order of `links`; "" is the end."""
    component = definition.components[component_id]
    return list(dict.fromkeys(state_of(definition, target) for target in links(component).values()))


def follow(definition: Definition, component_id: str, moment: Moment) -> Following:
    """What follows when a person reaches `component_id` at `moment`.

    `next` is the state to enter: the component itself (a wait too), or "" where it is an end or nothing. `until` holds
    the ends of all waits in the unbroken chain of waits that begins there, each beginning when the one before ends; a
    wait for an event ends the chain, at the latest when it times out.
    """
    until: dict[str, datetime] = {}
    reached, begins = component_id, moment.now
    component = definition.components.get(reached)
    while isinstance(component, Wait) and reached not in until:
        begins = _end_of(component, begins, moment)
        until[reached] = begins
        reached = component.next or ""
        component = definition.components.get(reached)
    if isinstance(component, WaitFor):
        until[reached] = _later(begins, component.length)
    return Following(state_of(definition, component_id), until)


def _end_of(wait: Wait, begins: datetime, moment: Moment) -> datetime:
    if wait.length is not None:
        return _later(begins, wait.length)
    date = _date_of(wait, moment)
    return begins if date is None else max(begins, date)


def _date_of(wait: Wait, moment: Moment) -> datetime | None:
    until = wait.until
    if until is None or isinstance(until, str):
        return parse_instant(until)
    if isinstance(until, UntilTrait):
        date = parse_instant(lookup(moment.traits, until.trait))
    else:
        date = parse_instant(lookup(moment.properties, until.property))
    return None if date is None else _later(date, until.offset_length)


def _later(instant: datetime, length: timedelta) -> datetime:
    try:
        return instant + length
    except OverflowError:  # past the calendar's end, or before its beginning, which is past in any case
        return _LAST_INSTANT if length > timedelta() else instant


def reachable(definition: Definition, start: Iterable[str]) -> set[str]:
    """Ids of the components that can be reached from `start`, themselves included; links to nowhere are left out."""
    seen: set[str] = set()
    ahead = [component_id for component_id in start if component_id in definition.components]
    while ahead:
        here = ahead.pop()
        if here not in seen:
            seen.add(here)
            following = ways(definition.components[here])
            ahead.extend(target for _, target in following if target in definition.components)
    return seen
