"""Taking the steps of enrolments: what stands around each Task, and the Tasks themselves.

A step is recorded once, with its outcome and what follows. A Task that is repeated finds its step and answers the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.facts import ContactFacts
from tidings.activity.timeline import TimelineService
from tidings.automations.enrolments import (
    Enrolment,
    EnrolmentOver,
    EnrolmentState,
    StepCall,
    StepTaken,
    until_texts,
)
from tidings.automations.graph import Moment, follow, links
from tidings.automations.model import OTHERWISE, Branch, CheckSuppression, Component, Definition
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.conditions.model import needs_events, steps_named
from tidings.consent.gate import Gate
from tidings.consent.model import MARKETING, Channel, Check, Kind
from tidings.contacts.model import Contact
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.store import ConditionFailed, Database, Key

DEFINITIONS_KEPT = 256
# Of how many rules a step keeps the explanation: an item holds 400 KB at most.
EXPLAINED_RULES = 200


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


class StepRunner:
    """Reads what stands around a step, and records what came of it."""

    def __init__(
        self,
        database: Database,
        workspaces: DynamoWorkspaceStore,
        contacts: DynamoContactStore,
        automations: DynamoAutomationStore,
        enrolments: DynamoEnrolmentStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._workspaces = workspaces
        self._contacts = contacts
        self._automations = automations
        self.enrolments = enrolments
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
            clock,
        )

    def definition(self, call: StepCall) -> Definition:
        """The version that the call runs on; it never changes, so it is read once. Raises NotFound."""
        key = (call.workspace, call.automation, call.version)
        if key not in self._definitions:
            place = self._automations.version_key(*key)
            item = self._database.batch_get([place]).get(place)
            if item is None:
                raise NotFound("unknown_version", "There is no such version of the automation.", "version")
            self._definitions[key] = self._automations.entity(item).definition
            if len(self._definitions) > DEFINITIONS_KEPT:
                self._definitions.popitem(last=False)
        return self._definitions[key]

    def begin(self, call: StepCall, *more: Key) -> Situation | StepTaken:
        """What stands around a step, in one batched read; the step itself if it was taken before.

        Raises EnrolmentOver if the enrolment is not live.
        """
        definition = self.definition(call)
        place = (call.workspace, call.contact, call.automation, call.entry)
        enrolment_key, trigger_key = self.enrolments.key(*place), self.enrolments.trigger_key(*place)
        step_key, workspace_key = self.enrolments.step_key(call), self._workspaces.key(call.workspace)
        contact_key = self._contacts.contact_key(call.workspace, call.contact)
        found = self._database.batch_get([enrolment_key, trigger_key, step_key, workspace_key, contact_key, *more])
        if step_key in found:
            return self.enrolments.step(found[step_key])
        enrolment = self.enrolments.entity(found[enrolment_key]) if enrolment_key in found else None
        if enrolment is None or enrolment.state is not EnrolmentState.LIVE or contact_key not in found:
            raise EnrolmentOver(call.component)
        return Situation(
            call=call,
            workspace=self._workspaces.entity(found[workspace_key]),
            contact=self._survivor(self._contacts.entity(found[contact_key])),
            enrolment=enrolment,
            definition=definition,
            properties=(found[trigger_key].properties or {}) if trigger_key in found else {},
            found=found,
        )

    def step(self, situation: Situation, outcome: str, link: str, why: Mapping[str, Any]) -> StepTaken:
        """The step that an outcome makes: where its link leads, and until when the waits there last."""
        now = self._clock.now()
        target = links(situation.component)[link]
        moment = Moment(now, situation.contact.values, situation.properties)
        following = follow(situation.definition, target, moment)
        return StepTaken(
            n=situation.call.n + 1,
            component=situation.call.component,
            outcome=outcome,
            next=following.next,
            until=until_texts(following),
            at=now,
            why=why,
        )

    def take(self, situation: Situation, outcome: str, link: str, why: Mapping[str, Any]) -> dict[str, Any]:
        """Record a step and answer the machine. Raises EnrolmentOver if the enrolment ended meanwhile."""
        step = self.step(situation, outcome, link, why)
        try:
            self._database.transact(self.enrolments.record(situation.call, step, live=True))
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

    def instants(self, situation: Situation, names: set[str]) -> dict[str, Any]:
        """When the enrolment began, and when the named steps were last taken: one query if there are any."""
        instants = {"enrolment": situation.enrolment.started_at}
        if names:
            for step in self.enrolments.steps_of(situation.enrolment):
                if step.component in names:
                    instants[f"step:{step.component}"] = step.at
        return instants

    def _survivor(self, contact: Contact) -> Contact:
        if not contact.merged_into:
            return contact
        return self._contacts.current(contact.workspace, contact.merged_into) or contact


class BranchTask:
    """Sends a person along the first arm whose condition holds."""

    def __init__(self, runner: StepRunner, timeline: TimelineService, clock: Clock) -> None:
        self._runner = runner
        self._timeline = timeline
        self._clock = clock

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer."""
        situation = self._runner.begin(call)
        if isinstance(situation, StepTaken):
            return situation.answer
        branch = situation.component
        if not isinstance(branch, Branch):
            raise wrong_component(call)
        arm, why = self._choose(situation, branch)
        return self._runner.take(situation, arm, arm, why)

    def _choose(self, situation: Situation, branch: Branch) -> tuple[str, dict[str, Any]]:
        names = set().union(*(steps_named(arm.when) for arm in branch.arms))
        facts = ContactFacts(
            contact=situation.contact,
            now=self._clock.now(),
            properties=situation.properties,
            timeline=self._timeline if any(needs_events(arm.when) for arm in branch.arms) else None,
            instants=self._runner.instants(situation, names),
            trigger=(situation.enrolment.event.get("identity", ""), situation.enrolment.event.get("message_id", "")),
        )
        chosen, why = OTHERWISE, {}
        for arm in branch.arms:
            holds = evaluate(arm.when, facts)
            why[arm.name] = explain(arm.when, facts).as_dict(most=EXPLAINED_RULES // len(branch.arms))
            if holds:
                chosen = arm.name
                break
        return chosen, why


class CheckSuppressionTask:
    """Asks whether the contact may be written to, without writing."""

    def __init__(self, runner: StepRunner, gate: Gate) -> None:
        self._runner = runner
        self._gate = gate

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer. Somebody without an address is as good as suppressed."""
        situation = self._runner.begin(call)
        if isinstance(situation, StepTaken):
            return situation.answer
        component = situation.component
        if not isinstance(component, CheckSuppression):
            raise wrong_component(call)
        check = self._check(situation, component)
        outcome = "clear" if check.passed else "suppressed"
        return self._runner.take(situation, outcome, outcome, check.as_dict())

    def _check(self, situation: Situation, component: CheckSuppression) -> Check:
        contact, kind = situation.contact, Kind(component.kind) if component.kind else None
        channel = Channel(component.channel)
        address, what = {
            Channel.EMAIL: (contact.email, "e-mail address"),
            Channel.SMS: (contact.phone, "phone number"),
        }[channel]
        if not address:
            return Check("address", False, f"the contact has no {what}")
        topic = component.topic or MARKETING.name
        try:
            return self._gate.ask(situation.workspace, contact, channel, address, kind, topic).deciding
        except InvalidInput as error:
            return Check("address", False, error.message)


def wrong_component(call: StepCall) -> NotFound:
    """That a component is not of the kind that a function carries out."""
    return NotFound("unknown_component", f"{call.component} is no component of this kind.", "component")
