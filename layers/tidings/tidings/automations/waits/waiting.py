"""The Task of a component that waits for an event: it writes down that somebody waits, and then looks for the event.

What it looks for may have come before it was asked to wait. So it first registers the wait and then reads the timeline
since the waiting began; `react` looks for registered waits once an event is stored (`waking`). Whichever comes second
finds the other, and of both that do only one takes the step, which ends the wait in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidings.activity.changes import CONTACT_UPDATED
from tidings.activity.model import Event
from tidings.activity.own_events import OF_MESSAGES
from tidings.activity.timeline import TimelineService
from tidings.automations.components import Awaits, Decides, Sends, UpdateContact, Wait, Webhook
from tidings.automations.components.sends import WENT
from tidings.automations.components.waits import EventArm
from tidings.automations.definition.names import TIMEOUT
from tidings.automations.enrolments.model import StepCall, StepTaken, message_of
from tidings.automations.machines.following import REST, Run
from tidings.automations.machines.gateway import StepFunctionsGateway
from tidings.automations.machines.graph import follow
from tidings.automations.machines.lasting import renews
from tidings.automations.steps.runner import Situation, StepRunner, wrong_component
from tidings.automations.waits.acted import Acted, received_at
from tidings.automations.waits.rules import OpenWait, first_of, properties_for, step_of
from tidings.automations.waits.store import DynamoWaitStore
from tidings.core.clock import Clock, from_text, to_text
from tidings.core.store import ConditionFailed, Database
from tidings.messages.store import DynamoMessageStore


@dataclass(frozen=True)
class Waited:
    """Somebody at a component that waits: what stands around them, and their wait. `is_known` if it was registered."""

    situation: Situation
    component: Awaits
    wait: OpenWait
    is_known: bool


class WaitForTask:
    """Waits for an event, in the name of a machine that waits with a token."""

    def __init__(
        self,
        database: Database,
        runner: StepRunner,
        waits: DynamoWaitStore,
        messages: DynamoMessageStore,
        timeline: TimelineService,
        machines: StepFunctionsGateway,
        clock: Clock,
    ) -> None:
        self._database = database
        self._runner = runner
        self._waits = waits
        self._messages = messages
        self._timeline = timeline
        self._machines = machines
        self._clock = clock

    def run(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Serve a Task: begin to wait with its `token`, say how long is `left`, or settle that its time ran out.

        May be repeated, with the same token or a new one. Raises EnrolmentOver, and what AWS could not do, for the
        machine to retry.
        """
        call, ask = StepCall.of(payload), payload.get("ask", "")
        found = self._around(call)
        if ask == "left":
            return {"seconds": 1 if isinstance(found, StepTaken) else found.wait.left(self._clock.now())}
        if ask == TIMEOUT:
            return self._timed_out(found)
        token = str(payload["token"])
        step = found if isinstance(found, StepTaken) else self._begin(found, token)
        if step is not None:
            self._machines.succeed(token, step.onward)
        return {}

    def _begin(self, waited: Waited, token: str) -> StepTaken | None:
        """Register the wait, and only then look whether it is over; None if it is not."""
        waited = replace(waited, wait=replace(waited.wait, token=token), is_known=True)
        if not self._waits.register(waited.wait, waited.component.events):
            return self._taken(waited.situation.call)
        # A merge may have been reacted to since the contact was read, which found nobody waiting yet.
        waited = replace(waited, situation=self._runner.met_again(waited.situation))
        event = self._look(waited)
        if event is None and self._clock.now() < waited.wait.deadline:
            return None
        return self._end(waited, event)

    def _timed_out(self, found: Waited | StepTaken) -> dict[str, Any]:
        """What came in time counts, even if nobody has told the wait of it yet.

        Before its deadline it is only the execution that has lasted long enough: it rests, and a new one waits on.
        """
        if isinstance(found, StepTaken):
            return found.answer
        event, now = self._look(found), self._clock.now()
        if event is None and now < found.wait.deadline and renews(found.situation.definition):
            return {"n": found.situation.call.n, "next": REST, "until": {REST: to_text(now)}}
        return self._end(found, event).answer

    def _look(self, waited: Waited) -> Event | None:
        """The event that ends the wait, if it came: one consistent query for each identity."""
        contact, since = waited.situation.contact, waited.wait.since
        events = self._timeline.named_since(contact, since, *sorted(waited.component.events))
        return first_of(waited.component, waited.wait, events, contact)

    def _end(self, waited: Waited, event: Event | None) -> StepTaken:
        """Take the step, unless somebody was faster: then theirs. Raises EnrolmentOver if the enrolment ended."""
        situation, now = waited.situation, self._clock.now()
        step = step_of(situation.definition, waited.wait, situation.contact, event, now)
        if step is None:
            raise wrong_component(situation.call)
        parts = self._runner.enrolments.record(situation.call, step)
        if waited.is_known:
            parts.append(self._waits.end(waited.wait, TIMEOUT if event is None else event.message_id, now))
        try:
            self._database.transact(parts)
        except ConditionFailed:
            return self._taken(situation.call)
        return step

    def _taken(self, call: StepCall) -> StepTaken:
        """The step that somebody else took meanwhile. Raises EnrolmentOver if nobody did."""
        found = self._around(call)
        if isinstance(found, StepTaken):
            return found
        raise ConditionFailed(["wait"])

    def _around(self, call: StepCall) -> Waited | StepTaken:
        component = self._runner.definition(call).components.get(call.component)
        if not isinstance(component, Awaits):
            raise wrong_component(call)
        key = self._waits.key(call)
        situation = self._runner.begin(call, key)
        if isinstance(situation, StepTaken):
            return situation
        if key in situation.found:
            # What follows is counted from the execution that they are in by now, not from the one that they came in.
            wait = replace(self._waits.entity(situation.found[key]), run=_run(situation))
            return Waited(situation, component, wait, True)
        return Waited(situation, component, self._new(situation, component), False)

    def _new(self, situation: Situation, component: Awaits) -> OpenWait:
        call, enrolment = situation.call, situation.enrolment
        written, now = enrolment.until.get(call.component), self._clock.now()
        # Where days are made shorter for a local system, a wait before this one ends before its time.
        deadline = min(from_text(written), now + component.length) if written else now + component.length
        steps = self._runner.enrolments.steps_of(enrolment) if call.n else []
        sent = {arm.of or arm.event: _sending(situation, arm, steps) for arm in component.awaited}
        acted = Acted(self._database, self._messages, call, filter(None, sent.values()))
        begins = _begins(sent, acted, _began(situation, steps, acted, deadline - component.length))
        since = min(begins.values())
        zone = situation.workspace.time_zone
        return OpenWait(
            call=call,
            token="",
            since=since,
            deadline=deadline,
            passed=_passed(situation, component, steps, since),
            properties=properties_for(situation.definition, situation.properties),
            messages=_messages_of(call, component, steps),
            zone="" if zone == "UTC" else zone,
            run=_run(situation),
            waited=situation.waited,
            begins=begins if len(begins) > 1 else {},
        )


def _begins(sent: Mapping[str, StepTaken | None], acted: Acted, since: datetime) -> dict[str, datetime]:
    """Since when what counts that arms are about: of a message, since it was sent; of all else, `since`."""
    begins = {name: min(since, acted.at(step)) for name, step in sent.items() if step is not None}
    return {"": since, **begins}


def _began(situation: Situation, steps: Sequence[StepTaken], acted: Acted, since: datetime) -> datetime:
    """Since when events count that are about no message: when the component before it acted.

    That is not when it was known, which may be later by as long as AWS fails; of a webhook it is when somebody came
    to it, since its server may tell what it did before it answers. What only decided in between takes no time.
    After a wait it is when that ended.
    """
    call, n = situation.call, situation.call.n
    if not n:
        return since
    taken = {step.n: step for step in steps}
    reached, until = call.component, since
    while n in taken and taken[n].next == reached:
        step = taken[n]
        component = situation.definition.components.get(step.component)
        if isinstance(component, Webhook):
            return min(until, _came(situation, step, taken.get(n - 1), until))
        if not isinstance(component, Decides):
            return min(until, acted.at(step))
        reached, until, n = step.component, min(until, step.at), n - 1
    return min(until, _entered(situation, reached, taken.get(n), until))


def _came(situation: Situation, step: StepTaken, before: StepTaken | None, latest: datetime) -> datetime:
    """When somebody came to the component of a step."""
    if before is None or before.next != step.component:
        return _entered(situation, step.component, before, latest)
    return received_at(before) or before.at


def _entered(situation: Situation, component: str, before: StepTaken | None, latest: datetime) -> datetime:
    """When somebody came to a component with nothing or a wait before it."""
    if before is not None:
        return max(_ends(situation, before.until), default=latest)
    moment = replace(situation.moment(situation.enrolment.started_at), run=None, waited={})
    following = follow(situation.definition, situation.definition.start, moment)
    waited = situation.definition.start != component
    return max(following.until.values(), default=latest) if waited else situation.enrolment.started_at


def _run(situation: Situation) -> Run | None:
    """The execution that somebody is in, where that may not last as long as they do."""
    return situation.enrolment.run if renews(situation.definition) else None


def _ends(situation: Situation, until: Mapping[str, str]) -> Sequence[datetime]:
    components = situation.definition.components
    return [from_text(end) for name, end in until.items() if isinstance(components.get(name), Wait)]


def _sending(situation: Situation, arm: EventArm, steps: Sequence[StepTaken]) -> StepTaken | None:
    """The step that sent the message that an arm is about: the last of the component that it names, else of any."""
    components = situation.definition.components
    for step in reversed(steps):
        went = isinstance(components.get(step.component), Sends) and step.outcome in WENT
        if step.component == arm.of or (arm.of is None and went and arm.event in OF_MESSAGES):
            return step
    return None


def _passed(situation: Situation, component: Awaits, steps: Sequence[StepTaken], since: datetime) -> tuple[str, ...]:
    """The message ids of what does not count: what the enrolment began with, ended waits of it before, or made."""
    passed = [situation.enrolment.event.get("message_id", "")]
    for step in steps:
        before = situation.definition.components.get(step.component)
        if isinstance(before, UpdateContact) and step.at >= since and CONTACT_UPDATED in component.events:
            passed.append(str(step.why.get("event", "")))
        if isinstance(before, Awaits) and (received_at(step) or step.at) >= since and before.events & component.events:
            passed.append(str(step.why.get("message_id", "")))
    return tuple(sorted({one for one in passed if one}))


def _messages_of(call: StepCall, component: Awaits, steps: Sequence[StepTaken]) -> dict[str, list[str]]:
    """The messages that arms are about, as far as they were sent."""
    named = {arm.of for arm in component.awaited if arm.of is not None}
    found: dict[str, list[str]] = {name: [] for name in sorted(named)}
    for step in steps:
        if step.component in named:
            found[step.component].append(message_of(call, step.component, step.n))
    return found
