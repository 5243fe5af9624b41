"""Sending a mail by API: to one recipient, at once; what is for many or for later is a send."""

from __future__ import annotations

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.contacts.model import Contact
from tidings.core.errors import NotFound
from tidings.core.ids import message_id
from tidings.core.store import Database
from tidings.email.attachments import read_attachments
from tidings.email.model import Attachment, MailOrder
from tidings.email.requests import SendRequest
from tidings.email.service import EmailService
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.model import Message, Template
from tidings.messages.orders import Alone, kind_of
from tidings.messages.path import Unsettled
from tidings.messages.recipients import Recipients
from tidings.messages.requests import fingerprint_of
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore


class EmailDesk:
    """Takes orders for one mail through the API."""

    def __init__(
        self,
        database: Database,
        emails: EmailService,
        recipients: Recipients,
        calls: DynamoCallStore,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
    ) -> None:
        self._database = database
        self._emails = emails
        self._recipients = recipients
        self._calls = calls
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages

    def send(self, workspace: str, request: SendRequest) -> Message:
        """Send a mail; the message as it stands, `claimed` where nobody can tell yet whether it went.

        The same idempotency key with the same body is the same message, with another one Conflict. The key is bound
        when it is known that the mail can be ordered at all: a body that is refused may be mended under the same key.
        Raises InvalidInput, NotFound for an unknown contact or template, Throttled.
        """
        attachments = read_attachments(request.attachments)
        contact = self._recipients.find(workspace, request.one)
        owners = self._recipients.owners(workspace, request.one, contact)
        keys = [self._messages.key(workspace, owner, _message_id(workspace, owner, request)) for owner in owners]
        template_key = self._templates.live_key(workspace, request.template)
        workspace_key = self._workspaces.key(workspace)
        found = self._database.batch_get([*keys, template_key, workspace_key])
        if template_key not in found:
            raise NotFound("unknown_template", f"There is no template named {request.template}.", "template")
        place, template = self._workspaces.entity(found[workspace_key]), self._templates.entity(found[template_key])
        known = next((self._messages.entity(found[key]) for key in keys if key in found), None)
        erased = ""
        if contact is None and known is None:
            erased = self._recipients.require_address_of_nobody(place, str(request.one.email))
        self._calls.bind(workspace, request.idempotency_key, fingerprint_of(request))
        if contact is None:
            contact = self._contact(place, request, known, erased)
        order = _order(place, contact, known.contact if known else contact.id, template, request, attachments)
        try:
            return self._emails.send(order, known, Alone())
        except Unsettled:
            stored = self._messages.get(workspace, order.message_id)
            if stored is None:
                raise
            return stored

    def _contact(self, workspace: Workspace, request: SendRequest, known: Message | None, erased: str) -> Contact:
        if known is not None:
            return self._recipients.of_message(workspace.id, known.contact)
        if erased:
            self._recipients.require_unsent(workspace.id, _message_id(workspace.id, erased, request))
        return self._recipients.add(workspace, str(request.one.email), request.idempotency_key)


def _message_id(workspace: str, owner: str, request: SendRequest) -> str:
    return message_id(owner, "api", workspace, request.idempotency_key)


def _order(
    workspace: Workspace,
    contact: Contact,
    owner: str,
    template: Template,
    request: SendRequest,
    attachments: tuple[Attachment, ...],
) -> MailOrder:
    return MailOrder(
        workspace=workspace,
        contact=contact,
        owner=owner,
        message_id=_message_id(workspace.id, owner, request),
        template_name=request.template,
        template=template,
        kind=kind_of(request.kind, template),
        on_unknown=request.on_unknown,
        variables=request.variables,
        cause={"api": request.idempotency_key},
        request=fingerprint_of(request),
        topic=request.topic,
        reply_to=request.reply_to,
        tags=request.tags,
        attachments=attachments,
    )
