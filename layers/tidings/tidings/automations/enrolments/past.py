"""What conditions may ask of somebody inside an automation: who they are, and what happened in their enrolment so far.

Everything but the contact is read when a rule first asks for it: the steps taken in one query, whatever is asked of
them, what became of messages in one batched read more, and events by the timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from tidings.activity.facts import ContactFacts
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.enrolments.model import Enrolment, StepTaken
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.steps.answers import answers_of
from tidings.automations.steps.engagement import EngagementReader
from tidings.conditions.model import Condition, components_engaged
from tidings.contacts.model import Contact
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore

ENROLMENT = "enrolment"


class Past:
    """Makes the facts that conditions are asked of inside an enrolment."""

    def __init__(
        self, enrolments: DynamoEnrolmentStore, timeline: TimelineService, engagement: EngagementReader
    ) -> None:
        self._enrolments = enrolments
        self._timeline = timeline
        self._engagement = engagement

    @classmethod
    def over(cls, database: Database) -> Past:
        """On the tables of a database: steps, messages, events and what the timeline needs."""
        timeline = TimelineService(DynamoEventStore(database))
        reader = EngagementReader(database, DynamoMessageStore(database), timeline)
        return cls(DynamoEnrolmentStore(database), timeline, reader)

    def facts(
        self,
        contact: Contact,
        enrolment: Enrolment,
        properties: Mapping[str, Any],
        conditions: Sequence[Condition],
        now: datetime,
    ) -> ContactFacts:
        """The facts for these conditions, nothing read yet. `contact` is who the enrolment's contact is by now."""
        steps = cache(lambda: self._enrolments.steps_of(enrolment))
        components = set().union(*(components_engaged(condition) for condition in conditions))
        return ContactFacts(
            contact=contact,
            now=now,
            properties=properties,
            timeline=self._timeline,
            instants=Instants(enrolment.started_at, steps),
            trigger=enrolment.trigger,
            answers=Late(lambda: answers_of(steps())),
            engaging=self._engagement.of(contact, enrolment, components, steps),
        )


class Late(Mapping[str, Any]):
    """A mapping that is made when it is first looked into."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, Any]:
        return self._make()

    def __getitem__(self, name: str) -> Any:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class Instants(Late):
    """When the enrolment began (`enrolment`), which is known, and when steps were last taken (`step:COMPONENT`)."""

    def __init__(self, began: datetime, steps: Callable[[], Sequence[StepTaken]]) -> None:
        super().__init__(lambda: {ENROLMENT: began, **{f"step:{step.component}": step.at for step in steps()}})
        self._began = began

    def __getitem__(self, name: str) -> Any:
        return self._began if name == ENROLMENT else super().__getitem__(name)
