"""What people said about being written to, and the suppression list: kept here, and asked at the moment of sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.consent.model import (
    AddressRecord,
    By,
    Channel,
    Check,
    Consent,
    Proof,
    Reason,
    Reply,
    Suppression,
)
from tidings.consent.replies import (
    TOGETHER,
    Origin,
    Outcome,
    Result,
    logged_reply,
    logged_suppression,
    replied,
    reply_event,
)
from tidings.consent.rules import (
    CONFIRM_WITHIN,
    asked,
    asked_enough,
    normalise_address,
    suppression_check,
)
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound, Unavailable
from tidings.core.store import ConditionFailed, Part

# To how many of the contacts that share an address a change of it is told: with the change in one transaction.
TOLD = 90
TRIES = 5
PARTS = 100  # of a transaction, as DynamoDB takes them
UNKNOWN = Origin()
IDENTITIES = {Channel.EMAIL: IdentityKind.EMAIL, Channel.SMS: IdentityKind.PHONE}


class EventSink(Protocol):
    """Where changes are told, so that automations see them."""

    def part(self, event: Event) -> Part: ...


class ContactFinder(Protocol):
    """Who has an address."""

    def contacts_with(self, workspace: str, identity: Identity, most: int) -> list[str]: ...


class ConsentService:
    """Keeps what people said about topics, with its proof and a log of every change.

    A change is one transaction: the record of the address at the revision that was read, the log, and an event of each
    contact that has the address. Where another change comes in between, it is decided anew by what then stands; a
    repeat after a lost answer finds its own reply, and writes nothing.
    """

    def __init__(
        self, store: DynamoConsentStore, events: EventSink, clock: Clock, contacts: ContactFinder | None = None
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._contacts = contacts

    def change(
        self,
        workspace: Workspace,
        channel: Channel,
        address: str,
        topic: str,
        reply: Reply,
        proof: Proof,
        confirmed: bool = False,
        actor: str = "",
        origin: Origin = UNKNOWN,
    ) -> Outcome:
        """Write down what was said about a topic, or about all marketing (`*`), for an address.

        `actor` names the kind of key that called, `origin` the mail that it was said by. `proof.at` in the future
        counts as now. Raises InvalidInput for no address, Conflict for a yes of somebody who was erased.
        """
        text = normalise_address(channel, address)
        told = Consent(topic, reply, self._now(proof), confirmed)
        return self.settle(workspace.id, channel, address_key(workspace, text), [told], actor, text, origin)[0]

    def change_under(
        self,
        workspace: Workspace,
        channel: Channel,
        key: str,
        replies: Mapping[str, Reply],
        proof: Proof,
        origin: Origin = UNKNOWN,
        actor: str = "page",
    ) -> list[Consent]:
        """The same for the keyed hash of an address, as a signed link names it: whoever has the link reads its mail.

        So a yes counts as confirmed. `replies` are by topic, and written in one stroke, over 45 in several; repeats
        write nothing. `origin` is the mail with the link. What then holds for each topic is returned. A no of somebody
        who was erased since changes nothing, a yes of theirs raises Conflict.
        """
        now = self._now(proof)
        told = [Consent(topic, said, now, confirmed=said is Reply.SUBSCRIBED) for topic, said in replies.items()]
        return [one.consent for one in self.settle(workspace.id, channel, key, told, actor, origin=origin)]

    def confirm(
        self, workspace: Workspace, channel: Channel, key: str, topic: str, proof: Proof, origin: Origin = UNKNOWN
    ) -> Consent:
        """The person's yes to a confirmation that was asked for; its words are those that they were asked with.

        A repeat changes nothing. Raises NotFound where nothing was asked, Conflict where that was over 30 days ago.
        """
        record = self._store.record_under(workspace.id, channel, key)
        before = record.consents.get(topic)
        pending = before.pending if before else None
        if before is not None and pending is None and before.reply is Reply.SUBSCRIBED and before.confirmed:
            return before
        if pending is None:
            raise NotFound("nothing_to_confirm", "There is nothing to confirm here any more.")
        if self._clock.now() - pending.at > CONFIRM_WITHIN:
            raise Conflict("confirmation_expired", "This link was to be used within 30 days; subscribe again.")
        told = replace(proof, by=By.PERSON, wording=proof.wording or pending.wording)
        told = replace(told, source=told.source or pending.source)
        said = {topic: Reply.SUBSCRIBED}
        return self.change_under(workspace, channel, key, said, told, origin, "confirmation")[0]

    def ask(
        self, workspace: Workspace, channel: Channel, address: str, topic: str, proof: Proof, actor: str = ""
    ) -> Consent | None:
        """Note that a confirmation is asked for; whatever else was said stays in force until it comes.

        Within a day of the last, and where a yes was confirmed, nothing is written. Nor is it where the address was
        asked about five other topics within a day: None, and nobody asks. Raises InvalidInput, Conflict for somebody
        who was erased.
        """
        text = normalise_address(channel, address)
        key, proof = address_key(workspace, text), self._now(proof)
        for _ in range(TRIES):
            record = self._store.record_under(workspace.id, channel, key, text)
            _require_not_erased(record.suppression)
            after = asked(record, topic, proof)
            if after is None:
                return record.consents.get(topic) or Consent(topic, Reply.SUBSCRIBED, proof, confirmed=True)
            if asked_enough(record, topic, proof.at):
                return None
            told = Consent(topic, Reply.PENDING, proof)
            try:
                changed = replace(record, consents={**record.consents, topic: after})
                self._store.write(self.parts(record, changed, [told], actor))
            except (ConditionFailed, Unavailable):
                continue
            return after
        raise Unavailable("consent_contended", "What is known of this address kept changing.")

    def _now(self, proof: Proof) -> Proof:
        return replace(proof, at=min(proof.at, self._clock.now()))

    def settle(
        self,
        workspace: str,
        channel: Channel,
        key: str,
        told: Sequence[Consent],
        actor: str,
        address: str = "",
        origin: Origin = UNKNOWN,
    ) -> list[Outcome]:
        """Write replies about one address down; what became of each. Raises Conflict, Unavailable.

        So many as go into a transaction are one stroke.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(told), TOGETHER):
            some = told[start : start + TOGETHER]
            outcomes += self._settle(workspace, channel, key, some, actor, address, origin)
        return outcomes

    def _settle(
        self,
        workspace: str,
        channel: Channel,
        key: str,
        told: Sequence[Consent],
        actor: str,
        address: str,
        origin: Origin,
    ) -> list[Outcome]:
        for _ in range(TRIES):
            record = self._store.record_under(workspace, channel, key, address)
            if record.suppression is not None and record.suppression.reason is Reason.ERASED:
                if any(one.reply is not Reply.UNSUBSCRIBED for one in told):
                    _require_not_erased(record.suppression)
                return [Outcome(Result.UNCHANGED, one) for one in told]
            after, outcomes = replied(record, told)
            new = [one.consent for one in outcomes if one.result is Result.SET]
            try:
                if new:
                    self._store.write(self.parts(record, after, new, actor, origin))
            except (ConditionFailed, Unavailable):
                continue
            return outcomes
        raise Unavailable("consent_contended", "What is known of this address kept changing.")

    def parts(
        self,
        record: AddressRecord,
        after: AddressRecord,
        told: Sequence[Consent],
        actor: str,
        origin: Origin = UNKNOWN,
    ) -> list[Part]:
        """Putting a record in the place of the one that was read, with the log and the events of what was told."""
        now = self._clock.now()
        lifted = record.suppression.reason.value if record.suppression and not after.suppression else ""
        contacts = self._told(record, origin.contact, len(told))
        parts = [self._store.change(record, after.consents, bool(lifted))]
        for one in told:
            parts.append(self._store.log(logged_reply(record, one, now, actor, lifted)))
            parts += [self._events.part(reply_event(record, one, now, person, origin)) for person in contacts]
        return parts

    def _told(self, record: AddressRecord, contact: str, replies: int) -> list[str]:
        """The contacts whose history tells of a change: whoever the link was sent to, and all who have the address."""
        found: list[str] = []
        if record.address and self._contacts is not None:
            identity = Identity(IDENTITIES[record.channel], record.address)
            found = self._contacts.contacts_with(record.workspace, identity, TOLD)
        return list(dict.fromkeys([*([contact] if contact else []), *found]))[
            : min(TOLD, (PARTS - 1 - replies) // replies)
        ]


class SuppressionService:
    """Checks and keeps the suppression list of a workspace; every change of it is in the log of its address."""

    def __init__(self, store: DynamoConsentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def check(self, workspace: Workspace, channel: Channel, address: str) -> Check:
        """Whether the list lets a message go to an address now: one read. Raises InvalidInput for no address."""
        entry = self._store.suppression_of(workspace, channel, normalise_address(channel, address))
        return suppression_check(entry, self._clock.now())

    def get(self, workspace: Workspace, channel: Channel, address: str) -> Suppression:
        """The entry of an address. Raises NotFound if none is in force."""
        entry = self._store.suppression_of(workspace, channel, normalise_address(channel, address))
        if entry is None or not entry.holds_at(self._clock.now()):
            raise NotFound("not_suppressed", "This address is not suppressed.", "address")
        return entry

    def suppress(
        self,
        workspace: Workspace,
        channel: Channel,
        address: str,
        reason: Reason,
        source: str,
        expires_at: datetime | None = None,
        actor: str = "",
        parts: Callable[[Suppression], Sequence[Part]] = lambda entry: (),
    ) -> Suppression:
        """Put an address on the list. An entry that lasts as long stays: who complained is not made to have bounced.

        `parts` goes into the same transaction, and is left out with it where nothing is changed.
        """
        text = normalise_address(channel, address)
        entry = Suppression(workspace.id, channel, text, reason, self._clock.now(), source, expires_at)
        log = logged_suppression(address_key(workspace, text), entry, "suppressed", entry.created_at, actor)
        if not self._store.suppress(workspace, entry, [self._store.log(log), *parts(entry)]):
            return self._store.suppression_of(workspace, channel, text) or entry
        return entry

    def require_not_erased(self, workspace: Workspace, channel: Channel, address: str) -> None:
        """Refuse to begin anything with the address of an erased person: one read. Raises Conflict, or InvalidInput."""
        _require_not_erased(self._store.suppression_of(workspace, channel, normalise_address(channel, address)))

    def release(
        self,
        workspace: Workspace,
        channel: Channel,
        address: str,
        actor: str = "",
        parts: Callable[[Suppression, datetime], Sequence[Part]] = lambda entry, at: (),
    ) -> Suppression:
        """Take an address off the list, with `parts` in one transaction; the entry that it was.

        Raises NotFound if it is not on it, Conflict if its person was erased, or answered STOP to a text message.
        """
        for _ in range(TRIES):
            entry = self.get(workspace, channel, address)
            _require_not_erased(entry)
            _require_not_stopped(entry)
            now = self._clock.now()
            log = logged_suppression(address_key(workspace, entry.address), entry, "released", now, actor)
            if self._store.release(workspace, entry, [self._store.log(log), *parts(entry, now)]):
                return entry
        raise Unavailable("consent_contended", "What is known of this address kept changing.")


def _require_not_erased(entry: Suppression | None) -> None:
    if entry is not None and entry.reason is Reason.ERASED:
        raise Conflict("person_erased", "Who had this address was erased, and is never written to again.", "address")


def _require_not_stopped(entry: Suppression) -> None:
    if entry.reason is Reason.STOP:
        told = "The person answered STOP to a text message: only their own START takes that back."
        raise Conflict("stopped_by_person", told, "address")
