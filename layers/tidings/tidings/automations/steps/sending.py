"""What a component that sends does, whatever the channel: one message for each visit, and the step with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from tidings.automations.components import Sends
from tidings.automations.components.sends import WENT
from tidings.automations.enrolments.model import Enrolment, StepCall, StepTaken, message_of
from tidings.automations.steps.runner import Situation, StepRunner, wrong_component
from tidings.automations.steps.threads import Thread, Threads
from tidings.consent.model import Channel
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Part
from tidings.messages.model import Message, OnUnknown, State, Template
from tidings.messages.orders import Order, kind_of
from tidings.messages.path import MessagePath
from tidings.messages.rules import outcome_of
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

O = TypeVar("O", bound=Order)  # noqa: E741 - an order of the channel
S = TypeVar("S", bound=Sends)

# What a message's outcome means where a component has no link of that name.
_LINKS = {"refused": "skipped"}
# Who refuses where the enrolment is over, or somebody else took the step.
ENROLLED = frozenset({"enrolment", "step"})
TRIES = 5


class SendTask(Generic[S, O]):
    """Sends a component's message. What a channel adds says `order`."""

    component: type[S]

    def __init__(
        self,
        runner: StepRunner,
        path: MessagePath[O, Any],
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
        threads: Threads,
    ) -> None:
        self._runner = runner
        self._path = path
        self._templates = templates
        self._messages = messages
        self._threads = threads

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer. Raises what `MessagePath.send` raises, for the machine to retry."""
        component = self._runner.definition(call).components.get(call.component)
        if not isinstance(component, self.component):
            raise wrong_component(call)
        message = message_of(call, call.component, call.n + 1)
        message_key = self._messages.key(call.workspace, call.contact, message)
        template_key = self._templates.live_key(call.workspace, component.template)
        situation = self._runner.begin(call, message_key, template_key)
        if isinstance(situation, StepTaken):
            return situation.answer
        template = situation.found.get(template_key)
        found = None if template is None else self._templates.entity(template)
        told = ordered(situation, component, message, found)
        item = situation.found.get(message_key)
        known = None if item is None else self._messages.entity(item)
        for _ in range(TRIES):
            thread = self._threads.of(situation, component, message)
            order = self.order(component, told | {"conversation": thread.id})
            company = _Enrolled(self._runner, situation, thread, partial(self._shown, situation, thread, order, known))
            try:
                sent = self._path.send(order, known, company)
            except ConditionFailed as error:
                if error.labels & ENROLLED or not error.labels:
                    return self._runner.answer_of_earlier(call, error)
                continue  # somebody began the conversation, wrote in it, or changed it otherwise
            return company.step_for(sent).answer
        raise Unavailable("conversation_contended", "The conversation kept changing.")

    def _shown(self, situation: Situation, thread: Thread, order: O, known: Message | None) -> list[Part]:
        """What the conversation shows of the message: once, with its first claim; or that nobody began it yet.

        What the person will read is asked of the path once more, as it is asked for the replies of agents.
        """
        if known is not None and State.CLAIMED.value in known.history:
            return []
        if thread.open is None:
            return self._threads.unbegun(thread, situation)
        view = self._path.decide(order)
        channel = Channel(view.decision.channel)
        return self._threads.shown(thread, situation, channel, order.message_id, view.content)

    def order(self, component: S, told: Mapping[str, Any]) -> O:
        """The channel's order, with what is told of any."""
        raise NotImplementedError


def ordered(situation: Situation, component: Sends, message: str, template: Template | None) -> dict[str, Any]:
    """What an order says whatever its channel, by the names of its fields."""
    call, event = situation.call, situation.enrolment.event
    return {
        "workspace": situation.workspace,
        "contact": situation.contact,
        "owner": call.contact,
        "message_id": message,
        "template_name": component.template,
        "template": template,
        "kind": kind_of(component.kind, template),
        "on_unknown": OnUnknown(component.on_unknown),
        "event": situation.properties,
        "cause": {
            "automation": call.automation,
            "version": str(call.version),
            "entry": call.entry,
            "component": call.component,
            "event": event.get("message_id", ""),
        },
        "root": situation.enrolment.began_by,
        "topic": component.topic or "",
        "versions": {"automation": call.version},
    }


class _Enrolled:
    """Goes with a message on behalf of the enrolment that ordered it.

    The step is recorded once, whichever repeat of the Task is first. What went is recorded also for somebody who left
    or was parked meanwhile, unless they were erased. `shown` is what its conversation shows of the message.
    """

    def __init__(
        self, runner: StepRunner, situation: Situation, thread: Thread, shown: Callable[[], list[Part]]
    ) -> None:
        self._runner = runner
        self._situation = situation
        self._thread = thread
        self._shown = shown
        self._steps: dict[str, StepTaken] = {}
        self._taken: StepTaken | None = None
        self._met: Enrolment | None = None

    def guards(self) -> list[Part]:
        """The claim holds only while the enrolment is live; with it the message stands in its conversation.

        Where nobody began that, it holds only while that is so.
        """
        return [self._runner.enrolments.live(self._situation.call), *self._shown()]

    def records(self, message: Message) -> list[Part]:
        """The step, and what follows."""
        if self._taken is not None:
            return []
        call, step = self._situation.call, self.step_for(message)
        if self._met is not None and self._met.ended is not None:
            return self._runner.enrolments.record_late(call, step, self._met)
        return self._runner.enrolments.record(call, step)

    def refused(self, error: ConditionFailed) -> None:
        """A repeat recorded the step; or the person left, was parked or goes on meanwhile; or nobody is there."""
        self._met, self._taken = self._runner.stands(self._situation.call)
        if self._taken is None and (self._met is None or self._met.erased):
            self._taken = self._step("unknown", {})

    def step_for(self, message: Message) -> StepTaken:
        """The step that was recorded with the message."""
        return self._taken or self._step(outcome_of(message.state), _why(message))

    def _step(self, outcome: str, why: Mapping[str, Any]) -> StepTaken:
        if outcome not in self._steps:
            link = _LINKS.get(outcome, outcome)
            conversation = self._thread.id if outcome in WENT else ""
            self._steps[outcome] = self._runner.step(self._situation, outcome, link, why, conversation)
        return self._steps[outcome]


def _why(message: Message) -> dict[str, Any]:
    """The check that decided not to send."""
    if message.state is not State.SKIPPED:
        return {}
    return next((dict(check) for check in message.decision.get("checks", ()) if check["passed"] is False), {})
