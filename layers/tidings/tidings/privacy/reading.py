"""Where everything that is known of a person stands, for the export: read by queries, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition

from tidings.accounts.cache import WorkspaceCache
from tidings.activity.store import DynamoEventStore, EventItem
from tidings.automations.enrolments.items import EnrolmentItem, StepItem
from tidings.automations.enrolments.store import NAMED, DynamoEnrolmentStore
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.consent.asking import shown
from tidings.consent.model import Channel
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.merge_store import DynamoMergeStore
from tidings.contacts.merging import name_words
from tidings.contacts.model import Contact, Stamp
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.exporting import ConversationExport
from tidings.core.clock import to_text
from tidings.core.store import Database, Item, faults
from tidings.messages.store import DynamoMessageStore, MessageItem
from tidings.privacy.export import Keyed
from tidings.privacy.model import Section
from tidings.privacy.rules import addresses_of

# Items a query asks for at once: what is read of them and then finds no place on the page is read again.
AT_ONCE = 100

After = tuple[str, ...]
Documents = Callable[[Contact, str, After], Iterator[Keyed]]


class DynamoReader:
    """Reads all tables in which something of a person stands."""

    def __init__(self, database: Database, workspaces: WorkspaceCache) -> None:
        self._workspaces = workspaces
        self._contacts = DynamoContactStore(database)
        self._merges = DynamoMergeStore(database)
        self._consents = DynamoConsentStore(database)
        self._event_store = DynamoEventStore(database)
        self._message_store = DynamoMessageStore(database)
        self._conversations = ConversationExport(database)
        self._enrolment_store = DynamoEnrolmentStore(database, counts=False)
        self._refusals = DynamoRefusalStore(database)
        self._event_items = database.table(EventItem, "events")
        self._message_items = database.table(MessageItem, "messages")
        self._enrolment_items = database.table(EnrolmentItem, "enrolments")
        self._step_items = database.table(StepItem, "steps")
        self._reading: dict[Section, Documents] = {
            Section.CONTACT: self._contact,
            Section.IDENTITIES: self._identities,
            Section.COMPANIES: self._companies,
            Section.MERGES: self._merged,
            Section.SUPPRESSIONS: self._suppressions,
            Section.CONSENTS: self._said,
            Section.EVENTS: self._events,
            Section.MESSAGES: self._messages,
            Section.CONVERSATIONS: self._talks,
            Section.ENROLMENTS: self._enrolments,
            Section.REFUSALS: self._refused,
            Section.STEPS: self._steps,
        }

    def sources(self, section: Section, contact: Contact) -> Sequence[str]:
        """The names of the places that a section is read from."""
        if section in (Section.CONTACT, Section.MERGES, Section.CONVERSATIONS):
            return contact.every_id
        if section in (Section.IDENTITIES, Section.COMPANIES):
            return ("",)
        if section in (Section.SUPPRESSIONS, Section.CONSENTS):
            return [f"{channel}#{address}" for channel, address in addresses_of(contact)]
        if section is Section.EVENTS:
            return [str(identity) for identity in contact.event_identities]
        return list(dict.fromkeys((*contact.every_id, *(window.contact for window in contact.kept))))

    def documents(self, section: Section, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        """A source's documents beyond a key, each with its own."""
        return self._reading[section](contact, source, after)

    def _contact(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        found = contact if source == contact.id else self._contacts.get(contact.workspace, source)
        if found is not None and not after:
            yield (source,), {**found.as_dict(), **_details(found)}

    def _identities(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        for identity in sorted(contact.identities):
            key = (str(identity),)
            if key > after:
                given = _stamp(contact.stamps.get(identity))
                yield key, {"kind": identity.kind.value, "value": identity.value, **given}
        words = sorted(name_words(contact))
        behind = ("~name",)  # sorts behind every identity
        if words and after < behind:
            yield behind, {"kind": "name", "value": words}

    def _companies(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        for company, membership in sorted(contact.companies.items()):
            if (company,) > after:
                yield (company,), {"company": company, "joined": membership.joined, **_stamp(membership.stamp)}

    def _merged(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        for merge in self._merges.of_contacts(contact.workspace, [source]):
            if (merge.id,) > after:
                yield (merge.id,), merge.as_dict()

    def _suppressions(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        """What keeps messages away, and what stands on the list beneath a STOP."""
        channel, _, address = source.partition("#")
        record = self._consents.record(self._workspaces.get(contact.workspace), Channel(channel), address)
        for place, entry in enumerate(dict.fromkeys((record.suppression, record.entry))):
            if entry is not None and (source, str(place)) > after:
                yield (source, str(place)), entry.as_dict()

    def _said(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        """What an address said of each topic, and after that how all that is known of it came about."""
        name, _, address = source.partition("#")
        channel, workspace = Channel(name), self._workspaces.get(contact.workspace)
        record = self._consents.record(workspace, channel, address)
        where = {"channel": name, "address": address}
        for topic, consent in sorted(record.consents.items()):
            if ("", topic) > after:
                yield ("", topic), {**where, "topic": topic, **(shown(consent) or {})}
        place = after[1] if after and after[0] else ""
        for sk, entry in self._consents.log_since(contact.workspace, channel, record.key, place):
            yield ("log", sk), {**where, **entry.as_dict()}

    def _events(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        pk = f"{contact.workspace}#{source}"
        start = {"pk": {"S": pk}, "received_at": {"S": after[0]}, "sk": {"S": after[1]}} if after else None
        index = self._event_items.received
        with faults():
            for item in index.query(pk, consistent_read=True, page_size=AT_ONCE, last_evaluated_key=start):
                event = self._event_store.entity(item)
                if not event.contact or contact.shows(event.contact, event.received_at):
                    yield (item.received_at, item.sk), {**event.as_dict(), "publishable": event.publishable}

    def _messages(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        for item in self._query(self._message_items, contact, source, after):
            message = self._message_store.entity(item)
            if message.claimed_at is None or contact.shows(source, message.claimed_at):
                unshown = {
                    "claimed_at": message.claimed_at,
                    "data": dict(message.data),
                    "asked": dict(message.asked),
                    "marks": dict(message.marks),
                }
                yield (item.sk,), {**message.as_dict(), **unshown}

    def _talks(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        """Conversations, everything that stands in them, and mails as they came."""
        for sk, document in self._conversations.documents(contact.workspace, source, after[0] if after else ""):
            yield (sk,), document

    def _enrolments(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        """Enrolments with what their trigger event said, which stands in the item behind each."""
        found: tuple[str, dict[str, Any]] | None = None
        table = self._enrolment_items
        for item in self._query(table, contact, source, after, table.sk >= NAMED):
            if item.state is None:
                said = {"properties": item.properties or {}, "why": item.why or {}}
                found = (item.sk, {**found[1], **said}) if found else None
                continue
            if found is not None:
                yield (found[0],), found[1]
            enrolment = self._enrolment_store.entity(item)
            shown = contact.shows(source, enrolment.started_at)
            found = (item.sk, enrolment.as_dict()) if shown else None
        if found is not None:
            yield (found[0],), found[1]

    def _refused(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        """Why automations did not take them in, with the values that were seen; also what is to expire."""
        for sk, kept in self._refusals.all_of(contact.workspace, source, after[0] if after else ""):
            if contact.shows(source, kept.at):
                yield (sk,), kept.as_dict()

    def _steps(self, contact: Contact, source: str, after: After) -> Iterator[Keyed]:
        for item in self._query(self._step_items, contact, source, after):
            step = self._enrolment_store.step(item)
            if contact.shows(source, step.at):
                automation, entry, _ = item.sk.split("#", 2)
                named = {"contact": source, "automation": automation, "entry": entry}
                yield (item.sk,), {**named, **step.as_dict(), "until": dict(step.until)}

    def _query(
        self, model: type[Item], contact: Contact, source: str, after: After, keys: Condition | None = None
    ) -> Iterator[Any]:
        pk = f"{contact.workspace}#{source}"
        start = {"pk": {"S": pk}, "sk": {"S": after[0]}} if after else None
        with faults():
            yield from model.query(pk, keys, consistent_read=True, page_size=AT_ONCE, last_evaluated_key=start)


def _details(contact: Contact) -> dict[str, Any]:
    """What the API does not show of a contact otherwise: when what was said, and by which message."""
    traits = {n: {"value": t.value, "at": t.at, "by": t.by} for n, t in contact.traits.items()}
    visit = contact.visit
    return {
        "traits_set": {name: _plain(trait) for name, trait in traits.items()},
        "context": {source: dict(fields) for source, fields in contact.context.items()},
        "visit": {"message": visit.message, "root": visit.root, "at": to_text(visit.at)} if visit else None,
        "apart": [str(identity) for identity in sorted(contact.apart)],
        "merged_into": contact.merged_into,
    }


def _stamp(stamp: Stamp | None) -> dict[str, Any]:
    return {"at": to_text(stamp.at), "by": stamp.by} if stamp else {}


def _plain(trait: Mapping[str, Any]) -> dict[str, Any]:
    return {**trait, "at": to_text(trait["at"])}
