"""Sending a text message by API, and asking beforehand what would become of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel
from tidings.contacts.model import Contact, IdentityKind
from tidings.contacts.service import address_identity, having
from tidings.core.clock import Clock
from tidings.core.errors import NotFound
from tidings.core.store import Database
from tidings.messages.model import Template
from tidings.messages.orders import Accepted, Answer, kind_of
from tidings.messages.placing import Asked, Found, Placing, require_channel
from tidings.messages.recipients import Recipients
from tidings.messages.requests import fingerprint_of
from tidings.messages.template_store import DynamoTemplateStore
from tidings.sms.model import Setup, SmsOrder, Text
from tidings.sms.requests import SmsRecipient, SmsRequest, own_template
from tidings.sms.service import SmsService

NOBODY = "preview"  # the id of a message that is not, and of a contact that nobody is yet


class SmsDesk:
    """Takes orders for one text message through the API."""

    def __init__(self, placing: Placing[SmsOrder], trials: Trials, clock: Clock) -> None:
        self._placing = placing
        self._trials = trials
        self._clock = clock

    def send(self, workspace: str, request: SmsRequest) -> dict[str, Any]:
        """Send a text; the message as it stands, or of a dry run what would become of it.

        Raises what `Placing.send` raises.
        """
        own = own_template(workspace, request.text, self._clock.now()) if request.text else None
        if request.dry_run:
            return self._trials.run(workspace, request, own)
        name = request.template or ""
        asked = Asked(request.to, name, request.idempotency_key, fingerprint_of(request), own)
        message = self._placing.send(workspace, asked, lambda found: order_of(found, request, asked.request))
        return message.as_dict()


class Trials:
    """Dry runs: every check is made and the provider is asked whether it would take the text; nothing is kept."""

    def __init__(
        self,
        database: Database,
        texts: SmsService,
        recipients: Recipients,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._texts = texts
        self._recipients = recipients
        self._workspaces = workspaces
        self._templates = templates
        self._clock = clock

    def run(self, workspace: str, request: SmsRequest, own: Template | None) -> dict[str, Any]:
        """What would become of an order. Raises InvalidInput, NotFound for an unknown contact or template."""
        contact = self._recipients.find(workspace, request.to)
        place, template = self.around(workspace, request.template or "", own)
        if contact is None:
            self._recipients.require_address_of_nobody(place, request.to.address)
        person = contact or self.somebody(workspace, request.to)
        message = f"{person.id}-{NOBODY}"
        order = order_of(Found(place, person, person.id, message, template), request, "")
        view, answer = self._texts.try_out(order)
        return {
            "dry_run": True,
            "contact": contact.id if contact else None,
            "kind": order.kind.value,
            "decision": view.decision.as_dict(),
            "provider": _said(answer),
            **shown(view.content, Setup.of(place)),
        }

    def around(self, workspace: str, template: str, own: Template | None) -> tuple[Workspace, Template]:
        """The workspace, and the live template of a name unless there is one of the call's own.

        Raises NotFound, and InvalidInput for a template of another channel.
        """
        workspace_key, template_key = self._workspaces.key(workspace), self._templates.live_key(workspace, template)
        found = self._database.batch_get([workspace_key, *([] if own else [template_key])])
        if own is None and template_key not in found:
            raise NotFound("unknown_template", f"There is no template named {template}.", "template")
        live = own or self._templates.entity(found[template_key])
        require_channel(live, Channel.SMS)
        return self._workspaces.entity(found[workspace_key]), live

    def somebody(self, workspace: str, to: SmsRecipient | None) -> Contact:
        """Who has a phone number that nobody has yet, unsaved. Raises InvalidInput for no number."""
        new = Contact(workspace, f"c{NOBODY}", self._clock.now())
        return having(new, address_identity(IdentityKind.PHONE, to.address)) if to and to.address else new


def order_of(found: Found, request: SmsRequest, fingerprint: str) -> SmsOrder:
    """The order that a request is."""
    return SmsOrder(
        workspace=found.workspace,
        contact=found.contact,
        owner=found.owner,
        message_id=found.message_id,
        template_name=found.template.name,
        template=found.template,
        kind=kind_of(request.kind, found.template),
        on_unknown=request.on_unknown,
        variables=request.variables,
        cause={"api": request.idempotency_key},
        request=fingerprint,
        topic=request.topic,
        sender=request.sender,
        max_price=request.max_price,
        lifetime=request.lifetime or 0,
        gsm7=request.gsm7,
        two_way=request.two_way,
        given=True,
    )


def shown(text: Text | None, setup: Setup) -> dict[str, Any]:
    """A text as previews and dry runs show it; `price` (USD, of all parts) only where the owner told one's."""
    if text is None:
        return {"text": None, "sender": None, "encoding": None, "units": None, "parts": None, "price": None}
    price = str((setup.countries.get(text.country) or {}).get("price") or "")
    return {
        "text": text.body,
        "sender": text.origin.name or None,
        "encoding": text.encoding,
        "units": text.units,
        "parts": text.parts,
        "price": str(Decimal(price) * text.parts) if price else None,
    }


def _said(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"takes": isinstance(answer, Accepted), "error": "" if isinstance(answer, Accepted) else answer.reason}
