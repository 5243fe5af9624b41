"""Sending mails: what e-mail adds to the path that all messages take (`messages.path`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tidings.consent.model import Channel, Check
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import Contact, IdentityKind
from tidings.contacts.rules import normalise_email
from tidings.core.clock import Clock
from tidings.core.store import Database, Part
from tidings.email.answering import Signed, code_of, is_signed
from tidings.email.model import Mail, MailGateway, MailOrder
from tidings.email.ordering import (
    answered_at,
    asked_of,
    reply_to_of,
    sender_check,
    sender_of,
    tags_of,
    unsubscribe_check,
)
from tidings.email.rules import HEADER_MESSAGE, TAG_MESSAGE, TAG_WORKSPACE
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.model import Message
from tidings.messages.orders import Answer, may_send
from tidings.messages.path import EventParts, MessagePath
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.unsubscribe import headers_of, with_link

if TYPE_CHECKING:
    from tidings.messages.render import Rendered


class MailTransport:
    """Mails by SES."""

    channel = Channel.EMAIL
    skipped = "Email Skipped"

    def __init__(self, gateway: MailGateway, answered: DynamoAnsweredStore, clock: Clock) -> None:
        self._gateway = gateway
        self._answered = answered
        self._clock = clock

    def address_of(self, contact: Contact) -> str:
        """The contact's e-mail address."""
        return contact.email

    def address_check(self, contact: Contact) -> Check:
        """Whether the contact has an address that SES takes."""
        is_identity = any(identity.kind is IdentityKind.EMAIL for identity in contact.identities)
        if is_identity and normalise_email(contact.email):
            if not contact.email.isascii():  # SES takes none: neither before the @ nor behind it
                told = "SES takes letters of ASCII only: write the address's domain as xn--…"
                return Check("address", False, told)
            return Check("address", True, "the contact has an e-mail address")
        found = "the contact's e-mail trait is no address" if contact.email else "the contact has no e-mail address"
        return Check("address", False, found)

    def checks(self) -> Sequence[Callable[[MailOrder], Check]]:
        """Whether the workspace may send, from whom, and whether there is a way out."""
        return (may_send, sender_check, unsubscribe_check)

    def compose(self, order: MailOrder, rendered: Rendered, link: str) -> tuple[Rendered, None]:
        """The mail as it was rendered: nothing is refused of it."""
        return rendered, None

    def kept(self, order: MailOrder, content: Rendered | None) -> Mapping[str, Any]:
        """The subject, the names of attachments, what the order asked for, and where answers come in here."""
        answered = answered_at(order)
        return {
            "transport": {"answers": answered} if answered else {},
            "subject": content.subject if content else "",
            "asked": asked_of(order),
            "attachments": tuple(one.name for one in order.attachments),
        }

    def parts(self, order: MailOrder, message: Message, content: Rendered) -> list[Part]:
        """What an answer to a signed address finds the message by; links in mails keep their addresses."""
        if not is_signed(order):
            return []
        signed = Signed(message.workspace, code_of(order.workspace, message.id))
        return [self._answered.part(replace(message, provider_id=signed.pointer), self._clock.now())]

    def settled(self, message: Message) -> list[Part]:
        """What an answer finds the message by that names the mail as SES does, where answers come in here."""
        return [self._answered.part(message, self._clock.now())] if message.transport.get("answers") else []

    def send(self, order: MailOrder, message: Message, content: Rendered, link: str) -> Answer:
        """Hand the mail to SES."""
        return self._gateway.send(_mail(order, message, content, link))


class EmailService(MessagePath[MailOrder, "Rendered"]):
    """Sends mails."""

    def __init__(
        self,
        database: Database,
        messages: DynamoMessageStore,
        consents: DynamoConsentStore,
        events: EventParts,
        reports: DynamoReportStore,
        gateway: MailGateway,
        clock: Clock,
    ) -> None:
        super().__init__(
            database,
            messages,
            consents,
            events,
            reports,
            MailTransport(gateway, DynamoAnsweredStore(database), clock),
            clock,
        )


def _mail(order: MailOrder, message: Message, rendered: Rendered, link: str) -> Mail:
    from tidings.messages import links  # late, as the renderer

    text, html = links.in_text(rendered.text, message.id, link), links.in_html(rendered.html, message.id, link)
    if link:
        html, text = with_link(html, text, link, order.workspace)
    return Mail(
        sender=sender_of(order),
        recipient=message.address,
        subject=rendered.subject,
        text=text,
        html=html,
        tags={**tags_of(order), TAG_MESSAGE: message.id, TAG_WORKSPACE: message.workspace},
        kind=message.kind,
        reply_to=reply_to_of(order),
        headers={
            **order.headers,
            HEADER_MESSAGE: f"{message.workspace}/{message.id}",
            **(headers_of(link) if link else {}),
        },
        attachments=order.attachments,
    )
