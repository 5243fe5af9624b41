"""Whom feedback keeps from being written to again: bounces, complaints, and what people told their mail program."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.accounts.model import Workspace
from tidings.activity.chain import Node
from tidings.consent.model import By, Channel, Proof, Reply
from tidings.consent.replies import Origin
from tidings.consent.service import ConsentService
from tidings.consent.topics import topics_of
from tidings.email import bounces
from tidings.email.model import Feedback
from tidings.email.rules import topics_left
from tidings.messages.bouncing import Bouncing
from tidings.messages.model import Message

SOURCE = "Amazon SES"


class Suppressing:
    """Suppresses addresses by the bounce policy, and writes down what people said no to."""

    def __init__(self, bouncing: Bouncing, replies: ConsentService) -> None:
        self._bouncing = bouncing
        self._replies = replies

    def act(self, workspace: Workspace, feedback: Feedback, message: Message | None) -> None:
        """Do what feedback asks for about the addresses it names. A repeat finds it done.

        `message` is the one it is about, as it stands: a soft bounce that stands in its history was counted before.
        """
        reason = bounces.suppresses(feedback)
        told = message is not None and bounces.Bounce.SOFT in message.history
        for address in feedback.recipients:
            if reason is not None:
                source = f"message {feedback.message_id or feedback.provider_id}"
                self._bouncing.suppress(workspace, address, reason, source)
            elif bounces.counts(feedback) and feedback.message_id and not told:
                self._bouncing.count(workspace, address, feedback.message_id, feedback.at)
            elif feedback.kind == "Subscription":
                self._leave(workspace, address, feedback)

    def _leave(self, workspace: Workspace, address: str, feedback: Feedback) -> None:
        """Write down a no to each topic that we have, or to all marketing, as the person's own."""
        proof = Proof(By.PERSON, SOURCE, feedback.at, message=feedback.message_id)
        origin = Origin(cause=Node.message(feedback.message_id) if feedback.message_id else None)
        for topic in known_topics(workspace, topics_left(feedback)):
            self._replies.change(
                workspace, Channel.EMAIL, address, topic, Reply.UNSUBSCRIBED, proof, actor="ses_events", origin=origin
            )


def known_topics(workspace: Workspace, topics: Sequence[str]) -> list[str]:
    """Of topics that SES names, those that the workspace has; `*`, which is all marketing, every workspace has."""
    known = topics_of(workspace)
    return [topic for topic in topics if topic == "*" or topic in known]
