"""Pure decisions about identifiers, traits and companies of one contact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidings.accounts.model import Identifiers
from tidings.contacts.model import UNIQUE_KINDS, Contact, Identity, IdentityKind, Membership, Stamp, Trait

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

# Traits that messages are sent to: a publishable key never changes them on a known contact (product rule 8.2).
ADDRESSES = {"email": IdentityKind.EMAIL, "phone": IdentityKind.PHONE}

# An item of DynamoDB holds 400 KB, identities and context included.
TRAITS_MOST = 1000
TRAITS_BYTES = 128 * 1024
TRAIT_OVERHEAD = 50  # its time, and what JSON puts between

# How many ids of other systems a contact keeps in all, unless one of them has a higher limit: a transaction takes 100
# items, and in a merge each id is two of them.
EXTERNAL_MOST = 25
COMPANIES_BYTES = 48 * 1024  # some hundreds of memberships, those ended included
UNIQUE_IDS_BYTES = 96 * 1024  # some thousands of devices

EVERYWHERE = Identifiers()

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


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Something that a message said and that was not done: why, and the field that said it."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Saying:
    """Who said something about a contact: when by our clock, in which message, and with what kind of key.

    `introduces` if it was this message that made the contact known: until then nobody's address could be changed.
    """

    stamp: Stamp
    publishable: bool = False
    introduces: bool = False


def normalise_traits(traits: Mapping[str, Any], identifiers: Identifiers = EVERYWHERE) -> dict[str, Any]:
    """Traits under the names they are kept by; an e-mail and a phone number in one spelling.

    An address that cannot be one is kept as it came, so that it can be seen and mended, but leads to nobody.
    """
    named = {SNAKE_CASE.get(name, name): value for name, value in traits.items()}
    for name in ADDRESSES.keys() & named.keys():
        named[name] = normalise_address_trait(name, named[name], identifiers) or named[name]
    return named


def normalise_address_trait(name: str, value: Any, identifiers: Identifiers = EVERYWHERE) -> str:
    """The one spelling of an e-mail address or phone number; empty if it cannot be one or is blocked."""
    if name == "email":
        text = normalise_email(value)
    else:
        from tidings.contacts.phones import normalise_phone  # late: the library takes a while, and few traits need it

        text = normalise_phone(value, identifiers.default_country)
    return "" if identifiers.blocks(ADDRESSES[name].value, text) else text


def with_traits(
    contact: Contact, traits: Mapping[str, Any], saying: Saying, identifiers: Identifiers = EVERYWHERE
) -> tuple[Contact, list[Refusal]]:
    """The contact with traits set by a message, and those of them that it may not have.

    For each trait the latest setting stays, whatever the order in which they arrive; of two at one instant the one
    with the greater message id. An explicit null takes a trait away; a missing one is kept.
    """
    merged = dict(contact.traits)
    stamps = dict(contact.stamps)
    room = room_in(merged)
    refused = []
    for name, value in normalise_traits(traits, identifiers).items():
        known = merged.get(name)
        trait = Trait(value, saying.stamp.at, saying.stamp.by, saying.publishable)
        guarded = name in ADDRESSES and not saying.introduces and is_guarded(contact, known, trait, identifiers)
        if name in ADDRESSES and not guarded:
            _give(stamps, name, trait, identifiers)  # also one that was said late: it was theirs before
        if known is not None and not outdates(trait, known):
            continue
        left = room - trait_size(name, trait) + (trait_size(name, known) if known else 0)
        if guarded:
            refused.append(Refusal(f"publishable_key_may_not_change_{name}", f"traits.{name}"))
        elif known is None and len(merged) >= TRAITS_MOST:
            refused.append(Refusal("too_many_traits", f"traits.{name}"))
        elif left < min(room, 0):
            refused.append(Refusal("traits_too_large", f"traits.{name}"))
        else:
            merged[name], room = trait, left
    return _with_stamps(replace(contact, traits=merged), stamps, identifiers), refused


def outdates(trait: Trait, known: Trait) -> bool:
    """Whether a trait takes the place of another: it was said later, at one instant by the greater message id.

    Two may even have come in one message, under two identities: then the value decides, so that no order does.
    """
    if (trait.at, trait.by) != (known.at, known.by):
        return (trait.at, trait.by) > (known.at, known.by)
    return json.dumps(trait.value, sort_keys=True) > json.dumps(known.value, sort_keys=True)


def _give(stamps: dict[Identity, Stamp], name: str, trait: Trait, identifiers: Identifiers) -> None:
    text = normalise_address_trait(name, trait.value, identifiers)
    if text:
        identity, stamp = Identity(ADDRESSES[name], text), Stamp(trait.at, trait.by)
        stamps[identity] = max(stamps.get(identity, stamp), stamp)


def is_guarded(contact: Contact, known: Trait | None, trait: Trait, identifiers: Identifiers) -> bool:
    """Whether a publishable key would change an address of a known contact; to fill an empty one is no change."""
    if not trait.publishable or identifiers.addresses_open or not contact.is_known or known is None:
        return False
    return known.value not in (None, "", trait.value)


def trait_size(name: str, trait: Trait) -> int:
    """About as many bytes as a trait takes in its contact's item: its name and value, and who said it and when."""
    told = len(json.dumps([name, trait.value], ensure_ascii=False).encode())
    return told + len(trait.by.encode()) + TRAIT_OVERHEAD


def room_in(traits: Mapping[str, Trait]) -> int:
    """How many bytes more of traits a contact can hold; less than none if it has too many."""
    return TRAITS_BYTES - sum(trait_size(name, trait) for name, trait in traits.items())


def with_addresses(contact: Contact, identifiers: Identifiers = EVERYWHERE) -> Contact:
    """The contact with the identities that its address traits make; earlier ones stay up to the limit of their kind."""
    stamps = dict(contact.stamps)
    for name in ADDRESSES.keys() & contact.traits.keys():
        _give(stamps, name, contact.traits[name], identifiers)
    return _with_stamps(contact, stamps, identifiers)


def with_external_ids(
    contact: Contact, external: Iterable[Identity], stamp: Stamp, identifiers: Identifiers = EVERYWHERE
) -> Contact:
    """The contact with ids that other systems know it by."""
    stamps = dict(contact.stamps)
    for identity in external:
        stamps[identity] = max(stamps.get(identity, stamp), stamp)
    return _with_stamps(contact, stamps, identifiers) if stamps != contact.stamps else contact


def _with_stamps(contact: Contact, stamps: Mapping[Identity, Stamp], identifiers: Identifiers) -> Contact:
    """Keep of each kind the values that were given last, up to its limit: the same ones in any order of arrival."""
    kept: dict[Identity, Stamp] = {}
    count: dict[str, int] = {}
    external, limit_of_all = 0, max(EXTERNAL_MOST, identifiers.limits.get(IdentityKind.EXTERNAL.value) or 0)
    for identity in sorted(stamps, key=lambda one: (stamps[one], one), reverse=True):
        group = f"{identity.kind}#{identity.value.partition('#')[0]}" if identity.kind is IdentityKind.EXTERNAL else ""
        limit = identifiers.limits.get(identity.kind.value)
        count[group or identity.kind.value] = count.get(group or identity.kind.value, 0) + 1
        if limit is not None and (count[group or identity.kind.value] > limit or (group and external >= limit_of_all)):
            continue
        kept[identity] = stamps[identity]
        external += bool(group)
    unique = frozenset(i for i in contact.identities if i.kind in UNIQUE_KINDS)
    return replace(contact, stamps=kept, identities=unique | frozenset(kept))


def has_room_for(contact: Contact, more: Iterable[Identity], identifiers: Identifiers = EVERYWHERE) -> bool:
    """Whether a contact may have more user and anonymous ids, by the limits of their kinds and the room of its item."""
    new = frozenset(more) - contact.identities
    for kind in {identity.kind for identity in new}:
        limit = identifiers.limits.get(kind.value)
        count = len(contact.of_kind(kind)) + sum(identity.kind is kind for identity in new)
        if limit is not None and count > limit:
            return False
    size = sum(len(str(identity).encode()) for identity in contact.of_kind(*UNIQUE_KINDS) | new)
    return not new or size <= UNIQUE_IDS_BYTES


def with_company(contact: Contact, company: str, joined: bool, stamp: Stamp) -> Contact:
    """The contact in a company, or out of it; what was said last stays. Unchanged if it has no room for one more."""
    known = contact.companies.get(company)
    if known is not None and (known.stamp, known.joined) >= (stamp, joined):
        return contact
    if known is None and company_size(company, stamp) > room_for_companies(contact.companies):
        return contact
    return replace(contact, companies={**contact.companies, company: Membership(joined, stamp)})


def company_size(company: str, stamp: Stamp) -> int:
    """About as many bytes as a membership takes in its contact's item."""
    return len(company.encode()) + len(stamp.by.encode()) + TRAIT_OVERHEAD


def room_for_companies(companies: Mapping[str, Membership]) -> int:
    """How many bytes more of memberships a contact can hold."""
    return COMPANIES_BYTES - sum(company_size(company, one.stamp) for company, one in companies.items())


def seen(contact: Contact, at: datetime) -> Contact:
    """The contact, last seen at `at` or later."""
    if contact.last_seen_at is not None and contact.last_seen_at >= at:
        return contact
    return replace(contact, last_seen_at=at)


def external_ids(context: Mapping[str, Any], identifiers: Identifiers = EVERYWHERE) -> frozenset[Identity]:
    """The ids of other systems in a call's `context.externalIds`: `{id, type}` each; what is none is let be."""
    found = set()
    listed = context.get("externalIds")
    for one in listed if isinstance(listed, list) else []:
        kind, value = (one.get("type"), one.get("id")) if isinstance(one, dict) else (None, None)
        if not isinstance(kind, str) or not isinstance(value, str) or is_blocked(value):
            continue
        text = f"{kind.strip()}#{value.strip()}"
        usable = kind.strip() and "#" not in kind and len(text.encode()) <= ID_BYTES
        if usable and not identifiers.blocks(IdentityKind.EXTERNAL.value, value.strip()):
            found.add(Identity(IdentityKind.EXTERNAL, text))
    return frozenset(found)


def current_addresses(contact: Contact, identifiers: Identifiers = EVERYWHERE) -> frozenset[Identity]:
    """The identities of the addresses that messages go to now, without earlier ones."""
    found = {
        Identity(kind, normalise_address_trait(name, contact.traits[name].value, identifiers))
        for name, kind in ADDRESSES.items()
        if name in contact.traits
    }
    return frozenset(found) & contact.identities
