"""Taking the steps of enrolments: what stands around each Task.

A step is recorded once, with its outcome and what follows. A Task that is repeated finds its step and answers the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.automation_store import unknown_version
from tidings.automations.components import Component
from tidings.automations.definition.model import Definition
from tidings.automations.enrolments.model import (
    Enrolment,
    EnrolmentOver,
    EnrolmentParked,
    EnrolmentState,
    StepCall,
    StepTaken,
    until_texts,
)
from tidings.automations.exits.leaving import Doors, Inside, look_back
from tidings.automations.machines.calendar import zone_of
from tidings.automations.machines.graph import Moment, follow, links, recurring
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.contacts.model import Contact
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, Unavailable
from tidings.core.store import ConditionFailed, Database, Key

DEFINITIONS_KEPT = 256


@dataclass(frozen=True)
class Situation:
    """All that one batched read finds around a step."""

    call: StepCall
    workspace: Workspace
    contact: Contact
    enrolment: Enrolment
    definition: Definition
    properties: Mapping[str, Any]
    found: Mapping[Key, Any]

    @property
    def component(self) -> Component:
        """The component that the call is about."""
        return self.definition.components[self.call.component]

    @property
    def waited(self) -> dict[str, str]:
        """Until when they waited before, where they may come again: also at the waits that led here."""
        return {**self.enrolment.waited, **recurring(self.definition, self.enrolment.until)}

    def moment(self, now: datetime) -> Moment:
        """What decides how long the waits last that follow the step."""
        return Moment(
            now=now,
            traits=self.contact.values,
            properties=self.properties,
            zone=zone_of(self.contact.time_zone, self.workspace.time_zone),
            run=self.enrolment.run,
            n=self.call.n + 1,
            waited=self.waited,
        )


class StepRunner:
    """Reads what stands around a step, and records what came of it."""

    def __init__(
        self,
        database: Database,
        workspaces: DynamoWorkspaceStore,
        contacts: DynamoContactStore,
        automations: DynamoAutomationStore,
        enrolments: DynamoEnrolmentStore,
        timeline: TimelineService,
        clock: Clock,
    ) -> None:
        self._database = database
        self._workspaces = workspaces
        self._contacts = contacts
        self._automations = automations
        self.enrolments = enrolments
        self._timeline = timeline
        self._clock = clock
        self._definitions: OrderedDict[tuple[str, str, int], Definition] = OrderedDict()

    @classmethod
    def over(cls, database: Database, clock: Clock) -> StepRunner:
        """A runner on the tables of a database."""
        return cls(
            database,
            DynamoWorkspaceStore(database),
            DynamoContactStore(database),
            DynamoAutomationStore(database),
            DynamoEnrolmentStore(database),
            TimelineService(DynamoEventStore(database)),
            clock,
        )

    def definition(self, call: StepCall) -> Definition:
        """The version that the call runs on; it never changes, so it is read once. Raises NotFound."""
        key = (call.workspace, call.automation, call.version)
        if key not in self._definitions:
            found = self._automations.version(*key)
            if found is None:
                raise unknown_version()
            self._definitions[key] = found.definition
            if len(self._definitions) > DEFINITIONS_KEPT:
                self._definitions.popitem(last=False)
        return self._definitions[key]

    def begin(self, call: StepCall, *more: Key) -> Situation | StepTaken:
        """What stands around a step, in one batched read; the step itself if it was taken before.

        Raises EnrolmentOver if the enrolment is not live, the person was erased or has to leave by an exit, and
        EnrolmentParked while the automation is wholly paused.
        """
        definition = self.definition(call)
        enrolment_key, trigger_key = self.enrolments.key(*call.place), self.enrolments.trigger_key(*call.place)
        step_key, workspace_key = self.enrolments.step_key(call), self._workspaces.key(call.workspace)
        contact_key = self._contacts.contact_key(call.workspace, call.contact)
        found = self._database.batch_get([enrolment_key, trigger_key, step_key, workspace_key, contact_key, *more])
        if step_key in found:
            return self.enrolments.step(found[step_key])
        enrolment = self.enrolments.entity(found[enrolment_key]) if enrolment_key in found else None
        if enrolment is None or contact_key not in found:
            raise EnrolmentOver(call.component)
        if enrolment.state is EnrolmentState.PARKED:
            raise EnrolmentParked(call.component)
        if enrolment.state is not EnrolmentState.LIVE:
            raise EnrolmentOver(call.component)
        contact = self._survivor(self._contacts.entity(found[contact_key]))
        if contact.erased_at is not None:  # their enrolments are ended a moment after they were erased
            raise EnrolmentOver(call.component)
        situation = Situation(
            call=call,
            workspace=self._workspaces.entity(found[workspace_key]),
            contact=contact,
            enrolment=enrolment,
            definition=definition,
            properties=(found[trigger_key].properties or {}) if trigger_key in found else {},
            found=found,
        )
        self._look_back(situation)
        self._park(situation)
        return situation

    def _look_back(self, situation: Situation) -> None:
        """Whoever has to leave does so before the step: what lets them out may not have been reacted to yet.

        Who reached the goal has converted, then too: before the first step that may have found nobody yet.
        """
        now = self._clock.now()
        inside = Inside(situation.enrolment, situation.definition, situation.contact, situation.properties)
        timeline = look_back(self._timeline, inside)
        if situation.definition.goal is not None:
            from tidings.automations.goals.overtaking import Overtaking
            from tidings.automations.goals.store import DynamoGoalStore  # late: who has no goal needs none of it

            store = DynamoGoalStore(self._database, self.enrolments)
            Overtaking(self.enrolments, store).convert(inside, timeline)
        left = Doors(timeline).left(inside, now)
        if left is not None:
            self.enrolments.finish(situation.enrolment, EnrolmentState.EXITED, now, left=left.as_dict())
            raise EnrolmentOver(situation.call.component)

    def _park(self, situation: Situation) -> None:
        """Let somebody rest where nothing is to happen for now: they go on here when that is over."""
        call = situation.call
        if call.automation not in situation.workspace.halted:
            return
        if not self.enrolments.park(call, self._clock.now()):
            raise Unavailable("enrolment_changed", "The enrolment changed at the same time.")
        raise EnrolmentParked(call.component)

    def step(
        self, situation: Situation, outcome: str, link: str, why: Mapping[str, Any], conversation: str = ""
    ) -> StepTaken:
        """The step that an outcome makes: where its link leads, and until when the waits there last."""
        now = self._clock.now()
        target = links(situation.component)[link]
        moment = situation.moment(now)
        following = follow(situation.definition, target, moment)
        return StepTaken(
            n=situation.call.n + 1,
            component=situation.call.component,
            outcome=outcome,
            next=following.next,
            until=until_texts(following),
            at=now,
            why=why,
            conversation=conversation,
            waited=moment.waited,
        )

    def take(self, situation: Situation, outcome: str, link: str, why: Mapping[str, Any]) -> dict[str, Any]:
        """Record a step and answer the machine. Raises EnrolmentOver if the enrolment ended meanwhile."""
        step = self.step(situation, outcome, link, why)
        try:
            self._database.transact(self.enrolments.record(situation.call, step))
        except ConditionFailed as error:
            return self.answer_of_earlier(situation.call, error)
        return step.answer

    def answer_of_earlier(self, call: StepCall, refused: ConditionFailed) -> dict[str, Any]:
        """The answer of a repeat that was faster. Raises EnrolmentOver if there was none."""
        key = self.enrolments.step_key(call)
        item = self._database.batch_get([key]).get(key)
        if item is None:
            raise EnrolmentOver(call.component) from refused
        return self.enrolments.step(item).answer

    def stands(self, call: StepCall) -> tuple[Enrolment | None, StepTaken | None]:
        """An enrolment as it is now, and the step that the call is about, if it was taken: one batched read."""
        place = self.enrolments.key(*call.place)
        step = self.enrolments.step_key(call)
        found = self._database.batch_get([place, step])
        enrolment = self.enrolments.entity(found[place]) if place in found else None
        return enrolment, self.enrolments.step(found[step]) if step in found else None

    def met_again(self, situation: Situation) -> Situation:
        """The same with the contact as it is by now: one batched read, one more where it was merged."""
        key = self._contacts.contact_key(situation.call.workspace, situation.call.contact)
        item = self._database.batch_get([key]).get(key)
        return situation if item is None else replace(situation, contact=self._survivor(self._contacts.entity(item)))

    def _survivor(self, contact: Contact) -> Contact:
        if not contact.merged_into:
            return contact
        return self._contacts.current(contact.workspace, contact.merged_into) or contact


def wrong_component(call: StepCall) -> NotFound:
    """That a component is not of the kind that a function carries out."""
    return NotFound("unknown_component", f"{call.component} is no component of this kind.", "component")
