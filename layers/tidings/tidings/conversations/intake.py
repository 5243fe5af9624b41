"""Taking what came in: whose it is, which conversation it continues or opens, and that it is taken once.

Three calls of the database, whatever the channel: a query of who has the address, one batched read, one transaction.
The transaction says of all that was read that it still holds, so that two messages at once make one contact and open
one conversation; whoever comes second looks again. A repeat is known by the provider's id of the message.

Nothing here grants a consent: that somebody writes does not say that they want to be written to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tidings.activity.created import created
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Channel
from tidings.contacts.making import candidates, further_candidates, unused
from tidings.contacts.model import Contact, Identity, IdentityKind, Stamp
from tidings.contacts.rules import Saying, normalise_address_trait, with_traits
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.inboxes import inbox_for, is_inbox
from tidings.conversations.model import Conversation, Entry, Inbound, State, Taken
from tidings.conversations.plans import DynamoPlanStore, Plan
from tidings.conversations.rules import opened, received
from tidings.conversations.store import DynamoConversationStore, Head
from tidings.conversations.telling import OPENED, RESUMED, changed, inbound_event
from tidings.core.clock import Clock, from_text
from tidings.core.errors import InvalidInput, Unavailable
from tidings.core.ids import contact_of_message
from tidings.core.store import ConditionFailed, Database, Part
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.store import DynamoMessageStore

TRIES = 5
# Of how many contacts that share an address it is asked which of them wrote.
SHARING = 10
# For so long an open conversation is that of whoever wrote in it from an address that is not theirs any more: numbers
# are given to others after a while.
LATELY = timedelta(days=30)

KINDS = {Channel.EMAIL: (IdentityKind.EMAIL, "email"), Channel.SMS: (IdentityKind.PHONE, "phone")}


@dataclass(frozen=True, slots=True)
class Answer:
    """The message of ours that one answers: under whose id it stands, its own, and its conversation, if it has one."""

    contact: str = ""
    message: str = ""
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """All that was read about a message that came in.

    `erased_at` is when the last person with the address was erased; `new` is the id that a new contact would have, and
    `just_made` says that somebody made one since it was asked who has the address.
    """

    taken: Taken | None
    contacts: Mapping[str, Contact]
    heads: Mapping[str, Head]
    answer: Answer
    erased_at: datetime | None
    new: str
    just_made: bool

    def talks(self, contact: str, address: str, since: datetime | None = None) -> bool:
        """Whether a contact has an open conversation in which it wrote last from an address, and since an instant."""
        head = self.heads.get(contact)
        open_here = [one for one in head.open.values() if one.address == address] if head else []
        return any(since is None or (one.received_at or one.last_at) >= since for one in open_here)


class Intake:
    """Takes messages that come in, of every channel."""

    def __init__(
        self,
        database: Database,
        conversations: DynamoConversationStore,
        contacts: DynamoContactStore,
        events: DynamoEventStore,
        messages: DynamoMessageStore,
        answered: DynamoAnsweredStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._contacts = contacts
        self._events = events
        self._messages = messages
        self._answered = answered
        self._plans = DynamoPlanStore(database)
        self._clock = clock

    @classmethod
    def of(cls, database: Database, clock: Clock) -> Intake:
        """An intake with stores of its own."""
        return cls(
            database,
            DynamoConversationStore(database),
            DynamoContactStore(database),
            DynamoEventStore(database),
            DynamoMessageStore(database),
            DynamoAnsweredStore(database),
            clock,
        )

    def take(self, inbound: Inbound) -> Taken:
        """Store a message that came in, with its contact, its conversation and its event; a repeat changes nothing.

        Three calls, and as many again each time that somebody else changed what was read. Raises InvalidInput for a
        sender that is no address of the channel, Unavailable if what was read kept changing.
        """
        identity = sender_of(inbound)
        for _ in range(TRIES):
            now_theirs, formerly = self._holders(inbound, identity)
            known = self._read(inbound, identity, now_theirs, formerly)
            if known.taken is not None:
                return known.taken
            if known.erased_at is not None and inbound.at <= known.erased_at:
                return Taken("", "", "")  # what they wrote before does not bring them back
            try:
                return self._write(inbound, identity, whose(known, now_theirs, formerly, inbound), known)
            except ConditionFailed:
                continue
        raise Unavailable("conversation_contended", "The conversation kept changing.")

    def _holders(self, inbound: Inbound, identity: Identity) -> tuple[list[str], list[str]]:
        """Who may have written: those who have the address now, and who had it earlier.

        Where a signature of ours says whose it is, that contact, or the one that it became part of; unless they were
        erased since.
        """
        found = self._contacts.current(inbound.workspace.id, inbound.contact) if inbound.contact else None
        if found is not None and found.erased_at is None:
            return [found.id], []
        return self._contacts.sharing(inbound.workspace.id, identity, SHARING)

    def _read(self, inbound: Inbound, identity: Identity, now_theirs: Sequence[str], formerly: Sequence[str]) -> Known:
        """One batched read of everything that could matter."""
        workspace, secret = inbound.workspace.id, inbound.workspace.secret
        holders = (*now_theirs, *formerly)
        made = () if now_theirs else candidates(workspace, secret, identity)
        contacts = {one: self._contacts.contact_key(workspace, one) for one in (*holders, *made)}
        heads = {one: self._conversations.head_key(workspace, one) for one in holders}
        seen = self._conversations.seen_key(workspace, inbound.channel, inbound.provider_id)
        erased = self._contacts.erased.key(workspace, secret, identity)
        pointer = self._answered.key(workspace, inbound.channel.value, inbound.answers or "-")
        message = self._messages.key(workspace, contact_of_message(inbound.message), inbound.message or "-")
        asked = [seen, erased, *contacts.values(), *heads.values()]
        asked += ([pointer] if inbound.answers else []) + ([message] if inbound.message else [])
        found = self._database.batch_get(asked)
        read = {one: self._contacts.entity(found[key]) for one, key in contacts.items() if key in found}
        return Known(
            taken=self._conversations.taken(found[seen]) if seen in found else None,
            contacts={one: read[one] for one in holders if one in read},
            heads={one: self._conversations.head(workspace, one, found.get(key)) for one, key in heads.items()},
            answer=self._answer(found.get(message), found.get(pointer)),
            erased_at=from_text(found[erased].erased_at) if erased in found else None,
            new=self._new_id(inbound, identity, unused(made, read)) if made else "",
            just_made=any(identity in read[one].identities for one in made if one in read and one not in formerly),
        )

    def _new_id(self, inbound: Inbound, identity: Identity, first: str) -> str:
        """The id that a new contact would have: one of the first ones, else a further one, which takes another read."""
        if first:
            return first
        further = further_candidates(inbound.workspace.secret, identity)
        return self._contacts.unused_id(inbound.workspace.id, further)

    def _answer(self, message: Any, pointer: Any) -> Answer:
        """The message that is answered, as it was read itself or by the provider's id of it."""
        if message is not None:
            told = self._messages.entity(message)
            return Answer(told.contact, told.id, told.conversation)
        if pointer is not None:
            named = self._answered.entity(pointer)
            return Answer(named.contact, named.message, named.conversation)
        return Answer()

    def _write(self, inbound: Inbound, identity: Identity, contact: Contact | None, known: Known) -> Taken:
        """One transaction. Raises ConditionFailed where something that was read is no longer so."""
        now = self._clock.now()
        parts: list[Part] = []
        created_here = contact is None
        if contact is None:
            contact, parts = self._new_contact(inbound, identity, known, now)
        else:
            parts = [self._contacts.present(contact)]
        head = known.heads.get(contact.id) or Head(inbound.workspace.id, contact.id)
        entry = Entry.came_in(inbound, known.answer.message)
        plan = self._planned(inbound, contact, head, known.answer)
        before = None if plan else head.open.get(known.answer.conversation) or head.latest
        if before is None:
            # An inbox that was planned months ago may be gone by now.
            inbox = plan.inbox if plan and is_inbox(inbound.workspace, plan.inbox) else ""
            inbox = inbox or inbox_for(inbound.workspace, inbound.channel, inbound.to)
            planned = (plan.conversation, plan.agent) if plan else ("", "")
            after = opened(inbound, contact.id, entry, inbox, *planned)
            parts += self._conversations.opening(after, head)
            parts += [self._plans.unchanged(after.workspace, plan)] if plan else []
        else:
            after = received(before, inbound, entry)
            parts += self._conversations.changing(before, after)
        taken = Taken(contact.id, after.id, entry.id, created=created_here, opened=before is None)
        parts += self._told(inbound, entry, before, after, now)
        parts.append(self._conversations.entry_part(after.workspace, after.id, entry))
        parts.append(self._conversations.seen_part(after.workspace, inbound.channel, inbound.provider_id, taken, now))
        self._database.transact(parts)
        return taken

    def _planned(self, inbound: Inbound, contact: Contact, head: Head, answer: Answer) -> Plan | None:
        """The conversation that an answer is to open, as the message said that it answers: one batched read.

        None, and no read, where the message named none, or one that is open; none where it was begun before and is
        over, or where somebody else answers than who was written to.
        """
        name, workspace = answer.conversation, inbound.workspace.id
        if not name or name in head.open or contact_of_message(name) not in contact.every_id:
            return None
        key, plan = self._conversations.key(workspace, name), self._plans.key(workspace, name)
        found = self._database.batch_get([key, plan])
        return None if key in found else self._plans.entity(name, found.get(plan))

    def _new_contact(
        self, inbound: Inbound, identity: Identity, known: Known, now: datetime
    ) -> tuple[Contact, list[Part]]:
        """A contact that has nothing but the address that a message came from, and the event that tells of it."""
        workspace = inbound.workspace
        if known.just_made:
            raise ConditionFailed({"contact"})
        new = Contact(workspace.id, known.new, now)
        told = {KINDS[inbound.channel][1]: identity.value}
        new, _ = with_traits(new, told, Saying(Stamp(now, inbound.channel.value)), workspace.identifiers)
        parts = self._contacts.made(new, workspace.identifiers)
        return new, [*parts, self._events.part(created(new))]

    def _told(
        self, inbound: Inbound, entry: Entry, before: Conversation | None, after: Conversation, now: datetime
    ) -> list[Part]:
        """The events: the message's own, and that it opened the conversation or ended a hold."""
        event = inbound_event(after, inbound, entry, now)
        told = [event]
        if before is None:
            given = {"agent": after.agent} if after.agent else {}
            told.append(changed(after, OPENED, {"inbox": after.inbox, **given}, now, event.node))
        elif before.state is State.ON_HOLD:
            told.append(changed(after, RESUMED, {"by": "inbound"}, now, event.node))
        return [self._events.part(one) for one in told]


def sender_of(inbound: Inbound) -> Identity:
    """The sender as an identity. Raises InvalidInput for a sender that is no address of the channel."""
    kind, trait = KINDS[inbound.channel]
    address = normalise_address_trait(trait, inbound.sender, inbound.workspace.identifiers)
    if not address:
        raise InvalidInput("unusable_sender", "Nobody can be known by this sender's address.", "sender")
    return Identity(kind, address)


def whose(known: Known, now_theirs: Sequence[str], formerly: Sequence[str], inbound: Inbound) -> Contact | None:
    """Who wrote: of those who share the address the one whose message it answers, or who talks from it, or the oldest.

    Whoever had the address earlier is meant only if it answers a message of theirs, or where nobody else has it and
    they wrote from it lately in a conversation that is open. None for an address that nobody has. Raises
    ConditionFailed for one who was merged or erased between the two reads.
    """
    talking = [one for one in now_theirs if known.talks(one, inbound.sender)]
    lately = inbound.at - LATELY
    still = [one for one in formerly if not now_theirs and known.talks(one, inbound.sender, lately)]
    answered = [
        one
        for one in (*now_theirs, *formerly)
        if one in known.contacts and known.answer.contact in known.contacts[one].every_id
    ]
    chosen = next(iter([*answered, *talking, *now_theirs, *still]), None)
    if chosen is None:
        return None
    contact = known.contacts.get(chosen)
    if contact is None or contact.merged_into or contact.erased_at is not None:
        raise ConditionFailed({"contact"})
    return contact
