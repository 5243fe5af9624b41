"""The component `webhook`: tells a server of the workspace's, and keeps what it answers.

A call is made at least once. Whoever repeats it, since nobody heard the answer, says so by the same `webhook-id`; where
an answer was recorded, nobody is called again. The machine repeats a call that may go well later (`compile`): until
then the Task raises WebhookUnanswered, and with its last attempt the step is `failed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tidings.automations.components import Webhook
from tidings.automations.enrolments.model import StepCall, StepTaken, message_of
from tidings.automations.steps.answers import ANSWER
from tidings.automations.steps.runner import Situation, StepRunner, wrong_component
from tidings.automations.webhooks.body import encoded, filled
from tidings.automations.webhooks.retry import RETRIES
from tidings.automations.webhooks.signing import secrets_of, signed
from tidings.core.clock import Clock
from tidings.core.documents import parse_value, require_plain, storable
from tidings.core.errors import InvalidInput, Unavailable
from tidings.core.logs import logger

ANSWERED, FAILED = "answered", "failed"
KEPT_JSON_BYTES = 8 * 1024
KEPT_CHARACTERS = 2000


class WebhookUnanswered(Unavailable):
    """The server did not take it, and may do so later. The machine asks again."""


class Heard(Protocol):
    """What came of a call: `gateway.Heard`."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def again(self) -> bool: ...
    @property
    def went_well(self) -> bool: ...


class Caller(Protocol):
    """What calls servers outside: `gateway.WebhookGateway`."""

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard: ...


class WebhookTask:
    """Calls a component's webhook."""

    def __init__(self, runner: StepRunner, caller: Caller, clock: Clock) -> None:
        self._runner = runner
        self._caller = caller
        self._clock = clock

    def run(self, call: StepCall, retry: int) -> dict[str, Any]:
        """Take the step; the machine's answer. `retry` counts the attempts before this one.

        Raises WebhookUnanswered, for the machine to try again later, and EnrolmentOver, which it does not.
        """
        situation = self._runner.begin(call)
        if isinstance(situation, StepTaken):
            return situation.answer
        component = situation.component
        if not isinstance(component, Webhook):
            raise wrong_component(call)
        try:
            heard = self._called(situation, component)
        except InvalidInput as error:
            return self._take(situation, FAILED, {"status": 0, "body": None, "reason": f"not called: {error.message}"})
        if heard.again and retry < RETRIES:
            attempt = f"attempt {retry + 1} of {RETRIES + 1}"
            raise WebhookUnanswered("webhook_unanswered", f"{heard.reason} ({attempt})")
        return self._take(situation, ANSWERED if heard.went_well else FAILED, kept(heard))

    def _called(self, situation: Situation, component: Webhook) -> Heard:
        """One call. Raises InvalidInput where there is nothing to call with."""
        now = self._clock.now()
        if component.body is None:
            body = encoded(default_body(situation))
        else:
            body = filled(component.body, told(situation), now)
        signature = signed(secrets_of(situation.workspace, now), webhook_id(situation.call), now, body)
        return self._caller.call(component.method, component.url, _headers(component.headers) | signature, body)

    def _take(self, situation: Situation, outcome: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        call = situation.call
        if outcome == FAILED:
            names = {"automation": call.automation, "component": call.component, "status": answer["status"]}
            logger.warning("webhook failed", extra=names)
        why = {ANSWER: dict(answer), "webhook_id": webhook_id(call)}
        return self._runner.take(situation, outcome, outcome, why)


def webhook_id(call: StepCall) -> str:
    """What a call is known by to its receiver: the same at each repeat of this visit of the component."""
    return message_of(call, call.component, call.n + 1)


def _headers(own: Mapping[str, str]) -> dict[str, str]:
    """What is sent beside the signature; a component's own headers come before ours."""
    named = {name.lower() for name in own}
    ours = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "Tidings"}
    return {name: value for name, value in ours.items() if name.lower() not in named} | dict(own)


def told(situation: Situation) -> dict[str, Any]:
    """What a body's texts may speak of."""
    contact = situation.contact
    return {
        "contact": {**contact.values, "id": contact.id, "user_id": contact.user_id},
        "event": dict(situation.properties),
        "automation": _place(situation),
    }


def default_body(situation: Situation) -> dict[str, Any]:
    """What is told where a component says nothing else."""
    contact = situation.contact
    return {
        "contact": {"id": contact.id, "user_id": contact.user_id, "traits": contact.values},
        "event": dict(situation.properties),
        "automation": _place(situation),
    }


def _place(situation: Situation) -> dict[str, Any]:
    call = situation.call
    return {"name": call.automation, "version": call.version, "entry": call.entry, "component": call.component}


def kept(heard: Heard) -> dict[str, Any]:
    """What a step keeps of an answer: `status`, `body` and `reason`.

    The body is what its JSON says, if it calls itself so and has at most 8 KB, else the beginning of it as text; None
    where there is none, or it could not be read. Nothing in it may keep the step from being stored and shown.
    """
    return {"status": heard.status, "body": _read(heard.body, heard.content_type), "reason": storable(heard.reason)}


def _read(body: bytes, content_type: str) -> Any:
    if not body:
        return None
    if len(body) <= KEPT_JSON_BYTES and (content_type == "application/json" or content_type.endswith("+json")):
        try:
            value = parse_value(body)
            require_plain({"body": value})
        except InvalidInput:
            pass
        else:
            return value
    return storable(body.decode("utf-8", "replace"))[:KEPT_CHARACTERS]
