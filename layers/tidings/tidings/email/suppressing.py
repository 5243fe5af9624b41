"""Whom feedback keeps from being written to again: bounces, complaints, and what people told their mail program."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.activity.chain import Node
from tidings.consent.bounce_store import DynamoBounceStore
from tidings.consent.model import AddressRecord, By, Channel, Proof, Reason, Reply
from tidings.consent.replies import Origin
from tidings.consent.rules import normalise_address
from tidings.consent.service import ConsentService, SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.consent.topics import topics_of
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock, from_text
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed
from tidings.email import bounces
from tidings.email.model import Feedback
from tidings.email.rules import topics_left
from tidings.messages.model import Message, State
from tidings.messages.store import DynamoMessageStore

TRIES = 5
# Of how many contacts that share an address the messages are looked through for deliveries.
SHARING = 25
SOURCE = "Amazon SES"


class ContactFinder(Protocol):
    """Who has an address."""

    def contacts_with(self, workspace: str, identity: Identity, most: int) -> list[str]: ...


class Suppressing:
    """Suppresses addresses by the bounce policy, and writes down what people said no to."""

    def __init__(
        self,
        consents: DynamoConsentStore,
        soft: DynamoBounceStore,
        suppressions: SuppressionService,
        replies: ConsentService,
        contacts: ContactFinder,
        messages: DynamoMessageStore,
        clock: Clock,
    ) -> None:
        self._consents = consents
        self._soft = soft
        self._suppressions = suppressions
        self._replies = replies
        self._contacts = contacts
        self._messages = messages
        self._clock = clock

    def act(self, workspace: Workspace, feedback: Feedback, message: Message | None) -> None:
        """Do what feedback asks for about the addresses it names. A repeat finds it done.

        `message` is the one it is about, as it stands: a soft bounce that stands in its history was counted before.
        """
        reason = bounces.suppresses(feedback)
        told = message is not None and bounces.Bounce.SOFT in message.history
        for address in feedback.recipients:
            if reason is not None:
                self._suppress(workspace, address, reason, f"message {feedback.message_id or feedback.provider_id}")
            elif bounces.counts(feedback) and feedback.message_id and not told:
                self._count(workspace, normalise_address(Channel.EMAIL, address), feedback)
            elif feedback.kind == "Subscription":
                self._leave(workspace, address, feedback)

    def _suppress(self, workspace: Workspace, address: str, reason: Reason, source: str) -> None:
        self._suppressions.suppress(workspace, Channel.EMAIL, address, reason, source)

    def _count(self, workspace: Workspace, address: str, feedback: Feedback) -> None:
        """Keep a soft bounce; with the fifth that no delivery came between, suppress the address.

        Deliveries are looked up only then, in the histories of messages: a delivery itself costs no write here.
        """
        for _ in range(TRIES):
            record = self._consents.record(workspace, Channel.EMAIL, address)
            row = {**record.soft_bounces, feedback.message_id: feedback.at}
            if self._bounced_out(record):
                row = {}
            elif len(row) >= bounces.IN_A_ROW:
                row = bounces.in_a_row(row, self._deliveries(workspace.id, address))
                if len(row) >= bounces.IN_A_ROW:
                    self._suppress(workspace, address, Reason.BOUNCE, bounces.source_of(row))
                    continue
            if row == record.soft_bounces:
                return
            try:
                self._soft.keep(record, row)
            except ConditionFailed:
                continue
            return
        raise Unavailable("consent_contended", "What is known of this address kept changing.")

    def _bounced_out(self, record: AddressRecord) -> bool:
        """Whether the address is suppressed for bounces already: then the row is at its end."""
        entry = record.suppression
        ends = (Reason.BOUNCE, Reason.ERASED)
        return entry is not None and entry.reason in ends and entry.holds_at(self._clock.now())

    def _deliveries(self, workspace: str, address: str) -> list[datetime]:
        contacts = self._contacts.contacts_with(workspace, Identity(IdentityKind.EMAIL, address), SHARING)
        found = self._messages.of_contact(workspace, contacts)
        delivered = State.DELIVERED.value
        mine = (one for one in found if one.address.lower() == address and one.channel == Channel.EMAIL)
        return [from_text(one.history[delivered]) for one in mine if delivered in one.history]

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
