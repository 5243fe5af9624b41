"""Sending a mail by API: one recipient, one template, one idempotency key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.ids import digest, message_id
from tidings.core.store import Database
from tidings.email.model import Alone, Order
from tidings.email.service import EmailService, Unsettled
from tidings.messages.model import Kind, Message, Name
from tidings.messages.store import DynamoMessageStore, DynamoTemplateStore


class Recipient(BaseModel):
    """Exactly one way to name a contact. An e-mail that nobody has makes one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    contact: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None

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
    kind: Annotated[Kind, Field(strict=False)] = Kind.MARKETING
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
    ) -> None:
        self._database = database
        self._emails = emails
        self._directory = directory
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages

    def send(self, workspace: str, body: Mapping[str, Any]) -> Message:
        """Send a mail; the message as it stands, `claimed` where nobody can tell yet whether it went.

        The same idempotency key with the same body is the same message, with another one Conflict. Raises InvalidInput,
        NotFound for an unknown contact or template, Throttled.
        """
        request = _read(body)
        contact = self._recipient(workspace, request.to)
        message = message_id(contact.id, "api", workspace, request.idempotency_key)
        message_key = self._messages.key(workspace, contact.id, message)
        template_key = self._templates.live_key(workspace, request.template)
        workspace_key = self._workspaces.key(workspace)
        found = self._database.batch_get([message_key, template_key, workspace_key])
        if template_key not in found:
            raise NotFound("unknown_template", f"There is no template named {request.template}.", "template")
        order = Order(
            workspace=self._workspaces.entity(found[workspace_key]),
            contact=contact,
            owner=contact.id,
            message_id=message,
            template_name=request.template,
            template=self._templates.entity(found[template_key]),
            kind=request.kind,
            variables=request.variables,
            cause={"api": request.idempotency_key},
            request=_hash(request),
        )
        known = self._messages.entity(found[message_key]) if message_key in found else None
        try:
            return self._emails.send(order, known, Alone())
        except Unsettled:
            stored = self._messages.get(workspace, message)
            if stored is None:
                raise
            return stored

    def _recipient(self, workspace: str, to: Recipient) -> Contact:
        if to.contact:
            return self._directory.get(workspace, to.contact)
        if to.email:
            return self._directory.find_or_add_by_email(workspace, to.email)
        if to.user_id:
            return self._directory.find(workspace, Identity(IdentityKind.USER, to.user_id))
        return self._directory.find(workspace, Identity(IdentityKind.ANONYMOUS, str(to.anonymous_id)))


def _read(body: Mapping[str, Any]) -> SendRequest:
    try:
        return SendRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_request", f"{field}: {first['msg']}.", field) from error


def _hash(request: SendRequest) -> str:
    return digest("request", json.dumps(request.model_dump(mode="json"), sort_keys=True))
