"""Which automations may outlast one execution of Step Functions, and when an execution is continued by a new one.

An execution lasts a year at most and keeps 25,000 events of history. Where the waits ahead would go beyond 300 days
from its beginning, or it has taken 1,500 steps (fewer where a step writes many events, `most_steps`), it rests until it
has to, and a new one goes on where it was. Only machines of automations that may come so far have states for that:
those with a loop, with a wait until a date that nobody knows beforehand, or with waits that add up to that long.

Quotas: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from tidings.automations.components import Awaits, Component, UntilTime, Wait, Webhook
from tidings.automations.webhooks.retry import RETRIES

if TYPE_CHECKING:
    from tidings.automations.definition.model import Definition

RUN_AT_MOST = timedelta(days=300)
# Whoever comes to a wait for an event has 300 days there, if it ends before this; else a new execution begins first.
AWAITS_AT_MOST = timedelta(days=360)
MOST_STEPS = 1500
# Of history; the rest of 25,000 is for what is repeated after faults.
_MOST_EVENTS = 20_000

_A_WEEK = timedelta(days=8)


def renews(definition: Definition) -> bool:
    """Whether somebody's way may be too long for one execution."""
    return _renews(tuple(definition.components.items()), definition.start)


def _renews(components: tuple[tuple[str, Component], ...], start: str) -> bool:
    longest = _longest(dict(components), start)
    return longest is None or longest > RUN_AT_MOST


def most_steps(definition: Definition) -> int:
    """After how many steps an execution is to be continued by a new one."""
    components = definition.components.values()
    waits = sum(isinstance(component, Wait) for component in components)
    # A Wait that is entered and left, and the Choice that may stand before it, write two events each.
    of_a_step = max(map(_events, components)) + 4 * waits
    return min(MOST_STEPS, _MOST_EVENTS // of_a_step)


def _events(component: Component) -> int:
    """How many events of history it writes at most, repeats after faults of our own aside.

    A state that is entered and left writes two, an attempt of a Task three. A wait for an event that is over in vain
    has one more Task, a webhook that nobody takes all its attempts; behind each there may be a Choice.
    """
    if isinstance(component, Webhook):
        return 2 + 3 * (1 + RETRIES) + 2
    return 13 if isinstance(component, Awaits) else 7


def _longest(components: Mapping[str, Component], start: str) -> timedelta | None:
    """How long somebody can be under way at most, in waits; None if nobody can tell."""
    done: dict[str, timedelta] = {}
    open_now: set[str] = set()
    ahead: list[tuple[str, bool]] = [(start, False)]
    while ahead:
        here, is_left = ahead.pop()
        if is_left:
            lasts = lasting(components[here])
            if lasts is None:
                return None
            ways = [link.target for link in components[here].links() if link.target in components]
            done[here] = lasts + max((done[way] for way in ways), default=timedelta())
            open_now.discard(here)
        elif here in open_now:
            return None  # a loop
        elif here in components and here not in done:
            open_now.add(here)
            ahead.append((here, True))
            ahead += [(link.target, False) for link in components[here].links() if link.target not in done]
    return done.get(start, timedelta())


def lasting(component: Component) -> timedelta | None:
    """How long somebody waits at a component at most; None if nobody can tell."""
    if isinstance(component, Awaits):
        return component.length
    if not isinstance(component, Wait):
        return timedelta()
    return _A_WEEK if isinstance(component.until, UntilTime) else component.length
