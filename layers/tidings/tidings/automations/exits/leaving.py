"""Letting people out: `react` does it when an event comes or a contact changes, and every step asks again.

Whoever leaves is marked first, so that no step and no claim of a message takes place any more, and their execution is
stopped then. A step asks the timeline itself, since an event may be stored that `react` has not come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from tidings.activity.facts import ContactFacts
from tidings.activity.merged import tells_of_merge
from tidings.activity.model import Event
from tidings.activity.timeline import Glance, TimelineService
from tidings.automations.definition.model import ANY_CHANGE, Definition
from tidings.automations.enrolments.model import Enrolment, EnrolmentState
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.exits.rules import Left, by_event, by_state, first_left, looked_for
from tidings.contacts.model import Contact
from tidings.core.clock import Clock
from tidings.core.errors import Throttled, Unavailable
from tidings.core.logs import logger

if TYPE_CHECKING:
    from tidings.automations.goals.overtaking import Overtaking

# Up to how many automations are asked for by themselves: more are found in one query of all that the contact is in.
ONE_BY_ONE = 3


class Executions(Protocol):
    """Where executions are stopped."""

    def stop(self, execution: str) -> None: ...


class Exits(Protocol):
    """Which automations let people out by what, and what versions say; kept in memory."""

    def letting_out(self, workspace: str, name: str) -> tuple[str, ...]:
        """The automations that may let somebody out by an event of this name, or `*` by a change of the contact."""

    def definition(self, workspace: str, name: str, version: int) -> Definition | None:
        """What a version says, the live one or an earlier one."""


@dataclass(frozen=True)
class Inside:
    """Somebody inside an automation: their enrolment, the contact as it is now, and what they entered with."""

    enrolment: Enrolment
    definition: Definition
    contact: Contact
    entered_with: Mapping[str, Any] = field(default_factory=dict)


class Doors:
    """Asks whether somebody inside has to leave."""

    def __init__(self, timeline: TimelineService) -> None:
        self._timeline = timeline

    def left(self, inside: Inside, now: datetime) -> Left | None:
        """By which exit somebody has to leave: one that an event since they entered was, or whose condition holds.

        No read where the version has no exits; else for each identity one query for the exits that are events, and one
        for each event that conditions count, unless the timeline was asked before (`look_back`).
        """
        if not inside.definition.exits:
            return None
        return self._by_what_came(inside) or by_state(inside.definition, self.facts(inside, now))

    def closed(self, enrolment: Enrolment, definition: Definition, contact: Contact, most: int) -> Left | None:
        """By which exit somebody would leave as they enter, explained by `most` rules; None if they may enter.

        Asked of that instant. No read but for what they did within a time that began before it.
        """
        began = enrolment.started_at
        facts = self.facts(Inside(enrolment, definition, contact), began)
        return by_state(definition, replace(facts, until=began), most=most)

    def facts(self, inside: Inside, now: datetime) -> ContactFacts:
        """What the conditions of exits ask."""
        return ContactFacts(
            contact=inside.contact,
            now=now,
            timeline=self._timeline,
            instants={"enrolment": inside.enrolment.started_at},
            trigger=inside.enrolment.trigger,
        )

    def _by_what_came(self, inside: Inside) -> Left | None:
        since = inside.enrolment.started_at
        names = sorted({one.event for one in inside.definition.event_exits})
        came = self._timeline.named_since(inside.contact, since, *names)
        return first_left(
            came,
            lambda event: by_event(inside.definition, inside.enrolment, event, inside.contact, inside.entered_with),
        )


def look_back(timeline: TimelineService, inside: Inside) -> Glance:
    """The timeline, on which is read what is asked of somebody in any case: one query for each identity, or none."""
    glance = timeline.glance()
    names = looked_for(inside.definition, inside.enrolment)
    if names:
        glance.named_since(inside.contact, inside.enrolment.started_at, *sorted(names))
    return glance


class Leaving:
    """Lets people out when something happens."""

    def __init__(
        self,
        exits: Exits,
        enrolments: DynamoEnrolmentStore,
        timeline: TimelineService,
        overtaking: Overtaking,
        executions: Executions,
        clock: Clock,
    ) -> None:
        self._exits = exits
        self._enrolments = enrolments
        self._timeline = timeline
        self._overtaking = overtaking
        self._executions = executions
        self._clock = clock

    def concerns(self, event: Event) -> bool:
        """Whether an event by its name, or by the merge that it tells of, may let somebody out: no read."""
        # No name stands for anything at all, and is no event's that may let somebody out.
        if event.name and self._exits.letting_out(event.workspace, event.name):
            return True
        return tells_of_merge(event) and bool(self._exits.letting_out(event.workspace, ""))

    def concerns_change(self, workspace: str) -> bool:
        """Whether a change of a contact may let them out."""
        return bool(self._exits.letting_out(workspace, ANY_CHANGE))

    def let_out(self, contact: Contact, event: Event | None) -> None:
        """End the ways of a contact that an event ends, or with none a change of the contact.

        A query for each id that the contact goes by and automation in question; for whoever leaves one write, and their
        execution is stopped. Before their first step it is asked whether they reached the goal (`Overtaking.convert`).
        May be repeated. Raises Throttled or Unavailable.
        """
        merged = event is not None and tells_of_merge(event)
        name = ANY_CHANGE if event is None else "" if merged else event.name
        automations = self._exits.letting_out(contact.workspace, name)
        for inside in self._inside(contact, automations):
            asks_all = merged or event is None
            timeline = look_back(self._timeline, inside) if asks_all else self._timeline.glance()
            left = self._left(inside, None if asks_all else event, Doors(timeline))
            if left is not None:
                self._overtaking.convert(inside, timeline)  # no step may come that would ask
                self._end(inside.enrolment, left)

    def _left(self, inside: Inside, event: Event | None, doors: Doors) -> Left | None:
        """By which exit: after a merge, or a change, everything is asked that somebody at a step would be asked.

        After an event only what names it, or counts it.
        """
        now = self._clock.now()
        if event is None:
            return doors.left(inside, now)
        left = by_event(inside.definition, inside.enrolment, event, inside.contact, inside.entered_with)
        return left or by_state(inside.definition, doors.facts(inside, now), counting=event.name)

    def _inside(self, contact: Contact, automations: tuple[str, ...]) -> Iterator[Inside]:
        named = automations if len(automations) <= ONE_BY_ONE else ()
        for enrolment in self._enrolments.inside(contact.workspace, contact.shown_ids, named):
            if not contact.shows(enrolment.contact, enrolment.started_at):
                continue
            if enrolment.automation not in automations:
                continue
            definition = self._exits.definition(contact.workspace, enrolment.automation, enrolment.version)
            if definition is not None and definition.exits:
                yield Inside(enrolment, definition, contact, self._entered_with(enrolment, definition))

    def _entered_with(self, enrolment: Enrolment, definition: Definition) -> Mapping[str, Any]:
        """What the enrolling event said: one read where exits must be the same in something, else none."""
        if not any(one.matches for one in definition.event_exits):
            return {}
        return self._enrolments.entered_with(*enrolment.place)

    def _end(self, enrolment: Enrolment, left: Left) -> None:
        """Mark first, stop then. An execution that could not be stopped finds at its next step that it is over."""
        if not self._enrolments.finish(enrolment, EnrolmentState.EXITED, self._clock.now(), left=left.as_dict()):
            return
        try:
            self._executions.stop(enrolment.execution_arn)
        except (Throttled, Unavailable) as error:
            logger.warning("not stopped", extra={"code": error.code, "automation": enrolment.automation})
