"""Writing down what providers and clicks tell of messages: each thing once, however often and in whatever order.

One transaction moves the message, counts for reports, and puts the event on the timeline, which can stand there once
only: whoever finds it there has nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.core.clock import from_text, to_text
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Part
from tidings.messages.machines import HIDDEN, Look, Mark, Verdict, is_early, judge, networks, waits
from tidings.messages.model import Message
from tidings.messages.progress import News, Progress, progress
from tidings.messages.progress_store import DynamoProgressStore

TRIES = 6
MARKS = 40  # of clicks of one message at most that many are noted


class EventParts(Protocol):
    """Where events go, once each."""

    def new_part(self, event: Event) -> Part: ...


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a message: the news, the timeline's event of it if it makes one, and why it went wrong.

    `more` are writes that go with it.
    """

    news: News
    event: Event | None = None
    reason: str = ""
    more: tuple[Part, ...] = ()


class Recording:
    """Reads messages, and writes down what is told of them."""

    def __init__(self, messages: DynamoProgressStore, events: EventParts) -> None:
        self._messages = messages
        self._events = events

    def read(self, workspace: str, message: str, consistent: bool = False) -> Message | None:
        """The message. Mostly the cheaper read is right; where it finds nothing, or proves stale, the dearer is."""
        found = self._messages.read(workspace, message, consistent)
        if found is None and not consistent:
            found = self._messages.read(workspace, message, consistent=True)
        return found

    def write(
        self, workspace: str, message_id: str, message: Message | None, tell: Callable[[Message | None], Told]
    ) -> None:
        """Move and count a message, and tell its contact, all in one stroke; nothing if that was done before.

        `message` is the one of that id as it was just read, None if there is none any more. `tell` is asked again where
        it has changed meanwhile. Raises Unavailable where it keeps changing.
        """
        for _ in range(TRIES):
            told = tell(message)
            change = progress(message, told.news) if message is not None else Progress()
            # What a message did to a person who was erased since is nobody's business any more.
            erased = message is not None and message.erased_at is not None
            parts = [] if told.event is None or erased else [self._events.new_part(told.event)]
            if not erased:
                parts += told.more
            try:
                self._messages.apply(message, change, told.news.provider_id, told.reason, parts)
            except ConditionFailed as refused:
                if "event" in refused.labels:
                    return
                message = self._messages.read(workspace, message_id, consistent=True)
                continue
            return
        raise Unavailable("message_contended", "The message kept changing.")

    def judge(self, workspace: Workspace, look: Look, message: Message, put_off: bool) -> tuple[Verdict, bool]:
        """Who opened or clicked, and whether that is to be asked again once all that came with it is known.

        An early click is noted in any case: it tells of its companions whatever it is itself. `put_off` says that it
        was asked before.
        """
        delivered_at = _delivered_at(message)
        own = networks(workspace.settings.get("machine_ranges") or ())
        verdict = judge(look, delivered_at, marks_of(message), own)
        if not put_off and (is_early(look, delivered_at) or look.link == HIDDEN):
            self._mark(look, message)
        return verdict, not put_off and waits(look, delivered_at, verdict)

    def _mark(self, look: Look, message: Message) -> None:
        """Note a click on its message, for those that come with it; a repeat finds it noted."""
        for _ in range(TRIES):
            marks = marks_of(message)
            if look.mark in marks or len(marks) >= MARKS:
                return
            noted = [[to_text(mark.at), mark.ip, mark.link] for mark in sorted([*marks, look.mark])]
            try:
                self._messages.mark(message, {**message.marks, "clicks": noted})
            except ConditionFailed:
                stands = self._messages.read(message.workspace, message.id, consistent=True)
                if stands is None or stands.erased_at is not None:
                    return
                message = stands
                continue
            return
        raise Unavailable("message_contended", "The message kept changing.")


def marks_of(message: Message) -> list[Mark]:
    """The clicks that are noted of a message."""
    return [Mark(from_text(at), ip, link) for at, ip, link in message.marks.get("clicks") or ()]


def _delivered_at(message: Message) -> datetime | None:
    at = message.history.get("delivered")
    return from_text(at) if at else None
