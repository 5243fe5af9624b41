"""Sending a message again: a new message that names the old one, and passes every check anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel
from tidings.contacts.service import ContactDirectory
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.ids import message_id
from tidings.core.store import Database
from tidings.email.attachments import FILES, AttachmentInput, read_attachments
from tidings.email.model import MailOrder
from tidings.email.service import EmailService
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.model import Message, State
from tidings.messages.orders import Alone
from tidings.messages.path import Unsettled
from tidings.messages.requests import fingerprint_of, read_as
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

# The properties of the event that a message of an automation was rendered with; empty where they are gone.
Properties = Callable[[Message], Mapping[str, Any]]
OPEN = frozenset({State.CLAIMED, State.RELEASED})


class ResendRequest(BaseModel):
    """The body of POST /v1/messages/{message}/resend. Files are not kept, so they are given again."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    idempotency_key: Annotated[str, Field(min_length=1, max_length=256)]
    attachments: Annotated[list[AttachmentInput], Field(max_length=FILES)] = Field(default_factory=list)


class Resending:
    """Sends messages again."""

    def __init__(
        self,
        database: Database,
        emails: EmailService,
        directory: ContactDirectory,
        calls: DynamoCallStore,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
        properties: Properties,
    ) -> None:
        self._database = database
        self._emails = emails
        self._directory = directory
        self._calls = calls
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages
        self._properties = properties

    def resend(self, workspace: str, message: str, body: Mapping[str, Any]) -> Message:
        """Send a message again, to the address that its contact has now; the new message as it stands.

        Template version, kind, topic, reply-to, tags and variables are those of the old one. Raises InvalidInput,
        NotFound, Conflict for a message that is not settled or was erased, or a key that was used otherwise, and
        Throttled.
        """
        request: ResendRequest = read_as(ResendRequest, body)
        old = self._old(workspace, message)
        if old.channel != Channel.EMAIL:
            raise InvalidInput("wrong_channel", "This message is no mail: order it anew by POST /v1/sms.", "message")
        files = read_attachments(request.attachments)
        if old.attachments and not files:
            raise InvalidInput("attachments_missing", "The message had attachments: give them again.", "attachments")
        contact = self._directory.get(workspace, old.contact)
        # Under whichever of the contact's ids it was made, should it have become part of another since.
        ids = {one: message_id(one, "resend", old.id, request.idempotency_key) for one in contact.every_id}
        keys = [self._messages.key(workspace, one, new) for one, new in ids.items()]
        workspace_key = self._workspaces.key(workspace)
        template_key = self._templates.version_key(workspace, old.template, old.template_version)
        found = self._database.batch_get([*keys, workspace_key, template_key])
        known = next((self._messages.entity(found[key]) for key in keys if key in found), None)
        owner = known.contact if known else contact.id
        fingerprint = fingerprint_of(request, "resend", old.id)
        self._calls.bind(workspace, request.idempotency_key, fingerprint)
        order = MailOrder(
            workspace=self._workspaces.entity(found[workspace_key]),
            contact=contact,
            owner=owner,
            message_id=ids[owner],
            template_name=old.template,
            template=self._templates.entity(found[template_key]) if template_key in found else None,
            kind=old.kind,
            event=self._properties(old),
            variables=old.data,
            cause={"api": request.idempotency_key},
            request=fingerprint,
            topic=old.topic,
            reply_to=old.asked.get("reply_to", ""),
            tags=old.asked.get("tags", {}),
            resends=old.id,
            attachments=files,
        )
        try:
            return self._emails.send(order, known, Alone())
        except Unsettled:
            stored = self._messages.get(workspace, ids[owner])
            if stored is None:
                raise
            return stored

    def _old(self, workspace: str, message: str) -> Message:
        old = self._messages.get(workspace, message)
        if old is None:
            raise NotFound("unknown_message", "There is no such message.", "message")
        if old.erased_at is not None:
            raise Conflict("message_erased", "The person of this message was erased.")
        if old.state in OPEN:
            raise Conflict("message_not_settled", "Nobody can tell yet what becomes of this message.")
        return old
