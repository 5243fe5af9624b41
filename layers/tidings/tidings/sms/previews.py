"""A text message as it would be, before anybody is written to: its parts, and what makes it cost more of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.model import Kind
from tidings.contacts.model import Contact
from tidings.core.clock import Clock
from tidings.messages.lint import HARMLESS, HARMLESS_LINK
from tidings.messages.model import Template
from tidings.messages.orders import kind_of
from tidings.messages.parts import foreign, measure
from tidings.messages.recipients import Recipients
from tidings.messages.render import compile_template, filling_of
from tidings.messages.templates import read_data
from tidings.sms.api import NOBODY, Trials, shown
from tidings.sms.composing import composed
from tidings.sms.model import Origin, Setup, SmsOrder, Text
from tidings.sms.ordering import choice_of
from tidings.sms.requests import SmsPreviewRequest, own_template

SIGNS = 50  # of what makes a text Unicode, so many are named


class SmsPreviews:
    """Shows texts as phones would."""

    def __init__(self, trials: Trials, recipients: Recipients, clock: Clock) -> None:
        self._trials = trials
        self._recipients = recipients
        self._clock = clock

    def show(self, workspace: str, request: SmsPreviewRequest) -> dict[str, Any]:
        """The text for one person, its encoding, units and parts, what forces Unicode, and what `gsm7` would change.

        Whether the person may be written to is not asked: that a dry run does. Raises InvalidInput, also where the
        template fails for this person, and NotFound.
        """
        now = self._clock.now()
        own = own_template(workspace, request.text, now) if request.text else None
        place, template = self._trials.around(workspace, request.template or "", own)
        known = self._recipients.find(workspace, request.to) if request.to else None
        order = _order(place, known or self._trials.somebody(workspace, request.to), template, request)
        filling = filling_of(template.content, _data(request, known), now)
        rendered = compile_template(template.content, template.made).render(filling).text
        text, plain = (_made(one, rendered) for one in (order, replace(order, gsm7=True)))
        return {
            "template": template.name or None,
            "version": template.version or None,
            "contact": known.id if known else None,
            "kind": order.kind.value,
            **shown(text, Setup.of(place)),
            "too_long": measure(text.body).is_too_long,
            "missing": list(filling.empty),
            "forces_unicode": [sign.as_dict() for sign in islice(foreign(text.body), SIGNS)],
            "with_gsm7": {"text": plain.body, **measure(plain.body).as_dict()},
        }


def _made(order: SmsOrder, rendered: str) -> Text:
    """The text as it would leave; where nothing is found that it could leave from, as from a name."""
    origin = choice_of(order).origin or Origin("")
    return composed(order, rendered, HARMLESS_LINK if order.kind is Kind.MARKETING else "", origin)


def _data(request: SmsPreviewRequest, contact: Contact | None) -> dict[str, Any]:
    told = read_data(request.data) or {}
    person = {**contact.values, "id": contact.id} if contact else {}
    return {**HARMLESS, "event": {}, "variables": {}, **told, "contact": {**person, **told.get("contact", {})}}


def _order(workspace: Workspace, contact: Contact, template: Template, request: SmsPreviewRequest) -> SmsOrder:
    return SmsOrder(
        workspace=workspace,
        contact=contact,
        owner=contact.id,
        message_id=f"{contact.id}-{NOBODY}",
        template_name=template.name,
        template=template,
        kind=kind_of(request.kind, template),
        sender=request.sender,
        gsm7=request.gsm7,
        variables=(request.data or {}).get("variables") or {},
        given=True,
    )
