"""Which event reaches a goal: rules without any database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tidings.activity.facts import ContactFacts
from tidings.activity.model import Event
from tidings.activity.own_events import is_pretended
from tidings.automations.definition.triggers import Goal, is_same
from tidings.automations.enrolments.model import Enrolment
from tidings.conditions.evaluate import evaluate
from tidings.contacts.model import Contact

EnteredWith = Callable[[], Mapping[str, Any]]
"""What the enrolling event said, where a goal must be the same in something."""


def first_reached(
    goal: Goal, contact: Contact, enrolment: Enrolment, events: Iterable[Event], entered_with: EnteredWith
) -> Event | None:
    """The first of some events, as they are given, that is the goal of an enrolment; None if none is."""
    return next((one for one in events if _is(goal, contact, enrolment, one, entered_with)), None)


def _is(goal: Goal, contact: Contact, enrolment: Enrolment, event: Event, entered_with: EnteredWith) -> bool:
    """Whether an event is the goal, came after the enrolment began and in time, and is not what it began with."""
    length = goal.within_length
    came = event.received_at - enrolment.started_at
    if goal.event != event.name or is_pretended(event) or event.message_id == enrolment.event.get("message_id"):
        return False
    if came.total_seconds() < 0 or (length is not None and came > length):
        return False
    if goal.matches and not is_same(goal.matches, event.properties, entered_with()):
        return False
    facts = ContactFacts(contact=contact, now=event.received_at, properties=event.properties)
    return goal.where is None or evaluate(goal.where, facts)
