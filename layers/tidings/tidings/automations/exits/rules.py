"""What lets people out of an automation at any time: rules without any database.

An exit is an event that came since somebody entered, or a condition that holds. Exits of the version that somebody is
inside of count, in the order in which they stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidings.activity.facts import ContactFacts
from tidings.activity.model import Event
from tidings.activity.own_events import is_pretended
from tidings.automations.definition.model import Definition
from tidings.automations.definition.triggers import EventExit, is_same
from tidings.automations.enrolments.model import Enrolment
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.conditions.model import Count, events_named, walk
from tidings.contacts.model import Contact
from tidings.core.clock import to_text

# Of how many rules it is kept with an enrolment why they let somebody out.
EXPLAINED_RULES = 200


@dataclass(frozen=True, slots=True)
class Left:
    """That somebody left by an exit, and why: the truth table of its condition with the values it saw."""

    name: str
    at: datetime
    why: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """How it stands with the enrolment."""
        return {"exit": self.name, "at": to_text(self.at), **self.why}


def by_event(
    definition: Definition, enrolment: Enrolment, event: Event, contact: Contact, entered_with: Mapping[str, Any]
) -> Left | None:
    """The exit that an event is; None if it is none, came before the enrolment, or is what began it.

    `entered_with` are the properties of the event that enrolled them.
    """
    if is_pretended(event):
        return None
    if event.received_at < enrolment.started_at or event.message_id == enrolment.event.get("message_id"):
        return None
    facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
    for one in definition.event_exits:
        if one.event != event.name or not is_same(one.matches, event.properties, entered_with):
            continue
        if one.where is None or evaluate(one.where, facts):
            return Left(one.name, event.received_at, _came(one, event, facts))
    return None


def by_state(
    definition: Definition, facts: ContactFacts, counting: str = "", most: int = EXPLAINED_RULES
) -> Left | None:
    """The exit whose condition holds, explained by `most` rules; None if none does.

    With `counting` only those that count events of that name.
    """
    for one in definition.state_exits:
        if counting and counting not in events_named(one.when):
            continue
        if evaluate(one.asked, facts):
            return Left(one.name, facts.now, {"check": "state", "when": explain(one.asked, facts).as_dict(most=most)})
    return None


def looked_for(definition: Definition, enrolment: Enrolment) -> set[str]:
    """Names of the events since the enrolment that exits ask for in any case, or the goal before the first step does.

    With them those that conditions may count from then on, as reading them too costs nothing; none where nothing else
    has to be read.
    """
    names = {one.event for one in definition.event_exits}
    if definition.goal is not None and not enrolment.n and enrolment.converted_at is None:
        names.add(definition.goal.event)
    rules = (rule for one in definition.state_exits for rule in walk(one.asked) if isinstance(rule, Count))
    counted = {rule.event for rule in rules if rule.since == "enrolment" and rule.within is None}
    return names | counted if names else names


def first_left(found: Iterable[Event], leave: Callable[[Event], Left | None]) -> Left | None:
    """By which of some events somebody left: the one received first."""
    events = sorted(found, key=lambda event: event.place)
    return next((left for event in events if (left := leave(event)) is not None), None)


def _came(one: EventExit, event: Event, facts: ContactFacts) -> dict[str, Any]:
    told = {
        "check": "event",
        "found": f"{event.name} came at {to_text(event.received_at)}",
        "event": str(event.node),
        "message_id": event.message_id,
    }
    return told if one.where is None else {**told, "when": explain(one.where, facts).as_dict()}
