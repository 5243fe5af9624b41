"""Goals that overtook the enrolment that they belong to.

What somebody does under two identities goes through two shards of the stream, which `react` reads independently. Of a
goal's event that it comes to first it finds nobody to convert. Such an event is stored by then: whoever reads the
timeline once the enrolment is written finds it. So it is asked before the first step, which nobody takes without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidings.activity.timeline import TimelineService
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.goals.rules import first_reached
from tidings.automations.goals.store import DynamoGoalStore

if TYPE_CHECKING:
    from tidings.automations.exits.leaving import Inside


class Overtaking:
    """Converts whoever reached the goal before their enrolment was written."""

    def __init__(self, enrolments: DynamoEnrolmentStore, store: DynamoGoalStore) -> None:
        self._enrolments = enrolments
        self._store = store

    def convert(self, inside: Inside, timeline: TimelineService) -> None:
        """Convert somebody before their first step, by the first goal since they entered; later it is not asked.

        One query for each identity, unless the timeline was asked the same; none without a goal and for who converted.
        For whoever converts one write. May be repeated. Raises Throttled or Unavailable.
        """
        enrolment, contact, goal = inside.enrolment, inside.contact, inside.definition.goal
        if goal is None or enrolment.n or enrolment.converted_at is not None:
            return
        came = timeline.named_since(contact, enrolment.started_at, goal.event)
        reached = first_reached(
            goal,
            contact,
            enrolment,
            came,
            lambda: inside.entered_with or self._enrolments.entered_with(*enrolment.place),
        )
        if reached is not None:
            self._store.convert(enrolment, reached.received_at, ())
