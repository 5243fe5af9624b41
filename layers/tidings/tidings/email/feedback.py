"""Taking in what SES reports about mails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.consent.model import Channel
from tidings.consent.service import SuppressionService
from tidings.core.clock import Clock
from tidings.email.model import Feedback
from tidings.email.rules import MEANINGS, error_of, read_feedback, suppression_reason, to_event
from tidings.messages.model import Message
from tidings.messages.store import DynamoMessageStore


class FeedbackService:
    """Takes SES events in. Every step may be repeated and may come in any order."""

    def __init__(
        self,
        messages: DynamoMessageStore,
        suppressions: SuppressionService,
        workspaces: WorkspaceCache,
        events: Any,
        clock: Clock,
    ) -> None:
        self._messages = messages
        self._suppressions = suppressions
        self._workspaces = workspaces
        self._events = events
        self._clock = clock

    def take(self, notification: Mapping[str, Any]) -> bool:
        """Put an event on the timeline, move its message, and suppress where it says so; False if it is not ours.

        The suppression comes first: should the rest fail, the repeat finds it done, and nobody was written to between.
        """
        feedback = read_feedback(notification)
        if feedback is None:
            return False
        self._suppress(feedback)
        message = self._advance(feedback)
        if message is not None and message.erased_at is not None:
            return True  # what the mail did to a person who was erased since is nobody's business any more
        self._events.add(to_event(feedback, message.began_by if message else None, self._clock))
        return True

    def _advance(self, feedback: Feedback) -> Message | None:
        """The message, moved if this kind of event moves it; the answer to the write says what began its chain."""
        workspace, message, state = feedback.workspace, feedback.message_id, MEANINGS[feedback.kind].state
        if state is None:
            # What began a chain never changes: the cheapest read is as good as any.
            return self._messages.get(workspace, message, consistent=False)
        error = error_of(feedback)
        return self._messages.advance(workspace, message, state, feedback.at, feedback.provider_id, error)

    def _suppress(self, feedback: Feedback) -> None:
        reason = suppression_reason(feedback)
        if reason is None:
            return
        workspace = self._workspaces.get(feedback.workspace)
        for address in feedback.recipients:
            self._suppressions.suppress(workspace, Channel.EMAIL, address, reason, f"message {feedback.message_id}")
