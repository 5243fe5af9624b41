"""Reaching goals: an event that an automation names converts whoever was in it and began not too long before.

It does not matter whether they are inside still. An enrolment converts once, by the goal of its own version, or by
coming to a component that is one (`deciding`). What somebody did under a contact that is merged later counts with the
merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from tidings.activity.merged import tells_of_merge
from tidings.activity.model import Event
from tidings.activity.timeline import TimelineService
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.model import Enrolment, StepTaken
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.goals.rules import first_reached
from tidings.automations.goals.store import DynamoGoalStore
from tidings.automations.statistics.rules import decides
from tidings.contacts.model import Contact

# Of how many components that decided it is counted that somebody converted who came by: a transaction has 100 parts.
COUNTED = 90


class Goals(Protocol):
    """Which events automations have as goals, and what versions say; kept in memory."""

    def goals(self, workspace: str, name: str) -> tuple[str, ...]: ...
    def with_goals(self, workspace: str) -> tuple[str, ...]: ...
    def definition(self, workspace: str, name: str, version: int) -> Definition | None: ...


def ways_taken(definition: Definition, steps: Iterable[StepTaken]) -> list[tuple[str, str]]:
    """The components on a way that decided, with what came of it: those of whose arms conversions are counted."""
    taken = {(step.component, step.outcome) for step in steps}
    return sorted(way for way in taken if decides(definition, way[0]))[:COUNTED]


class Reaching:
    """Counts whoever reaches a goal."""

    def __init__(
        self, goals: Goals, enrolments: DynamoEnrolmentStore, store: DynamoGoalStore, timeline: TimelineService
    ) -> None:
        self._goals = goals
        self._enrolments = enrolments
        self._store = store
        self._timeline = timeline

    def concerns(self, event: Event) -> bool:
        """Whether an event may be somebody's goal, or tells of a merge by which others come to them: no read."""
        if self._goals.goals(event.workspace, event.name):
            return True
        return tells_of_merge(event) and bool(self._goals.with_goals(event.workspace))

    def reach(self, contact: Contact, event: Event) -> None:
        """Convert the enrolments of a contact that an event is the goal of, or that came together by it with one.

        A query for each id that the contact goes by and automation; after a merge one for each id, and for who did not
        convert one for each identity. For whoever converts one query and one write. May be repeated. Raises Throttled
        or Unavailable.
        """
        for enrolment in self._meant(contact, event):
            if contact.shows(enrolment.contact, enrolment.started_at):
                self._convert(contact, enrolment, event)

    def _meant(self, contact: Contact, event: Event) -> Iterator[Enrolment]:
        if tells_of_merge(event):
            named = self._goals.with_goals(event.workspace)
            found = self._store.unconverted(event.workspace, contact.shown_ids)
            yield from (one for one in found if one.automation in named)
        for automation in self._goals.goals(event.workspace, event.name):
            yield from self._store.unconverted(event.workspace, contact.shown_ids, automation)

    def _convert(self, contact: Contact, enrolment: Enrolment, event: Event) -> None:
        definition = self._goals.definition(enrolment.workspace, enrolment.automation, enrolment.version)
        goal = None if definition is None else definition.goal
        if definition is None or goal is None:
            return
        came = self._timeline.named_since(contact, enrolment.started_at, goal.event) if tells_of_merge(event) else []
        reached = first_reached(
            goal, contact, enrolment, [*came, event], lambda: self._enrolments.entered_with(*enrolment.place)
        )
        if reached is not None:
            ways = ways_taken(definition, self._enrolments.steps_of(enrolment))
            self._store.convert(enrolment, reached.received_at, ways)
