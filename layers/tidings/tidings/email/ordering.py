"""What an order means where it leaves something open: its sender, topic, tags, and what it is checked by."""

from __future__ import annotations

from email.utils import formataddr, getaddresses
from typing import Any

from tidings.accounts.model import Workspace
from tidings.consent.model import Check, Kind
from tidings.email.answering import comes_in, is_signed, signed_address
from tidings.email.model import MailOrder
from tidings.email.sender_rules import address_of, ascii_domain, covering


def sender_of(order: MailOrder) -> str:
    """Whom the mail is from: the template's sender, else the workspace's; empty if there is none."""
    own = order.template.content.from_address if order.template else ""
    return _as_sent(own or order.workspace.default_from)


def reply_to_of(order: MailOrder) -> str:
    """Where replies go: to a signed address where they come in here, else what the order says, else the template, else
    the workspace; empty for the sender."""
    if is_signed(order):
        return signed_address(order.workspace, order.message_id)
    own = order.template.content.reply_to if order.template else ""
    return _as_sent(order.reply_to or own or order.workspace.reply_to)


def answered_at(order: MailOrder) -> str:
    """The address of ours that answers to a mail come in by; empty if they go elsewhere."""
    replies = reply_to_of(order)
    return replies if is_signed(order) or comes_in(order.workspace, replies or sender_of(order)) else ""


def tags_of(order: MailOrder) -> dict[str, str]:
    """What SES is told of the mail, beside our ids: it comes back with every event, and in its metrics.

    Names of templates and kinds have none but characters that SES takes.
    """
    own = order.template.content.tags if order.template else {}
    ours = {"tidings_kind": order.kind.value, "tidings_template": order.template_name}
    return {**own, **order.tags, **ours}


def asked_of(order: MailOrder) -> dict[str, Any]:
    """What a message must keep beside, where the order said it: where replies go, and tags of its own."""
    asked = {"reply_to": order.reply_to, "tags": dict(order.tags)}
    return {name: value for name, value in asked.items() if value}


def sender_check(order: MailOrder) -> Check:
    """Whether the sender is named and verified: nothing leaves from one that is not. What it reads was read already."""
    sender = sender_of(order)
    if not sender:
        return Check("sender", False, "neither the template nor the workspace names a sender")
    address = address_of(sender)
    if not address:
        return Check("sender", False, "the sender is not one address, such as Acme <hello@acme.example>")
    if not is_verified(order.workspace, address):
        return Check("sender", False, f"the sender {address.rpartition('@')[2]} is not verified")
    return Check("sender", True, "the sender is verified")


def unsubscribe_check(order: MailOrder) -> Check:
    """Whether a marketing mail has a way out: without one it does not go."""
    if order.kind is Kind.TRANSACTIONAL:
        return Check("unsubscribe", True, "transactional mail needs no way out")
    if not order.workspace.public_url:
        return Check("unsubscribe", False, "the workspace has no public address for unsubscribing")
    return Check("unsubscribe", True, "the mail has a way out")


def is_verified(workspace: Workspace, address: str) -> bool:
    """Whether mail may leave from an address: it, its domain, or the nearest domain above that is listed decides."""
    listed = covering(workspace.senders, address)
    return bool(listed and listed.get("verified"))


def _as_sent(text: str) -> str:
    """An address as SES takes it, in ASCII and one line: the name in encoded words, the domain as DNS spells it."""
    text = " ".join(text.split())
    if text.isascii():
        return text
    found = getaddresses([text])
    local, at, domain = found[0][1].rpartition("@") if len(found) == 1 else ("", "", "")
    if not at or not local.isascii():
        return text  # which SES refuses; to change it would be to send from somebody else
    name, address = found[0][0], f"{local}@{ascii_domain(domain)}"
    return formataddr((name, address)) if name.isascii() else f"{_encoded_words(name)} <{address}>"


def _encoded_words(name: str) -> str:
    """Encoded words, none longer than 75 characters (RFC 2047, section 2); who reads them drops the spaces between."""
    from email.header import Header  # late: most names are ASCII

    return " ".join(Header(name, "utf-8", maxlinelen=75).encode(linesep="\n").split())
