"""Sending a mail by API: one recipient, one template, one idempotency key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Kind
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.rules import ID_BYTES
from tidings.contacts.service import ContactDirectory
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.ids import digest, message_id
from tidings.core.store import Database
from tidings.email.model import Alone, Order
from tidings.email.ordering import kind_of
from tidings.email.service import EmailService, Unsettled
from tidings.messages.model import Message, Name, Template
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore


def _short(text: str) -> str:
    if len(text.encode()) > ID_BYTES:
        raise ValueError(f"is at most {ID_BYTES} bytes")
    return text


Id = Annotated[str, AfterValidator(_short)]


class Recipient(BaseModel):
    """Exactly one way to name a contact. An e-mail that nobody has makes one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    contact: Id | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    email: Id | None = None

    @model_validator(mode="after")
    def _one(self) -> Recipient:
        if len([value for value in self.model_dump().values() if value]) != 1:
            raise ValueError("name one of contact, user_id, anonymous_id, email")
        return self


class SendRequest(BaseModel):
    """The body of POST /v1/emails."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    to: Recipient
    template: Name
    idempotency_key: Annotated[str, Field(min_length=1, max_length=256)]
    kind: Annotated[Kind | None, Field(strict=False)] = None
    variables: dict[str, Any] = Field(default_factory=dict)


class EmailDesk:
    """Takes orders through the API."""

    def __init__(
        self,
        database: Database,
        emails: EmailService,
        directory: ContactDirectory,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
        events: DynamoEventStore,
    ) -> None:
        self._events = events
        self._database = database
        self._emails = emails
        self._directory = directory
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages

    def send(self, workspace: str, body: Mapping[str, Any]) -> Message:
        """Send a mail; the message as it stands, `claimed` where nobody can tell yet whether it went.

        For one contact, the same idempotency key with the same body is the same message, with another one Conflict.
        Raises InvalidInput, NotFound for an unknown contact or template, Throttled.
        """
        request = _read(body)
        contact = self._recipient(workspace, request.to)
        owners = self._owners(workspace, request.to, contact)
        keys = [self._messages.key(workspace, owner, _message_id(workspace, owner, request)) for owner in owners]
        template_key = self._templates.live_key(workspace, request.template)
        workspace_key = self._workspaces.key(workspace)
        found = self._database.batch_get([*keys, template_key, workspace_key])
        if template_key not in found:
            raise NotFound("unknown_template", f"There is no template named {request.template}.", "template")
        place, template = self._workspaces.entity(found[workspace_key]), self._templates.entity(found[template_key])
        known = next((self._messages.entity(found[key]) for key in keys if key in found), None)
        if contact is None:
            contact = self._directory.get(workspace, known.contact) if known else self._add(place, request)
        owner = known.contact if known else contact.id
        order = _order(place, contact, owner, template, request)
        try:
            return self._emails.send(order, known, Alone())
        except Unsettled:
            stored = self._messages.get(workspace, order.message_id)
            if stored is None:
                raise
            return stored

    def _add(self, workspace: Workspace, request: SendRequest) -> Contact:
        """A new contact with the address. Raises Conflict if it was that of somebody erased, who must not come back."""
        email = str(request.to.email)
        self._emails.require_not_erased(workspace, email)
        earlier = self._directory.had_email(workspace.id, workspace.secret, email)
        if earlier and self._messages.get(workspace.id, _message_id(workspace.id, earlier, request)) is not None:
            raise Conflict("idempotency_conflict", "This idempotency key was used for somebody who was erased since.")
        return self._directory.add_by_email(
            workspace.id, workspace.secret, email, lambda new: [self._events.part(_created(new, request))]
        )

    def _owners(self, workspace: str, to: Recipient, contact: Contact | None) -> tuple[str, ...]:
        """Under whose ids the message may stand already.

        It was sent before two contacts became one, before an older contact got the address and answers for it, or
        before the person got another address.
        """
        shared = self._directory.with_email(workspace, to.email) if to.email else []
        return tuple(dict.fromkeys((*(contact.every_id if contact else ()), *shared)))

    def _recipient(self, workspace: str, to: Recipient) -> Contact | None:
        if to.contact:
            return self._directory.get(workspace, to.contact)
        if to.email:
            return self._directory.find_by_email(workspace, to.email)
        if to.user_id:
            return self._directory.find(workspace, Identity(IdentityKind.USER, to.user_id))
        return self._directory.find(workspace, Identity(IdentityKind.ANONYMOUS, str(to.anonymous_id)))


def _created(contact: Contact, request: SendRequest) -> Event:
    """The event that tells of a contact made by a mail: a contact is what its events say."""
    return Event(
        workspace=contact.workspace,
        identity=Identity(IdentityKind.CONTACT, contact.id),
        message_id=digest("created", contact.id),
        type="system",
        name="Contact Created",
        received_at=contact.created_at,
        timestamp=contact.created_at,
        traits=contact.values,
        cause=Node.call(request.idempotency_key),
        root=Node.call(request.idempotency_key),
    )


def _message_id(workspace: str, owner: str, request: SendRequest) -> str:
    return message_id(owner, "api", workspace, request.idempotency_key)


def _order(workspace: Workspace, contact: Contact, owner: str, template: Template, request: SendRequest) -> Order:
    return Order(
        workspace=workspace,
        contact=contact,
        owner=owner,
        message_id=_message_id(workspace.id, owner, request),
        template_name=request.template,
        template=template,
        kind=kind_of(request.kind, template),
        variables=request.variables,
        cause={"api": request.idempotency_key},
        request=_hash(request),
    )


def _read(body: Mapping[str, Any]) -> SendRequest:
    try:
        return SendRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_request", f"{field}: {first['msg']}.", field) from error


def _hash(request: SendRequest) -> str:
    return digest("request", json.dumps(request.model_dump(mode="json"), sort_keys=True))
