"""Mails that come in: whose workspace, which message they answer, whether a person wrote them, and into a conversation.

SES receives them and tells a topic of each with its whole content: an SNS action of a receipt rule
(https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html). What is read of that:
`notificationType` Received, `mail` {timestamp, source, messageId}, `receipt` {recipients, …Verdict {status}, action
{encoding}} and `content`, in base64 where `encoding` says so.

A mail to a signed address belongs to the contact of the message that it was signed for, whoever writes. Any other is
matched by the Message-IDs that it refers to, and belongs to whoever has the address that it is from.

What a machine wrote (an absence notice, a bounce, a list) opens no conversation, is answered by nobody and is no
person's message: it stands on the timeline of its contact, under a name of its own, if there is such a contact.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoInboundStore
from tidings.activity.chain import Node
from tidings.activity.model import SYSTEM, Event
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Channel
from tidings.contacts.erased import PersonErased
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.intake import Intake
from tidings.conversations.mail_store import DynamoMailStore
from tidings.conversations.model import Attachment, Inbound
from tidings.core.clock import Clock, from_text
from tidings.core.errors import NotFound
from tidings.core.ids import digest
from tidings.core.logs import logger
from tidings.core.store import Database
from tidings.email.answering import Signed, domain_of, is_genuine, read_signed
from tidings.email.quoting import written
from tidings.email.received import Received, read_mail
from tidings.messages.answered_store import Answered, DynamoAnsweredStore

RECEIVED, AUTOMATIC = "Email Received", "Email Received Automatically"
# What of a mail stands in the conversation and in the event: an item has 400 KB, and the whole mail is kept.
TEXT_CHARACTERS = 20_000
SHOWN_AUTOMATIC = 2_000
RECIPIENTS = 50
ANSWERS = 10
COMES_BACK = "ours"  # by what it is known that a mail is the workspace's own
VERDICTS = ("spam", "virus", "spf", "dkim", "dmarc")


@dataclass(frozen=True, slots=True)
class Notification:
    """What SES tells of a mail that it received. `recipients` are those of the envelope that its rule is for."""

    provider_id: str
    at: datetime
    source: str
    recipients: tuple[str, ...]
    verdicts: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail came in: a workspace, and the address of it; `signed` if that claims to be signed, at a `domain`.

    What is not signed by the workspace is its mail only at its own domain: anybody can write any workspace's name.
    """

    workspace: Workspace
    address: str
    signed: Signed | None = None
    domain: str = ""


def read_notification(told: Mapping[str, Any]) -> Notification | None:
    """The mail in a notification; None for one of another kind. Raises KeyError, TypeError or ValueError."""
    if told.get("notificationType") != "Received" or "content" not in told:
        return None
    mail, receipt = told["mail"], told["receipt"]
    packed = str(receipt.get("action", {}).get("encoding", "")).upper() == "BASE64"
    content = str(told["content"])
    statuses = {name: str((receipt.get(f"{name}Verdict") or {}).get("status") or "") for name in VERDICTS}
    return Notification(
        provider_id=str(mail["messageId"]),
        at=from_text(mail["timestamp"]),
        source=str(mail.get("source") or ""),
        recipients=tuple(str(one).lower() for one in receipt["recipients"][:RECIPIENTS]),
        verdicts={name: status for name, status in statuses.items() if status},
        raw=base64.b64decode(content) if packed else content.encode("utf-8", "surrogatepass"),
    )


class MailDesk:
    """Takes mails in."""

    def __init__(self, database: Database, workspaces: WorkspaceCache, clock: Clock) -> None:
        self._database = database
        self._workspaces = workspaces
        self._addresses = DynamoInboundStore(database)
        self._answered = DynamoAnsweredStore(database)
        self._contacts = DynamoContactStore(database)
        self._directory = ContactDirectory(self._contacts, clock)
        self._intake = Intake.of(database, clock)
        self._events = DynamoEventStore(database)
        self._mails = DynamoMailStore(database)
        self._clock = clock

    def take(self, told: Mapping[str, Any]) -> None:
        """Take what SES tells in; again it changes nothing.

        A mail with a virus is refused, one to an address that is nobody's is let go: of both the log has a line, and no
        address. Raises InvalidInput for a sender by whom nobody can be known, KeyError, TypeError or ValueError for
        what is no notification, and what the database raises.
        """
        notification = read_notification(told)
        if notification is None:
            return
        if notification.verdicts.get("virus") == "FAIL":
            logger.warning("mail with a virus refused", extra={"mail": notification.provider_id})
            return
        places = self._places(notification.recipients)
        if not places:
            logger.warning("mail to nobody let go", extra={"mail": notification.provider_id})
        mail = read_mail(notification.raw, notification.source) if places else None
        for place in places:
            if mail is not None:
                self._take_for(place, mail, notification)

    def _places(self, recipients: Sequence[str]) -> list[Place]:
        """The workspaces that a mail came to, each once: a signed address says more than another."""
        found: dict[str, Place] = {}
        for address in recipients:
            place = self._place(address)
            if place is not None and (place.signed or place.workspace.id not in found):
                found[place.workspace.id] = place
        return list(found.values())

    def _place(self, address: str) -> Place | None:
        signed = read_signed(address)
        local, _, domain = address.rpartition("@")
        name = signed.workspace if signed else self._addresses.workspace_of(f"{local.partition('+')[0]}@{domain}")
        if not name:
            return None
        try:
            workspace = self._workspaces.get(name)
        except NotFound:
            return None
        return Place(workspace, workspace.inbound_address or address, signed, domain)

    def _take_for(self, place: Place, mail: Received, notification: Notification) -> None:
        answer, contact = self._answer(place, mail)
        if place.signed and not contact and place.domain != domain_of(place.workspace):
            logger.warning("mail to nobody let go", extra={"mail": notification.provider_id})
            return
        if mail.automatic or _comes_back(mail, place):
            self._record(place, mail, notification, answer)
            return
        taken = self._intake.take(_inbound(place, mail, notification, answer, contact))
        if taken.conversation:
            self._mails.put(place.workspace.id, taken.conversation, taken.entry, notification.raw)

    def _answer(self, place: Place, mail: Received) -> tuple[Answered | None, str]:
        """The message of ours that a mail answers, and the contact that a signature names: one batched read."""
        workspace, signed = place.workspace, place.signed
        names = [*([signed.pointer] if signed else []), *mail.answers[:ANSWERS]]
        keys = {name: self._answered.key(workspace.id, Channel.EMAIL.value, name) for name in names}
        found = self._database.batch_get(keys.values()) if keys else {}
        read = {name: self._answered.entity(found[key]) for name, key in keys.items() if key in found}
        named = read.pop(signed.pointer, None) if signed else None
        if signed and named and is_genuine(workspace, signed, named.message):
            return named, named.contact
        return next((read[name] for name in mail.answers[:ANSWERS] if name in read), None), ""

    def _record(self, place: Place, mail: Received, notification: Notification, answer: Answered | None) -> None:
        """Put what a machine wrote on the timeline of whom it is about; nobody is made for it."""
        workspace = place.workspace
        known = self._known(workspace.id, mail, answer)
        if not known:
            logger.info("automatic mail of nobody let go", extra={"mail": notification.provider_id})
            return
        now = self._clock.now()
        told = {"auto": True, "why": mail.automatic or COMES_BACK, "text": written(mail.text)[:SHOWN_AUTOMATIC]}
        event = Event(
            workspace=workspace.id,
            identity=Identity(IdentityKind.CONTACT, known),
            message_id=digest("inbound", Channel.EMAIL.value, notification.provider_id),
            type=SYSTEM,
            name=AUTOMATIC,
            received_at=now,
            timestamp=min(notification.at, now),
            properties={**told, **_properties(place, mail, notification), "channel": Channel.EMAIL.value},
            cause=Node.message(answer.message) if answer else None,
        )
        self._events.add(event)

    def _known(self, workspace: str, mail: Received, answer: Answered | None) -> str:
        """Whom an automatic mail is about: whose message it answers, else who has the address; empty for nobody."""
        if answer is None and not mail.sender:
            return ""
        identity = Identity(IdentityKind.EMAIL, mail.sender)
        found = answer.contact if answer else next(iter(self._contacts.holders(workspace, identity, 1)), "")
        try:
            return self._directory.get(workspace, found).id if found else ""
        except (NotFound, PersonErased):
            return ""


def _comes_back(mail: Received, place: Place) -> bool:
    """Whether a mail is one of the workspace's own: what another one sends here, a person there may have written."""
    return mail.ours.partition("/")[0] == place.workspace.id


def _inbound(
    place: Place, mail: Received, notification: Notification, answer: Answered | None, contact: str
) -> Inbound:
    """The mail as conversations take it: what was written, without what it quotes."""
    return Inbound(
        workspace=place.workspace,
        channel=Channel.EMAIL,
        sender=mail.sender,
        to=place.address,
        provider_id=notification.provider_id,
        at=notification.at,
        text=written(mail.text, _quoted_as(place, notification))[:TEXT_CHARACTERS],
        event=RECEIVED,
        message=answer.message if answer else "",
        subject=mail.subject,
        properties=_properties(place, mail, notification),
        attachments=tuple(Attachment(one.name, one.type, len(one.content), str(n)) for n, one in enumerate(mail.files)),
        reference=" ".join(mail.thread),
        contact=contact,
    )


def _quoted_as(place: Place, notification: Notification) -> str:
    """Our address as the mail's quotation names it: the one that it was written to."""
    if place.signed is None:
        return place.address
    return next((one for one in notification.recipients if read_signed(one) == place.signed), place.address)


def _properties(place: Place, mail: Received, notification: Notification) -> dict[str, Any]:
    return {
        "subject": mail.subject,
        "from": mail.sender,
        "to": place.address,
        "provider_id": notification.provider_id,
        "attachments": len(mail.files),
        "verdicts": dict(notification.verdicts),
    }
