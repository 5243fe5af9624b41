"""Taking in what SES reports about mails. Every step may be repeated and may come in any order.

The order of writes is what makes that safe. First nobody is written to any more who must not be. Then one transaction
moves the message, counts for reports, and puts the event on the timeline, which can stand there once only: whoever
finds it there has nothing left to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.consent.model import Kind
from tidings.core.clock import Clock, from_text, to_text
from tidings.core.errors import Unavailable
from tidings.core.ids import digest
from tidings.core.store import ConditionFailed, Part
from tidings.email.bounces import Bounce, bounce_of, is_complaint
from tidings.email.model import Feedback
from tidings.email.rules import error_of, news_of, read_feedback, to_event
from tidings.email.standing import EVERY, Standing
from tidings.email.suppressing import Suppressing
from tidings.messages.machines import HIDDEN, PUT_OFF_SECONDS, Look, Mark, Verdict, is_early, judge, networks, waits
from tidings.messages.model import Message
from tidings.messages.progress import Progress, progress
from tidings.messages.progress_store import DynamoProgressStore

TRIES = 6
LOOK = "Look"  # what a message of the queue has in place of a notification: whose standing is to be looked at
LOOK_SECONDS = int(EVERY.total_seconds()) + 1
MARKS = 40  # of clicks of one message at most that many are noted


class EventParts(Protocol):
    """Where events go, once each."""

    def new_part(self, event: Event) -> Part: ...


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
        messages: DynamoProgressStore,
        suppressing: Suppressing,
        workspaces: WorkspaceCache,
        events: EventParts,
        standing: Standing,
        queue: Queue,
        clock: Clock,
        senders: Senders | None = None,
    ) -> None:
        self._messages = messages
        self._suppressing = suppressing
        self._workspaces = workspaces
        self._events = events
        self._standing = standing
        self._queue = queue
        self._clock = clock
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
        message = self._read(feedback, consistent=put_off)
        if feedback.kind in ("Bounce", "Complaint", "Subscription"):
            self._suppressing.act(self._workspaces.get(feedback.workspace), feedback, message)
        verdict = None
        if feedback.kind in ("Open", "Click") and message is not None and message.erased_at is None:
            verdict, later = self._judge(feedback, message, put_off)
            if later:
                body = {"Type": "Notification", "Message": json.dumps(notification), "PutOff": True}
                self._queue.put(body, PUT_OFF_SECONDS)
                return True
        self._write(feedback, message, verdict)
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

    def _read(self, feedback: Feedback, consistent: bool) -> Message | None:
        """The message. Mostly the cheaper read is right; where it finds nothing, or proves stale, the dearer is."""
        found = self._messages.read(feedback.workspace, feedback.message_id, consistent)
        if found is None and not consistent:
            found = self._messages.read(feedback.workspace, feedback.message_id, consistent=True)
        return found

    def _judge(self, feedback: Feedback, message: Message, put_off: bool) -> tuple[Verdict, bool]:
        """Who opened or clicked, and whether that is to be asked again once all that came with it is known.

        An early click is noted in any case: it tells of its companions whatever it is itself.
        """
        workspace = self._workspaces.get(feedback.workspace)
        look, delivered_at = look_of(feedback, workspace), _delivered_at(message)
        own = networks(workspace.settings.get("machine_ranges") or ())
        verdict = judge(look, delivered_at, marks_of(message), own)
        if not put_off and (is_early(look, delivered_at) or look.link == HIDDEN):
            self._mark(feedback, look, message)
        return verdict, not put_off and waits(look, delivered_at, verdict)

    def _mark(self, feedback: Feedback, look: Look, message: Message) -> None:
        """Note a click on its message, for those that come with it; a repeat finds it noted."""
        for _ in range(TRIES):
            marks = marks_of(message)
            if look.mark in marks or len(marks) >= MARKS:
                return
            noted = [[to_text(mark.at), mark.ip, mark.link] for mark in sorted([*marks, look.mark])]
            try:
                self._messages.mark(message, {**message.marks, "clicks": noted})
            except ConditionFailed:
                stands = self._read(feedback, consistent=True)
                if stands is None or stands.erased_at is not None:
                    return
                message = stands
                continue
            return
        raise Unavailable("message_contended", "The message kept changing.")

    def _write(self, feedback: Feedback, message: Message | None, verdict: Verdict | None) -> None:
        """Move and count the message, and tell its contact, all in one stroke; nothing if that was done before."""
        for _ in range(TRIES):
            erased = message is not None and message.erased_at is not None
            news = news_of(feedback, verdict)
            change = progress(message, news) if message is not None else Progress()
            parts = []
            if not erased:  # what a mail did to a person who was erased since is nobody's business any more
                event = to_event(feedback, message.began_by if message else None, self._clock, verdict)
                parts.append(self._events.new_part(event))
            try:
                self._messages.apply(message, change, news.provider_id, error_of(feedback), parts)
            except ConditionFailed as refused:
                if "event" in refused.labels:
                    return
                message = self._read(feedback, consistent=True)
                continue
            return
        raise Unavailable("message_contended", "The message kept changing.")


def look_of(feedback: Feedback, workspace: Workspace) -> Look:
    """An open or a click as it is judged."""
    details = feedback.details
    link = str(details.get("link") or "") if feedback.kind == "Click" else ""
    hidden = bool(workspace.public_url) and link.startswith(f"{workspace.public_url}/h/")
    short = HIDDEN if hidden else digest(link, length=8) if feedback.kind == "Click" else ""
    return Look(feedback.at, str(details.get("ipAddress") or ""), str(details.get("userAgent") or ""), short)


def marks_of(message: Message) -> list[Mark]:
    """The clicks that are noted of a message."""
    return [Mark(from_text(at), ip, link) for at, ip, link in message.marks.get("clicks") or ()]


def _delivered_at(message: Message) -> datetime | None:
    at = message.history.get("delivered")
    return from_text(at) if at else None


def _shows_spam(feedback: Feedback) -> bool:
    if feedback.kind == "Bounce":
        return bounce_of(feedback) is not Bounce.SOFT
    return is_complaint(feedback)
