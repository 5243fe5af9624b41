"""Asking somebody to confirm that they want mail about a topic: double opt-in.

Whoever types an address need not be who reads its mail, so nothing is granted here, whatever key calls: the address is
noted as asked, and one mail a day at most goes to it with a link. Only the page behind that link, used by whoever got
the mail, makes it a yes. The answer does not tell whether the address was known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.asking import Source, Wording, read_body
from tidings.consent.model import By, Channel, Consent, Kind, Proof, Topic
from tidings.consent.rules import normalise_address
from tidings.consent.service import ConsentService
from tidings.consent.store import address_key
from tidings.consent.topics import topic_of
from tidings.contacts.model import Contact
from tidings.core.clock import Clock, to_text
from tidings.core.errors import Conflict, NotFound
from tidings.core.ids import digest, message_id
from tidings.core.store import Database
from tidings.email.model import MailOrder
from tidings.email.requests import Recipient
from tidings.email.service import EmailService
from tidings.messages.model import Template
from tidings.messages.orders import Alone
from tidings.messages.path import Unsettled
from tidings.messages.recipients import Recipients
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore
from tidings.messages.unsubscribe import CONFIRM, Ticket, link_of

PENDING = "pending"
FORM = "form"


class SubscriptionRequest(BaseModel):
    """The body of POST /v1/subscriptions: who asks for what, and the words that they said yes to."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    email: Annotated[str, Field(max_length=320)]
    topic: Annotated[str, Field(max_length=63)]
    wording: Annotated[Wording, Field(min_length=1)]
    source: Source = FORM


class SubscriptionDesk:
    """Takes wishes to be written to, and asks for their confirmation."""

    def __init__(
        self,
        database: Database,
        emails: EmailService,
        recipients: Recipients,
        consents: ConsentService,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._emails = emails
        self._recipients = recipients
        self._consents = consents
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages
        self._clock = clock

    def subscribe(self, workspace: str, body: Mapping[str, Any], ip: str, actor: str) -> str:
        """Note a wish and send the mail that asks for its confirmation; `pending`, or `subscribed` if that is known.

        A repeat within a day sends nothing, nor does a sixth topic for one address. Somebody who was erased is not
        asked, and not told of either. Raises InvalidInput, NotFound for an unknown topic or template, Conflict where
        the topic asks nobody.
        """
        request = read_subscription(body)
        place = self._workspace(workspace)
        topic = self._topic(place, request.topic)
        address = normalise_address(Channel.EMAIL, request.email)
        if not place.public_url:
            raise Conflict("no_public_url", "The workspace has no public address that a link could lead to.", "topic")
        template_key = self._templates.live_key(workspace, topic.confirmation)
        found = self._database.batch_get([template_key])
        if template_key not in found:
            raise NotFound("unknown_template", f"There is no template named {topic.confirmation}.", "topic")
        try:
            contact = self._contact(place, address)
            proof = Proof(By.PERSON, request.source, self._clock.now(), ip, request.wording)
            consent = self._consents.ask(place, Channel.EMAIL, address, topic.name, proof, actor)
        except Conflict as error:
            if error.code != "person_erased":
                raise
            return PENDING
        if consent is None:
            return PENDING
        if consent.pending is None:
            return consent.reply.value
        self._send(place, contact, topic, consent, self._templates.entity(found[template_key]), address)
        return PENDING

    def _workspace(self, workspace: str) -> Workspace:
        found = self._workspaces.get(workspace, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found

    def _topic(self, workspace: Workspace, name: str) -> Topic:
        topic = topic_of(workspace, name)
        if topic is None:
            raise NotFound("unknown_topic", f"There is no topic named {name}.", "topic")
        if not topic.confirmation:
            raise Conflict("no_confirmation", f"The topic {name} names no template that asks to confirm.", "topic")
        return topic

    def _contact(self, workspace: Workspace, address: str) -> Contact:
        found = self._recipients.find(workspace.id, Recipient(email=address))
        if found is not None:
            return found
        self._recipients.require_address_of_nobody(workspace, address)
        return self._recipients.add(workspace, address, digest("subscription", address_key(workspace, address)))

    def _send(
        self, workspace: Workspace, contact: Contact, topic: Topic, consent: Consent, template: Template, address: str
    ) -> None:
        """Send the mail of an asking: as often as it is repeated, it is one message. Raises Throttled."""
        key = address_key(workspace, address)
        asked_at = to_text(consent.pending.at) if consent.pending else ""
        owners = self._recipients.owners(workspace.id, Recipient(email=address), contact)
        ids = {owner: message_id(owner, "confirm", workspace.id, key, topic.name, asked_at) for owner in owners}
        keys = [self._messages.key(workspace.id, owner, message) for owner, message in ids.items()]
        found = self._database.batch_get(keys)
        known = next((self._messages.entity(found[place]) for place in keys if place in found), None)
        owner = known.contact if known else contact.id
        ticket = Ticket(workspace.id, ids[owner], key, topic.name)
        order = MailOrder(
            workspace=workspace,
            contact=contact,
            owner=owner,
            message_id=ids[owner],
            template_name=topic.confirmation,
            template=template,
            kind=Kind.TRANSACTIONAL,
            variables={
                "confirm_url": link_of(workspace, ticket, CONFIRM),
                "topic": {"name": topic.name, "title": topic.title, "description": topic.description},
            },
            cause={"api": digest("subscription", key, topic.name, asked_at)},
        )
        try:
            self._emails.send(order, known, Alone())
        except Unsettled:
            return  # it is on record, and what SES tells of it settles it


def read_subscription(body: Mapping[str, Any]) -> SubscriptionRequest:
    """What a body asks for. Raises InvalidInput."""
    return read_body(SubscriptionRequest, body)
