"""How a contact stands in its item, and how it is read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tidings.contacts.context import SOURCE_CODES
from tidings.contacts.model import Contact, Context, Identity, Membership, Stamp, Trait, Visit, Window
from tidings.core.clock import from_text, to_text
from tidings.core.ids import shard

LISTED_SHARDS = 8


def stamp_text(stamp: Stamp) -> str:
    """A stamp as text that sorts as stamps do."""
    return f"{to_text(stamp.at)}#{stamp.by}"


def stamp(text: str) -> Stamp:
    """The stamp that a text is."""
    at, _, by = text.partition("#")
    return Stamp(from_text(at), by)


def listed(contact: Contact) -> str:
    """The key of the index under which the contact is listed."""
    return f"{contact.workspace}#{shard(contact.id, LISTED_SHARDS)}"


def attributes(contact: Contact) -> dict[str, Any]:
    """Every attribute of a contact's item beside its keys; None for what is not there."""
    return {
        "created_at": to_text(contact.created_at),
        "listed": None if contact.merged_into else listed(contact),
        "said": _said(contact),
        "identities": sorted(str(identity) for identity in contact.identities),
        "absorbed": list(contact.absorbed) or None,
        "merged_into": contact.merged_into or None,
        "last_seen_at": to_text(contact.last_seen_at) if contact.last_seen_at else None,
        "version": contact.version,
        "context": _context(contact.context),
        "visit": [contact.visit.message, contact.visit.root, to_text(contact.visit.at)] if contact.visit else None,
        "apart": sorted(str(identity) for identity in contact.apart) or None,
        "kept": [_window(window) for window in contact.kept] or None,
        "lent": [_window(window) for window in contact.lent] or None,
        "rating": dict(contact.rating) or None,
    }


def contact(item: Any) -> Contact:
    """The contact that an item is."""
    return Contact(
        workspace=item.pk.partition("#")[0],
        id=item.id,
        created_at=from_text(item.created_at),
        identities=frozenset(Identity.parse(text) for text in item.identities),
        absorbed=tuple(item.absorbed or ()),
        merged_into=item.merged_into or "",
        last_seen_at=from_text(item.last_seen_at) if item.last_seen_at else None,
        version=int(item.version),
        **_read_said(item.said or {}),
        context=_read_context(item.context.as_dict() if item.context else {}),
        visit=Visit(item.visit[0], item.visit[1], from_text(item.visit[2])) if item.visit else None,
        apart=frozenset(Identity.parse(text) for text in item.apart or ()),
        kept=tuple(_read_window(window) for window in item.kept or ()),
        lent=tuple(_read_window(window) for window in item.lent or ()),
        erased_at=from_text(item.erased_at) if item.erased_at else None,
        rating=item.rating or {},
    )


def _said(contact: Contact) -> dict[str, Any] | None:
    """Traits, addresses and companies, each with the number of the message that said it: most are said together."""
    stamps = [Stamp(trait.at, trait.by) for trait in contact.traits.values()]
    stamps += [*contact.stamps.values(), *(membership.stamp for membership in contact.companies.values())]
    number = {one: place for place, one in enumerate(sorted(set(stamps)))}
    said = {
        "by": [stamp_text(one) for one in number],
        "traits": {name: _trait(trait, number) for name, trait in contact.traits.items()},
        "given": {str(identity): number[one] for identity, one in sorted(contact.stamps.items())},
        "companies": {c: [int(m.joined), number[m.stamp]] for c, m in contact.companies.items()},
    }
    return {name: part for name, part in said.items() if part} or None


def _read_said(said: Mapping[str, Any]) -> dict[str, Any]:
    stamps = [stamp(text) for text in said.get("by", ())]
    return {
        "traits": {name: _read_trait(kept, stamps) for name, kept in said.get("traits", {}).items()},
        "stamps": {Identity.parse(text): stamps[number] for text, number in said.get("given", {}).items()},
        "companies": {c: Membership(bool(j), stamps[number]) for c, (j, number) in said.get("companies", {}).items()},
    }


def _trait(trait: Trait, number: Mapping[Stamp, int]) -> list[Any]:
    kept = [trait.value, number[Stamp(trait.at, trait.by)]]
    return [*kept, 1] if trait.publishable else kept


def _read_trait(kept: list[Any], stamps: list[Stamp]) -> Trait:
    by = stamps[kept[1]]
    return Trait(kept[0], by.at, by.by, len(kept) > 2)


def leaf(value: list[Any]) -> str:
    """A field of the context with its time, as text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _context(context: Context) -> dict[str, dict[str, str]]:
    # Every source has its map from the start, so that one field can be set without reading.
    return {
        code: {field: leaf(value) for field, value in context.get(code, {}).items()} for code in SOURCE_CODES.values()
    }


def _read_context(kept: Mapping[str, Mapping[str, str]]) -> Context:
    return {code: {field: json.loads(text) for field, text in said.items()} for code, said in kept.items() if said}


def _window(window: Window) -> list[str]:
    return [window.contact, to_text(window.since), to_text(window.until)]


def _read_window(kept: list[str]) -> Window:
    return Window(kept[0], from_text(kept[1]), from_text(kept[2]))
