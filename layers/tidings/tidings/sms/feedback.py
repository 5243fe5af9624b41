"""Taking in what became of text messages, and who followed their links. Every step may be repeated, in any order.

First nobody is written to any more who must not be. Then one transaction moves the message, keeps what it cost, counts
for reports, and puts the event on the timeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.consent.model import Answered, Channel, Reason
from tidings.consent.stopping import StopService
from tidings.core.clock import Clock
from tidings.core.ids import contact_of_message
from tidings.core.store import Part
from tidings.messages.bouncing import Bouncing
from tidings.messages.machines import PUT_OFF_SECONDS, Verdict
from tidings.messages.model import Message, State
from tidings.messages.recording import Recording, Told
from tidings.sms import clicks, events
from tidings.sms.acceptance import Acceptance
from tidings.sms.clicks import CLICK, Click
from tidings.sms.events import Delivery

_NEVER_SENT = frozenset({State.REFUSED, State.SKIPPED})


class Queue(Protocol):
    """Where a click is put that is to be looked at later."""

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None: ...


class SmsFeedback:
    """Takes in events of End User Messaging, and clicks."""

    def __init__(
        self,
        recording: Recording,
        bouncing: Bouncing,
        stops: StopService,
        acceptance: Acceptance,
        workspaces: WorkspaceCache,
        queue: Queue,
        clock: Clock,
    ) -> None:
        self._recording = recording
        self._bouncing = bouncing
        self._stops = stops
        self._acceptance = acceptance
        self._workspaces = workspaces
        self._queue = queue
        self._clock = clock

    def take(self, notification: Mapping[str, Any]) -> bool:
        """Suppress where an event says so, move and count its message, and tell the timeline; False if it is not ours.

        Raises what a repeat can mend, and KeyError, TypeError or ValueError for what is no event that is known.
        """
        delivery = events.read_delivery(notification)
        if delivery is None:
            return False
        message = self._recording.read(delivery.workspace, delivery.message_id)
        if message is not None:
            events.require_same(delivery, message)
        self._act(delivery, message)
        tell = partial(self._told, delivery)
        self._recording.write(delivery.workspace, delivery.message_id, message, tell)
        return True

    def click(self, told: Mapping[str, Any], put_off: bool = False) -> None:
        """Judge who followed a link, count it, and tell the timeline; early ones once those that came along are known.

        `put_off` says that it was here before. Raises what a repeat can mend, and ValueError for what is no click.
        """
        click = clicks.read_click(told)
        message = self._recording.read(click.workspace, click.message, consistent=put_off)
        verdict = None
        if message is not None and message.erased_at is None:
            workspace = self._workspaces.get(click.workspace)
            verdict, later = self._recording.judge(workspace, click.look, message, put_off)
            if later:
                self._queue.put({CLICK: dict(told), "PutOff": True}, PUT_OFF_SECONDS)
                return
        self._recording.write(click.workspace, click.message, message, partial(self._clicked, click, verdict))

    def _act(self, delivery: Delivery, message: Message | None) -> None:
        """Suppress the number by the bounce policy, if the event says which. A repeat finds it done."""
        if not delivery.recipient:
            return
        stop = events.opted_out(delivery)
        if stop is not None:
            self._obey(delivery, stop)
        elif events.is_permanent(delivery):
            workspace = self._workspaces.get(delivery.workspace)
            source = f"message {delivery.message_id}: {delivery.kind}"
            self._bouncing.suppress(workspace, delivery.recipient, Reason.BOUNCE, source)
        elif events.counts(delivery) and (message is None or State.UNDELIVERED.value not in message.history):
            workspace = self._workspaces.get(delivery.workspace)
            self._bouncing.count(workspace, delivery.recipient, delivery.message_id, delivery.at)

    def _obey(self, delivery: Delivery, stop: Answered) -> None:
        workspace, contact = self._workspaces.get(delivery.workspace), contact_of_message(delivery.message_id)
        self._stops.say(workspace, Channel.SMS, delivery.recipient, stop, f"AWS: {delivery.description}")
        self._stops.tell(workspace, Channel.SMS, delivery.recipient, stop, {contact})

    def _told(self, delivery: Delivery, message: Message | None) -> Told:
        event = events.to_event(delivery, message, self._clock.now())
        return Told(events.news_of(delivery), event, delivery.kind, self._accepted(delivery, message))

    def _accepted(self, delivery: Delivery, message: Message | None) -> tuple[Part, ...]:
        """What goes with the provider's acceptance, where its answer was lost and this event is the first to tell."""
        if message is None or message.state in _NEVER_SENT or message.provider_id == delivery.provider_id:
            return ()
        return tuple(self._acceptance.parts(replace(message, provider_id=delivery.provider_id), delivery.taken_at))

    def _clicked(self, click: Click, verdict: Verdict | None, message: Message | None) -> Told:
        event = clicks.to_event(click, message, verdict, self._clock.now())
        return Told(clicks.news_of(click, message, verdict), event)
