"""What a component that sends does, whatever the channel: one message for each visit, and the step with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from tidings.automations.enrolments import StepCall, StepTaken
from tidings.automations.model import Sends
from tidings.automations.steps import Situation, StepRunner, wrong_component
from tidings.core.ids import message_id
from tidings.core.store import ConditionFailed, Part
from tidings.messages.model import Message, OnUnknown, Template
from tidings.messages.orders import Order, kind_of
from tidings.messages.path import MessagePath
from tidings.messages.rules import outcome_of
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

O = TypeVar("O", bound=Order)  # noqa: E741 - an order of the channel
S = TypeVar("S", bound=Sends)

# What a message's outcome means where a component has no link of that name.
_LINKS = {"refused": "skipped"}


class SendTask(Generic[S, O]):
    """Sends a component's message. What a channel adds says `order`."""

    component: type[S]

    def __init__(
        self,
        runner: StepRunner,
        path: MessagePath[O, Any],
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
    ) -> None:
        self._runner = runner
        self._path = path
        self._templates = templates
        self._messages = messages

    def run(self, call: StepCall) -> dict[str, Any]:
        """Take the step; the machine's answer. Raises what `MessagePath.send` raises, for the machine to retry."""
        component = self._runner.definition(call).components.get(call.component)
        if not isinstance(component, self.component):
            raise wrong_component(call)
        message = message_id(call.contact, call.automation, call.entry, call.component, str(call.n))
        message_key = self._messages.key(call.workspace, call.contact, message)
        template_key = self._templates.live_key(call.workspace, component.template)
        situation = self._runner.begin(call, message_key, template_key)
        if isinstance(situation, StepTaken):
            return situation.answer
        template = situation.found.get(template_key)
        found = None if template is None else self._templates.entity(template)
        order = self.order(component, ordered(situation, component, message, found))
        item = situation.found.get(message_key)
        company = _Enrolled(self._runner, situation)
        try:
            sent = self._path.send(order, None if item is None else self._messages.entity(item), company)
        except ConditionFailed as error:
            return self._runner.answer_of_earlier(call, error)
        return company.step_for(sent).answer

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
    """Goes with a message on behalf of the enrolment that ordered it."""

    def __init__(self, runner: StepRunner, situation: Situation) -> None:
        self._runner = runner
        self._situation = situation
        self._steps: dict[str, StepTaken] = {}

    def guards(self) -> list[Part]:
        """The claim holds only while the enrolment is live."""
        return [self._runner.enrolments.live(self._situation.call)]

    def records(self, outcome: str) -> list[Part]:
        """The step, and what follows."""
        return self._runner.enrolments.record(self._situation.call, self._step(outcome), live=False)

    def step_for(self, message: Message) -> StepTaken:
        """The step that was recorded with the message."""
        return self._step(outcome_of(message.state))

    def _step(self, outcome: str) -> StepTaken:
        if outcome not in self._steps:
            link = _LINKS.get(outcome, outcome)
            self._steps[outcome] = self._runner.step(self._situation, outcome, link, {})
        return self._steps[outcome]
