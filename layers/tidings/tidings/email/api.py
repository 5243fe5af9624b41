"""Sending a mail by API: to one recipient, at once; what is for many or for later is a send."""

from __future__ import annotations

from tidings.email.attachments import read_attachments
from tidings.email.model import Attachment, MailOrder
from tidings.email.requests import SendRequest
from tidings.messages.model import Message
from tidings.messages.orders import kind_of
from tidings.messages.placing import Asked, Found, Placing
from tidings.messages.requests import fingerprint_of


class EmailDesk:
    """Takes orders for one mail through the API."""

    def __init__(self, placing: Placing[MailOrder]) -> None:
        self._placing = placing

    def send(self, workspace: str, request: SendRequest) -> Message:
        """Send a mail; the message as it stands, `claimed` where nobody can tell yet whether it went.

        Raises what `Placing.send` raises.
        """
        attachments = read_attachments(request.attachments)
        asked = Asked(request.one, request.template, request.idempotency_key, fingerprint_of(request))
        return self._placing.send(workspace, asked, lambda found: _order(found, asked, request, attachments))


def _order(found: Found, asked: Asked, request: SendRequest, attachments: tuple[Attachment, ...]) -> MailOrder:
    return MailOrder(
        workspace=found.workspace,
        contact=found.contact,
        owner=found.owner,
        message_id=found.message_id,
        template_name=request.template,
        template=found.template,
        kind=kind_of(request.kind, found.template),
        on_unknown=request.on_unknown,
        variables=request.variables,
        cause={"api": request.idempotency_key},
        request=asked.request,
        topic=request.topic,
        reply_to=request.reply_to,
        tags=request.tags,
        attachments=attachments,
    )
