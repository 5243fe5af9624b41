"""Pure decisions about traits and identities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tidings.contacts.model import Contact, Identity, IdentityKind, Trait

# Values that tracking code sends when it has no id: they never match anybody (product rule on blocked identifiers).
BLOCKED = re.compile(r"^(?:[0-]*|-1|null|anonymous)$")

# DynamoDB takes partition keys of 2,048 bytes; workspace and kind need some of them.
ID_BYTES = 1024

# Reserved traits of the Segment spec that clients write in either spelling; one is kept.
SNAKE_CASE = {
    "firstName": "first_name",
    "lastName": "last_name",
    "createdAt": "created_at",
}

_EMAIL = re.compile(r"^[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+$")
EMAIL_MAX_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets


def is_blocked(value: str) -> bool:
    """Whether an identifier is one of the values that never match anything."""
    return bool(BLOCKED.match(value.strip()))


def normalise_email(value: Any) -> str:
    """An e-mail address trimmed and in lower case; empty if it cannot be one."""
    if not isinstance(value, str):
        return ""
    text = value.strip().lower()
    return text if len(text) <= EMAIL_MAX_CHARACTERS and _EMAIL.match(text) else ""


def normalise_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Traits under the names they are kept by; an e-mail in one spelling.

    An e-mail that cannot be one is kept as it came, so that it can be seen and mended, but leads to nobody.
    """
    named = {SNAKE_CASE.get(name, name): value for name, value in traits.items()}
    if "email" in named:
        named["email"] = normalise_email(named["email"]) or named["email"]
    return named


def with_traits(contact: Contact, traits: Mapping[str, Any], at: datetime, by: str) -> Contact:
    """The contact with traits set at an instant by a message.

    For each trait the latest setting stays, whatever the order in which they arrive; of two at one instant the one
    with the greater message id. An explicit null takes a trait away; a missing one is kept.
    """
    merged = dict(contact.traits)
    for name, value in normalise_traits(traits).items():
        known = merged.get(name)
        if known is None or (at, by) > (known.at, known.by):
            merged[name] = Trait(value, at, by)
    return replace(contact, traits=merged, identities=_with_email(contact, merged))


def seen(contact: Contact, at: datetime) -> Contact:
    """The contact, last seen at `at` or later."""
    if contact.last_seen_at is not None and contact.last_seen_at >= at:
        return contact
    return replace(contact, last_seen_at=at)


def absorb(contact: Contact, other: Contact) -> Contact:
    """`contact` with everything of `other`: identities, history and the later of each trait."""
    merged = dict(other.traits)
    for name, trait in contact.traits.items():
        known = merged.get(name)
        if known is None or (trait.at, trait.by) >= (known.at, known.by):
            merged[name] = trait
    whole = replace(
        contact,
        traits=merged,
        identities=contact.identities | other.identities,
        absorbed=(*contact.absorbed, other.id, *other.absorbed),
    )
    whole = replace(whole, identities=_with_email(whole, merged))
    return whole if other.last_seen_at is None else seen(whole, other.last_seen_at)


def email_identities(contact: Contact) -> frozenset[Identity]:
    """The e-mail identities that lead to a contact."""
    return frozenset(i for i in contact.identities if i.kind is IdentityKind.EMAIL)


def _with_email(contact: Contact, traits: Mapping[str, Trait]) -> frozenset[Identity]:
    kept = contact.identities - email_identities(contact)
    email = normalise_email(traits["email"].value) if "email" in traits else ""
    return kept | {Identity(IdentityKind.EMAIL, email)} if email else kept
