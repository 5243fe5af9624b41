"""Taking in what SES reports about mails. Every step may be repeated and may come in any order.

The order of writes is what makes that safe. First nobody is written to any more who must not be. Then one transaction
moves the message, counts for reports, and puts the event on the timeline, which can stand there once only: whoever
finds it there has nothing left to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.consent.model import Kind
from tidings.core.clock import Clock
from tidings.core.ids import digest
from tidings.core.store import Part
from tidings.email.bounces import Bounce, bounce_of, is_complaint
from tidings.email.model import Feedback
from tidings.email.rules import error_of, news_of, read_feedback, to_event
from tidings.email.standing import EVERY, Standing
from tidings.email.suppressing import Suppressing
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.machines import HIDDEN, PUT_OFF_SECONDS, Look, Verdict
from tidings.messages.model import Message
from tidings.messages.recording import Recording, Told

LOOK = "Look"  # what a message of the queue has in place of a notification: whose standing is to be looked at
LOOK_SECONDS = int(EVERY.total_seconds()) + 1


class Queue(Protocol):
    """Where feedback is put that is to be looked at later."""

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None: ...


class Senders(Protocol):
    """Whose the addresses are that mails come from."""

    def workspaces_of(self, address: str) -> Sequence[str]: ...


class FeedbackService:
    """Takes SES events in."""

    def __init__(
        self,
        recording: Recording,
        suppressing: Suppressing,
        workspaces: WorkspaceCache,
        standing: Standing,
        queue: Queue,
        clock: Clock,
        answered: DynamoAnsweredStore,
        senders: Senders | None = None,
    ) -> None:
        self._recording = recording
        self._suppressing = suppressing
        self._workspaces = workspaces
        self._standing = standing
        self._queue = queue
        self._clock = clock
        self._answered = answered
        self._senders = senders

    def take(self, notification: Mapping[str, Any], put_off: bool = False) -> bool:
        """Put an event on the timeline, move and count its message, and suppress where it says so.

        False if it is not ours. `put_off` says that it was here before, to be looked at later. Raises what a repeat can
        mend, and KeyError, TypeError or ValueError for what is no SES event.
        """
        feedback = read_feedback(notification)
        if feedback is None:
            return False
        if not feedback.message_id:
            return self._by_sender(feedback)
        message = self._recording.read(feedback.workspace, feedback.message_id, consistent=put_off)
        if feedback.kind in ("Bounce", "Complaint", "Subscription"):
            self._suppressing.act(self._workspaces.get(feedback.workspace), feedback, message)
        verdict = None
        if feedback.kind in ("Open", "Click") and message is not None and message.erased_at is None:
            workspace = self._workspaces.get(feedback.workspace)
            verdict, later = self._recording.judge(workspace, look_of(feedback, workspace), message, put_off)
            if later:
                body = {"Type": "Notification", "Message": json.dumps(notification), "PutOff": True}
                self._queue.put(body, PUT_OFF_SECONDS)
                return True
        tell = partial(self._told, feedback, verdict)
        self._recording.write(feedback.workspace, feedback.message_id, message, tell)
        if message is not None and message.kind is Kind.MARKETING and _shows_spam(feedback):
            self.look(feedback.workspace)
        return True

    def look(self, workspace: str) -> None:
        """See whether a workspace's marketing has to stop; where it was seen just now, have it looked at later."""
        if self._standing.look(workspace):
            self._queue.put({LOOK: workspace}, LOOK_SECONDS)

    def _by_sender(self, feedback: Feedback) -> bool:
        """Suppress by a report that names no message: in each workspace that sends from where the mail came from."""
        found = self._senders.workspaces_of(feedback.source) if self._senders is not None else ()
        for workspace in found:
            self._suppressing.act(self._workspaces.get(workspace), feedback, None)
        return bool(found)

    def _told(self, feedback: Feedback, verdict: Verdict | None, message: Message | None) -> Told:
        event = to_event(feedback, message.began_by if message else None, self._clock, verdict)
        return Told(news_of(feedback, verdict), event, error_of(feedback), self._accepted(feedback, message))

    def _accepted(self, feedback: Feedback, message: Message | None) -> tuple[Part, ...]:
        """What an answer finds the message by, where SES told of the mail before its own answer was written down."""
        if message is None or message.provider_id == feedback.provider_id or not message.transport.get("answers"):
            return ()
        return (self._answered.part(replace(message, provider_id=feedback.provider_id), feedback.mailed_at),)


def look_of(feedback: Feedback, workspace: Workspace) -> Look:
    """An open or a click as it is judged."""
    details = feedback.details
    link = str(details.get("link") or "") if feedback.kind == "Click" else ""
    hidden = bool(workspace.public_url) and link.startswith(f"{workspace.public_url}/h/")
    short = HIDDEN if hidden else digest(link, length=8) if feedback.kind == "Click" else ""
    return Look(feedback.at, str(details.get("ipAddress") or ""), str(details.get("userAgent") or ""), short)


def _shows_spam(feedback: Feedback) -> bool:
    if feedback.kind == "Bounce":
        return bounce_of(feedback) is not Bounce.SOFT
    return is_complaint(feedback)
