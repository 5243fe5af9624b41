"""What an order for a text message means where it leaves something open, and what it is checked by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.model import Check, Kind
from tidings.sms.countries import country_of
from tidings.sms.model import CONTEXT_MESSAGE, CONTEXT_WORKSPACE, Outgoing, Setup, SmsOrder, Text
from tidings.sms.origination import Choice, choose


def choice_of(order: SmsOrder) -> Choice:
    """What the message leaves from: what the order or else the template asks for, else what the plan says."""
    own = order.template.content.from_address if order.template else ""
    country = country_of(order.contact.phone)
    return choose(Setup.of(order.workspace), country, order.kind, order.sender or own, order.two_way)


def sender_check(order: SmsOrder) -> Check:
    """Whether there is a sender that is active for the number's country; else which would be."""
    choice = choice_of(order)
    if choice.origin is not None:
        return Check("sender", True, f"{choice.origin.name}, {choice.found}")
    others = f"; these would work: {', '.join(choice.alternatives)}" if choice.alternatives else ""
    return Check("sender", False, choice.found + others)


def unsubscribe_check(order: SmsOrder) -> Check:
    """Whether a marketing message has a way out: an answer to its sender, or a link."""
    if order.kind is Kind.TRANSACTIONAL:
        return Check("unsubscribe", True, "transactional messages need no way out")
    origin = choice_of(order).origin
    if origin is not None and origin.receives:
        return Check("unsubscribe", True, "the sender receives STOP")
    if not order.workspace.public_url:
        return Check("unsubscribe", False, "the sender receives no STOP, and the workspace has no address for a link")
    return Check("unsubscribe", True, "the message has a way out")


def is_gsm7(order: SmsOrder) -> bool:
    """Whether typographic characters are replaced: as the order says, else as the template does."""
    own = order.template.content.gsm7 if order.template else False
    return own if order.gsm7 is None else order.gsm7


def asked_of(order: SmsOrder) -> dict[str, Any]:
    """What a message must keep beside, where the order said it. Of a text that is no template's, the text."""
    text = order.template.content.text if order.template and not order.template.version else ""
    asked = {
        "sender": order.sender,
        "max_price": order.max_price,
        "lifetime": order.lifetime,
        "two_way": order.two_way,
        "text": text,
    }
    return {
        **{name: value for name, value in asked.items() if value},
        **({} if order.gsm7 is None else {"gsm7": order.gsm7}),
    }


def answering(workspace: Workspace, name: str) -> tuple[Workspace, Kind | None]:
    """The workspace with a number that takes every kind, since an answer leaves from where the question went.

    And as what the provider is asked to send it, where it has the number for nothing but marketing.
    """
    number = Setup.of(workspace).numbers.get(name)
    if number is None or Kind.TRANSACTIONAL in number.kinds:
        return workspace, None
    numbers = workspace.sms["numbers"]
    entry = {**numbers[name], "kinds": [kind.value for kind in Kind]}
    return replace(workspace, sms={**workspace.sms, "numbers": {**numbers, name: entry}}), number.kinds[0]


def outgoing(order: SmsOrder, text: Text, dry_run: bool = False) -> Outgoing:
    """What the provider is told. Price and lifetime are the order's, else the setup's."""
    setup = Setup.of(order.workspace)
    return Outgoing(
        recipient=order.contact.phone,
        origin=text.origin.identity,
        body=text.body,
        kind=order.sent_as or order.kind,
        context={CONTEXT_MESSAGE: order.message_id, CONTEXT_WORKSPACE: order.workspace.id},
        max_price=order.max_price or setup.max_price,
        lifetime=order.lifetime or setup.lifetime,
        dry_run=dry_run,
        country_parameters=(setup.countries.get(text.country) or {}).get("parameters") or {},
    )
