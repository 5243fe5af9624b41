"""What a person says on the pages that links in mails lead to: what they still want, and what not any more.

A token says who and what it is about, so nothing else is asked of them. The consent is changed first: from then on no
claim of a mail that it forbids goes through. What the mail itself led to is noted after that, once for each mail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.activity.model import SYSTEM, Event
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import EVERYTHING, AddressRecord, By, Channel, Kind, Proof, Reason, Reply
from tidings.consent.replies import Origin
from tidings.consent.rules import consent_check, contradicted, deciding
from tidings.consent.service import ConsentService
from tidings.consent.store import DynamoConsentStore
from tidings.consent.topics import topics_of
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, TidingsError
from tidings.core.ids import contact_of_message, digest
from tidings.core.store import ConditionFailed, Database
from tidings.messages.model import Message
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.unsubscribe import PURPOSE, Ticket, is_genuine, read_token

UNSUBSCRIBED = "Email Unsubscribed"
ONE_CLICK, PAGE, CONFIRMATION = "one-click", "preference page", "confirmation page"
# What stands on the page beside the topics, and over the button that takes a no back: the words of a proof.
OFFER = "What would you like to get?"
UNDO = "Subscribe again"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as a page shows it: whether mails about it come now."""

    name: str
    title: str
    description: str
    on: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """What an address gets now. `address` is masked, empty where nobody knows it any more.

    `about` is what the mail was about, None for all marketing. `erased` says that its person had themselves erased.
    """

    address: str
    about: Topic | None
    topics: tuple[Topic, ...]
    erased: bool

    @property
    def anything(self) -> bool:
        """Whether any marketing mail comes."""
        return any(topic.on for topic in self.topics)


def admit(workspaces: WorkspaceCache, token: str, purpose: str = PURPOSE) -> tuple[Workspace, Ticket]:
    """The workspace and ticket of a token that this workspace signed. Raises NotFound, which says nothing of why."""
    read = read_token(token)
    if read is not None:
        ticket, signature = read
        workspace = workspaces.get(ticket.workspace)
        if is_genuine(workspace, ticket, signature, purpose):
            return workspace, ticket
    raise NotFound("not_found", "There is no such page.")


def masked(address: str) -> str:
    """An address that its owner knows again and nobody else can use: `a•••@example.com`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••@{domain}" if at else ""


class PreferenceService:
    """Shows and changes what an address gets. Reading writes nothing, and no change is made twice."""

    def __init__(
        self,
        database: Database,
        records: DynamoConsentStore,
        messages: DynamoMessageStore,
        reports: DynamoReportStore,
        events: DynamoEventStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._records = records
        self._consents = ConsentService(records, events, clock)
        self._messages = messages
        self._reports = reports
        self._events = events
        self._clock = clock

    def show(self, workspace: Workspace, ticket: Ticket) -> Preferences:
        """What the ticket's address gets now: two reads."""
        record, message = self._record(ticket), self._messages.get(ticket.workspace, ticket.message)
        topics = tuple(_topics(workspace, record))
        return Preferences(
            address=masked(message.address if message else record.address),
            about=next((topic for topic in topics if topic.name == ticket.topic), None),
            topics=topics,
            erased=_is_erased(record),
        )

    def leave(self, workspace: Workspace, ticket: Ticket, source: str, ip: str, everything: bool = False) -> None:
        """Say no to the ticket's topic, or to everything. A no of the person's own that stands is not written again.

        Of a topic that the workspace has no more the page speaks as of all marketing, and so does this.
        """
        topic = EVERYTHING if everything or ticket.topic not in topics_of(workspace) else ticket.topic
        record = self._record(ticket)
        if _is_erased(record):
            return
        decided = record.consents.get(EVERYTHING) if topic == EVERYTHING else deciding(record, topic)
        # One that a merge of contacts carried here would go with it: said at this address, it stays.
        stands = decided is not None and decided.is_own_no and not decided.is_carried
        if topic == EVERYTHING and decided is not None:
            stands = stands and not contradicted(record, decided)
        if not stands:
            self._say(workspace, ticket, {topic: Reply.UNSUBSCRIBED}, self._proof(ticket, source, ip))
        self._note(ticket, topic)

    def save(
        self, workspace: Workspace, ticket: Ticket, chosen: Collection[str], ip: str, shown: Collection[str] = ()
    ) -> None:
        """Say yes to the chosen topics and no to the others, where that is not so already.

        `shown` are those that stood on the page, all for none: of what came since, nobody said anything.
        """
        record = self._record(ticket)
        if _is_erased(record):
            return
        topics = [one for one in _topics(workspace, record) if not shown or one.name in shown]
        changed = [one for one in topics if one.on != (one.name in chosen)]
        said = {one.name: Reply.UNSUBSCRIBED if one.on else Reply.SUBSCRIBED for one in changed}
        self._say(workspace, ticket, said, self._proof(ticket, PAGE, ip, OFFER))
        left = next((one.name for one in changed if one.on), "")
        if left:
            self._note(ticket, left)

    def back(self, workspace: Workspace, ticket: Ticket, ip: str) -> None:
        """Take a no back: to the ticket's topic, and where it was to everything, to what came before it."""
        record = self._record(ticket)
        if _is_erased(record):
            return
        asked = replace(record, consents={name: one for name, one in record.consents.items() if name != EVERYTHING})
        before = {topic.name for topic in _topics(workspace, asked) if topic.on}
        said = {}
        for topic in _topics(workspace, record):
            came = _left_all(record) and topic.name in before
            if not topic.on and (topic.name == ticket.topic or came):
                said[topic.name] = Reply.SUBSCRIBED
        self._say(workspace, ticket, said, self._proof(ticket, PAGE, ip, UNDO))

    def confirm(self, workspace: Workspace, ticket: Ticket, ip: str) -> None:
        """The person's yes by the button of the confirmation page. Raises NotFound, or Conflict where it comes late."""
        proof = self._proof(ticket, CONFIRMATION, ip)
        self._consents.confirm(workspace, Channel.EMAIL, ticket.key, ticket.topic, proof, self._origin(ticket))

    def _record(self, ticket: Ticket) -> AddressRecord:
        return self._records.record_under(ticket.workspace, Channel.EMAIL, ticket.key)

    def _proof(self, ticket: Ticket, source: str, ip: str, wording: str = "") -> Proof:
        return Proof(By.PERSON, source, self._clock.now(), ip, wording, ticket.message)

    def _say(self, workspace: Workspace, ticket: Ticket, said: Mapping[str, Reply], proof: Proof) -> None:
        if said:
            self._consents.change_under(workspace, Channel.EMAIL, ticket.key, said, proof, self._origin(ticket))

    def _origin(self, ticket: Ticket) -> Origin:
        """The mail with the link; of one that nobody knows any more, or that cannot be read now, whose it was."""
        contact = contact_of_message(ticket.message)
        try:
            message = self._messages.get(ticket.workspace, ticket.message)
        except TidingsError:  # what somebody says counts without the history of their mail
            return Origin(contact)
        return Origin(contact, message.node, message.began_by) if message is not None else Origin(contact)

    def _note(self, ticket: Ticket, topic: str) -> None:
        """Tell that a mail made its reader leave: once for each mail, in its history, in reports and as an event."""
        message = self._messages.get(ticket.workspace, ticket.message)
        if message is None or message.erased_at is not None or message.unsubscribed:
            return
        parts = [
            self._messages.left(message, self._clock.now()),
            self._reports.part(message, unsubscribed=1),
            self._events.part(self._event(message, topic)),
        ]
        try:
            self._database.transact(parts)
        except ConditionFailed:
            return  # another call of the same person was faster

    def _event(self, message: Message, topic: str) -> Event:
        now = self._clock.now()
        return Event(
            workspace=message.workspace,
            identity=Identity(IdentityKind.CONTACT, message.contact),
            message_id=digest(message.id, "unsubscribed"),
            type=SYSTEM,
            name=UNSUBSCRIBED,
            received_at=now,
            timestamp=now,
            properties={"message": message.id, "topic": topic},
            cause=message.node,
            root=message.began_by,
        )


def _is_erased(record: AddressRecord) -> bool:
    return record.suppression is not None and record.suppression.reason is Reason.ERASED


def _left_all(record: AddressRecord) -> bool:
    everything = record.consents.get(EVERYTHING)
    return everything is not None and everything.reply is Reply.UNSUBSCRIBED


def _topics(workspace: Workspace, record: AddressRecord) -> Iterator[Topic]:
    """What the page shows: the workspace's topics, each with whether a mail about it would be sent now."""
    for name, topic in topics_of(workspace).items():
        on = consent_check(record, Kind.MARKETING, name, topic).passed
        yield Topic(name, topic.title, topic.description, on)
