"""The component `assign_conversation`: the conversation and the step change in one transaction.

A conversation that nobody began yet is not there to be changed: what is to become of it is written down as its plan,
and who answers first makes it so. Both say of the other that it did not happen meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.automations.components import AssignConversation
from tidings.automations.steps.acting import Acting
from tidings.automations.steps.runner import Situation, StepRunner
from tidings.automations.steps.threads import acting_as, upstream
from tidings.conversations.changes import moved
from tidings.conversations.inboxes import require_inbox
from tidings.conversations.model import Conversation
from tidings.conversations.plans import DynamoPlanStore, Plan
from tidings.conversations.rules import transferred
from tidings.conversations.store import DynamoConversationStore
from tidings.conversations.telling import TRANSFERRED, changed
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, Unavailable
from tidings.core.store import ConditionFailed, Database, Part

ASSIGNED, NONE = "assigned", "none"
TRIES = 5
_ENROLLED = frozenset({"enrolment", "step"})


class AssigningConversation(Acting):
    """Gives the closest conversation on somebody's way to an inbox."""

    def __init__(
        self,
        database: Database,
        runner: StepRunner,
        conversations: DynamoConversationStore,
        events: DynamoEventStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._runner = runner
        self._conversations = conversations
        self._plans = DynamoPlanStore(database)
        self._events = events
        self._clock = clock

    def act(self, situation: Situation, component: AssignConversation) -> dict[str, Any]:
        """Take the step; the machine's answer. Raises Unavailable where the conversation keeps changing."""
        name = upstream(situation)
        try:
            require_inbox(situation.workspace, component.inbox)
        except NotFound as error:
            return self._none(situation, "inbox", error.message)
        if not name:
            return self._none(situation, "conversation", "there is no conversation before this on the way")
        for _ in range(TRIES):
            found = self._conversations.get(situation.call.workspace, name)
            if found is not None and not found.is_open:
                return self._none(situation, "conversation", "the conversation is resolved", name)
            parts = self._parts(situation, component, name, found)
            step = self._runner.step(situation, ASSIGNED, ASSIGNED, _why(component, name, found))
            try:
                self._database.transact([*parts, *self._runner.enrolments.record(situation.call, step)])
            except ConditionFailed as error:
                if error.labels & _ENROLLED:
                    return self._runner.answer_of_earlier(situation.call, error)
                continue
            return step.answer
        raise Unavailable("conversation_contended", "The conversation kept changing.")

    def _none(self, situation: Situation, check: str, found: str, name: str = "") -> dict[str, Any]:
        why = {"check": check, "found": found, **({"conversation": name} if name else {})}
        return self._runner.take(situation, NONE, NONE, why)

    def _parts(
        self, situation: Situation, component: AssignConversation, name: str, before: Conversation | None
    ) -> list[Part]:
        """The conversation where it is to be, and the event; nothing where it is there already.

        Of one that nobody began yet, what is to become of it.
        """
        workspace = situation.call.workspace
        if before is None:
            plan = Plan(name, component.inbox, component.agent or "")
            return [self._conversations.absent(workspace, name), self._plans.part(workspace, plan)]
        after = transferred(before, component.agent, component.inbox)
        if after == before:
            return []
        told = {"by": acting_as(situation), **moved(before, after)}
        event = changed(after, TRANSFERRED, told, self._clock.now(), situation.enrolment.node)
        return [*self._conversations.changing(before, after), self._events.part(event)]


def _why(component: AssignConversation, name: str, found: Conversation | None) -> Mapping[str, Any]:
    when = " once somebody begins it" if found is None else ""
    to = f"{component.inbox}, to {component.agent}" if component.agent else component.inbox
    return {"check": "conversation", "found": f"goes to {to}{when}", "conversation": name, "inbox": component.inbox}
