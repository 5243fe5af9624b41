"""Sending text messages: what SMS adds to the path that all messages take (`messages.path`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tidings.consent.model import Channel, Check
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.clock import Clock
from tidings.core.store import Database, Part
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.model import Message
from tidings.messages.orders import Answer, may_send
from tidings.messages.parts import CEILINGS, measure
from tidings.messages.path import EventParts, MessagePath, View
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.sms.acceptance import Acceptance
from tidings.sms.composing import composed
from tidings.sms.countries import country_of
from tidings.sms.link_store import DynamoShortLinkStore
from tidings.sms.model import SmsGateway, SmsOrder, Text
from tidings.sms.ordering import asked_of, choice_of, outgoing, sender_check, unsubscribe_check

if TYPE_CHECKING:
    from tidings.messages.render import Rendered


class SmsTransport:
    """Text messages by End User Messaging."""

    channel = Channel.SMS
    skipped = "SMS Skipped"

    def __init__(self, gateway: SmsGateway, links: DynamoShortLinkStore, acceptance: Acceptance, clock: Clock) -> None:
        self._gateway = gateway
        self._links = links
        self._acceptance = acceptance
        self._clock = clock

    def address_of(self, contact: Contact) -> str:
        """The contact's phone number, E.164."""
        return contact.phone

    def address_check(self, contact: Contact) -> Check:
        """Whether the contact has a number, and of which country."""
        if not contact.phone:
            return Check("address", False, "the contact has no phone number")
        if Identity(IdentityKind.PHONE, contact.phone) not in contact.identities:
            return Check("address", False, "the contact's phone trait is no phone number")
        country = country_of(contact.phone)
        if not country:
            return Check("address", False, "the contact's phone number is of no country")
        return Check("address", True, f"the contact has a phone number of {country}")

    def checks(self) -> Sequence[Callable[[SmsOrder], Check]]:
        """Whether the workspace may send, from what, and whether there is a way out."""
        return (may_send, sender_check, unsubscribe_check)

    def compose(self, order: SmsOrder, rendered: Rendered, link: str) -> tuple[Text | None, Check]:
        """The text as the phone shows it, and whether the provider takes one so long."""
        origin = choice_of(order).origin
        assert origin is not None  # noqa: S101 - `sender_check` passed
        if not rendered.text.strip():
            return None, Check("length", False, "the text is empty")
        text = composed(order, rendered.text, link, origin)
        found = f"{text.encoding}, {text.units} units, {text.parts} part{'' if text.parts == 1 else 's'}"
        if measure(text.body).is_too_long:
            told = f"{found}: the provider takes {CEILINGS[text.encoding]} units at most"
            return None, Check("length", False, told)
        return text, Check("length", True, found)

    def kept(self, order: SmsOrder, content: Text | None) -> Mapping[str, Any]:
        """What the text leaves from, how long it is, and what the order asked for."""
        if content is None:
            return {"asked": asked_of(order)}
        transport = {
            "sender": content.origin.name,
            "country": content.country,
            "encoding": content.encoding,
            "units": content.units,
            "parts": content.parts,
            **({"links": sorted(content.links)} if content.links else {}),
        }
        return {"asked": asked_of(order), "transport": transport}

    def parts(self, order: SmsOrder, message: Message, content: Text) -> list[Part]:
        """The short links that stand in the text."""
        return self._links.parts(order.workspace, message, content.links, self._clock.now())

    def settled(self, message: Message) -> list[Part]:
        """By what an answer finds the message, and that it went."""
        return self._acceptance.parts(message, self._clock.now())

    def send(self, order: SmsOrder, message: Message, content: Text, link: str) -> Answer:
        """Hand the text to the provider."""
        return self._gateway.send(outgoing(order, content))

    def try_out(self, order: SmsOrder, content: Text) -> Answer:
        """Ask the provider whether it would take the text: it looks at everything and sends nothing."""
        return self._gateway.send(outgoing(order, content, dry_run=True))


class SmsService(MessagePath[SmsOrder, Text]):
    """Sends text messages."""

    def __init__(
        self,
        database: Database,
        messages: DynamoMessageStore,
        consents: DynamoConsentStore,
        events: EventParts,
        reports: DynamoReportStore,
        gateway: SmsGateway,
        clock: Clock,
    ) -> None:
        acceptance = Acceptance(DynamoAnsweredStore(database), events, clock)
        transport = SmsTransport(gateway, DynamoShortLinkStore(database), acceptance, clock)
        super().__init__(database, messages, consents, events, reports, transport, clock)
        self._sms = transport

    def try_out(self, order: SmsOrder) -> tuple[View[Text], Answer | None]:
        """What would become of an order, and what the provider says to it if it would be asked: nothing is sent."""
        view = self.decide(order)
        asked = view.content is not None and view.decision.sent
        return view, self._sms.try_out(order, view.content) if asked and view.content else None
