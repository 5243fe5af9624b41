"""Walking an automation: where each outcome of a component leads, and until when the waits on the way last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tidings.automations.components import Awaits, Component, End, UntilTime, UntilTrait, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.machines.calendar import WEEKDAYS, instant_of, next_weekday, zone_of
from tidings.automations.machines.following import REST, Following, Run
from tidings.automations.machines.lasting import AWAITS_AT_MOST, RUN_AT_MOST, most_steps, renews
from tidings.conditions.values import lookup
from tidings.core.clock import from_text

INSTANT = timedelta(microseconds=1)
_LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """What decides how long a wait lasts: the present (aware, UTC), the contact's traits, the trigger's properties.

    `zone` is the contact's time zone. `run` and `n`, the steps taken with the one that comes, say when an execution has
    lasted long enough (`lasting`). `waited` are the instants until which they waited before at waits until a time of
    day that they may come to again, by component.
    """

    now: datetime
    traits: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=zone_of)
    run: Run | None = None
    n: int = 0
    waited: Mapping[str, str] = field(default_factory=dict)


def links(component: Component) -> dict[str, str]:
    """Where each outcome of the component leads; "" where the way ends."""
    return dict(ways(component))


def ways(component: Component) -> list[tuple[str, str]]:
    """The same as pairs: in a branch that is not yet checked, two arms may have the same name."""
    return [(link.outcome, link.target) for link in component.links()]


def state_of(definition: Definition, component_id: str) -> str:
    """The state that stands for the component: itself, or "" where it is an end or no component at all."""
    component = definition.components.get(component_id)
    return "" if component is None or isinstance(component, End) else component_id


def targets(definition: Definition, component_id: str) -> list[str]:
    """The states that the component's outcomes lead to, each once, in the order of its links; "" is the end.

    Behind a Task the way may end too where a wait comes whose date may be past.
    """
    component = definition.components[component_id]
    found: list[str] = []
    for target in links(component).values():
        found.append(state_of(definition, target))
        if component.acts and may_be_missed(definition, target):
            found.append("")
    return list(dict.fromkeys(found))


def may_be_missed(definition: Definition, component_id: str) -> bool:
    """Whether somebody's way may end before the component, since it is a wait until a date that may be past."""
    component = definition.components.get(component_id)
    return isinstance(component, Wait) and component.may_leave


def follow(definition: Definition, component_id: str, moment: Moment) -> Following:
    """What follows when a person reaches `component_id` at `moment`.

    `next` is the state to enter: the component itself (a wait too), or "" where it is an end or nothing. `until` holds
    the ends of all waits in the unbroken chain of waits that begins there, each beginning when the one before ends; a
    wait for an event ends the chain, at the latest when it times out, and so does one whose date will be past then and
    that is to be left. Whoever comes to a time of day again waits for the next one, however slow the clock is here.
    """
    until: dict[str, datetime] = {}
    reached, begins, missed = component_id, moment.now, ""
    component = definition.components.get(reached)
    while isinstance(component, Wait) and reached not in until:
        before = moment.waited.get(reached)
        end = end_of(component, begins if before is None else max(begins, from_text(before) + INSTANT), moment)
        if component.may_leave and (end is None or end < begins):
            missed = reached
            break
        begins = begins if end is None else max(begins, end)
        until[reached] = begins
        reached = component.next or ""
        component = definition.components.get(reached)
    if isinstance(component, Awaits):
        until[reached] = _later(begins, component.length)
    following = "" if missed == component_id else state_of(definition, component_id)
    rest = _rest(definition, until, moment) if following else {}
    return Following(following, until | rest, missed)


def recurring(definition: Definition, until: Mapping[str, str]) -> dict[str, str]:
    """Of some waits' ends, by component, those until a time of day that one may come to again."""
    return {name: end for name, end in until.items() if _recurs(definition, name)}


def _recurs(definition: Definition, component_id: str) -> bool:
    component = definition.components.get(component_id)
    if not isinstance(component, Wait) or not isinstance(component.until, UntilTime):
        return False
    return component_id in reachable(definition, links(component).values())


def _rest(definition: Definition, until: Mapping[str, datetime], moment: Moment) -> dict[str, datetime]:
    """When the execution is to be continued by a new one, which is before the waits ahead make it too long."""
    run = moment.run
    if run is None or not renews(definition):
        return {}
    if moment.n - run.steps > most_steps(definition):
        return {REST: moment.now}
    latest = _later(run.began, RUN_AT_MOST)
    if not until or max(until.values()) <= latest:  # what acts at once takes no time that counts
        return {}
    first, end = next(iter(until.items()))
    if isinstance(definition.components[first], Awaits):
        # Who waits for an event is not to rest: it would go unheard. Either there is time enough, or a new one begins.
        is_enough = min(end, _later(moment.now, RUN_AT_MOST)) <= _later(run.began, AWAITS_AT_MOST)
        return {} if is_enough else {REST: moment.now}
    return {REST: min(end, max(latest, moment.now))}


def remaining(definition: Definition, component: str, until: Mapping[str, datetime], now: datetime) -> Following:
    """Where somebody goes on in a new execution that begins `now`: waits that are over are passed.

    It rests again where the wait that they are in is longer than an execution may last.
    """
    reached, ahead = component, {wait: end for wait, end in until.items() if wait != REST}
    while reached in ahead and ahead[reached] <= now:
        here = definition.components[reached]
        if not isinstance(here, Wait) or here.next not in ahead:
            break
        del ahead[reached]
        reached = here.next
    if isinstance(definition.components.get(reached), Wait) and renews(definition):
        latest = _later(now, RUN_AT_MOST)
        if max(ahead.values(), default=now) > latest:
            ahead[REST] = min(ahead[reached], latest)
    return Following(reached, ahead)


def end_of(wait: Wait, begins: datetime, moment: Moment) -> datetime | None:
    """When a wait ends that begins at an instant; before it, if its date is past, and None if there is no date."""
    if wait.length is not None:
        return _later(begins, wait.length)
    until = wait.until
    if isinstance(until, UntilTime):
        days = {WEEKDAYS.index(name) for name in until.weekdays} or range(7)
        try:
            return next_weekday(begins, days, until.time, moment.zone)
        except OverflowError:
            return _LAST_INSTANT
    if until is None or isinstance(until, str):
        return _instant(until, None, timedelta(), moment)
    values, name = (
        (moment.traits, until.trait) if isinstance(until, UntilTrait) else (moment.properties, until.property)
    )
    return _instant(lookup(values, name), until.time, until.offset_length, moment)


def _instant(value: object, at: Any, offset: timedelta, moment: Moment) -> datetime | None:
    try:
        return instant_of(value, at, offset, moment.zone)
    except OverflowError:  # past the calendar's end, or before its beginning, which is past in any case
        return _LAST_INSTANT if offset > timedelta() else datetime.min.replace(tzinfo=UTC)


def _later(instant: datetime, length: timedelta) -> datetime:
    try:
        return instant + length
    except OverflowError:
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
