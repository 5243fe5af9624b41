"""What a merge of two contacts does, as pure functions: the same for preview, merge and undo."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tidings.accounts.model import Identifiers
from tidings.contacts import context as contexts
from tidings.contacts.model import (
    ADDRESS_KINDS,
    STALE,
    UNIQUE_KINDS,
    Contact,
    Identity,
    IdentityKind,
    Membership,
    Trait,
    Window,
)
from tidings.contacts.rules import (
    ADDRESSES,
    EVERYWHERE,
    TRAITS_MOST,
    company_size,
    current_addresses,
    is_guarded,
    outdates,
    room_for_companies,
    room_in,
    seen,
    trait_size,
    with_addresses,
)
from tidings.contacts.visits import order_of
from tidings.core.errors import Conflict, InvalidInput
from tidings.core.ids import digest

# A transaction of DynamoDB has at most 100 items; beside identities there are index entries, contacts and the record.
IDENTITIES_AT_ONCE = 40
SOURCE = "merge "
NAMES = ("name", "first_name", "last_name")
WORDS_MOST = 6
WORD_CHARACTERS = 40

# Letters that do not come apart into a plain letter and an accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


@dataclass(frozen=True, slots=True)
class Merge:
    """The record of one merge. `rule` is why: identified, aliased, moved or requested; `call` the node that asked.

    `identities` are those that came with the absorbed contact, `absorbed_ids` the contacts it had absorbed itself.
    """

    id: str
    workspace: str
    survivor: str
    absorbed: str
    rule: str
    call: str
    at: datetime
    identities: tuple[Identity, ...] = ()
    absorbed_ids: tuple[str, ...] = ()
    undone_at: datetime | None = None
    undone_by: str = ""
    stayed: str = ""

    @property
    def source(self) -> str:
        """How what it brought about elsewhere names it."""
        return f"{SOURCE}{self.id}"

    def as_dict(self) -> dict[str, Any]:
        """The record as the API shows it."""
        return {
            "merge": self.id,
            "survivor": self.survivor,
            "absorbed": self.absorbed,
            "rule": self.rule,
            "call": self.call,
            "at": self.at,
            "identities": [{"kind": i.kind.value, "value": i.value} for i in self.identities],
            "undone_at": self.undone_at,
            "undone_by": self.undone_by,
            "stayed": self._stayed(),
        }

    def _stayed(self) -> dict[str, Any] | None:
        """Where, since a merge was taken back, the messages and enrolments are of the time that it lasted."""
        if self.undone_at is None:
            return None
        return {"contact": self.stayed, "since": self.at, "until": self.undone_at}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A place in the index of contacts: under what they are found, and where among those that share it."""

    place: str
    order: str
    former: bool = field(default=False, compare=True)


def is_of(source: str, survivors: Collection[str]) -> bool:
    """Whether a source names a merge that one of some contacts survived."""
    return source.startswith(tuple(f"{SOURCE}{survivor}-" for survivor in survivors))


def merge_record(survivor: Contact, absorbed: Contact, rule: str, call: str, at: datetime) -> Merge:
    """The record of a merge; its id comes from who is merged and why, so that a repeat makes the same one."""
    return Merge(
        id=f"{survivor.id}-{digest('merge', survivor.id, absorbed.id, rule, call)}",
        workspace=survivor.workspace,
        survivor=survivor.id,
        absorbed=absorbed.id,
        rule=rule,
        call=call,
        at=at,
        identities=tuple(sorted(absorbed.of_kind(*UNIQUE_KINDS))),
        absorbed_ids=absorbed.absorbed,
    )


def check_merge(survivor: Contact, absorbed: Contact) -> None:
    """Refuse what may not be merged. Raises InvalidInput or Conflict."""
    if survivor.id == absorbed.id:
        raise InvalidInput("same_contact", "A contact cannot be merged with itself.", "into")
    if absorbed.is_known and survivor.is_known:
        raise Conflict("two_known_contacts", "Two contacts with different user ids are never merged.", "into")
    if absorbed.is_known:
        raise Conflict("known_contact_absorbed", "A known contact becomes part of no anonymous one: swap them.", "into")
    if len(absorbed.identities) > IDENTITIES_AT_ONCE:
        raise Conflict("too_many_identities", f"At most {IDENTITIES_AT_ONCE} identities are moved at once.", "contact")


def are_apart(one: Contact, other: Contact) -> bool:
    """Whether the two were merged before and somebody took it back: then only somebody merges them again."""
    return bool(one.apart & other.identities or other.apart & one.identities)


def come_apart(merge: Merge, survivor: Contact, absorbed: Contact, at: datetime) -> tuple[Contact, Contact]:
    """Who survived a merge without who was absorbed, and who was absorbed as a contact again.

    Both without what events said: they are to be told again. Messages and enrolments of the time between stay with the
    one that survived; so what the absorbed one kept of others from before goes back with it.
    """
    back = frozenset(merge.identities) & survivor.identities
    gone = (absorbed.id, *(contact for contact in merge.absorbed_ids if contact in survivor.absorbed))
    windows = tuple(Window(contact, merge.at, at) for contact in gone)
    kept = [window for window in survivor.kept if window not in absorbed.kept]
    # Somebody whom the absorbed one had absorbed may have left meanwhile: what is from before the merge is not ours.
    split = [w for w in kept if w.contact in merge.absorbed_ids and w.since < merge.at < w.until]
    rest = replace(
        without(survivor, back),
        absorbed=tuple(contact for contact in survivor.absorbed if contact not in gone),
        apart=survivor.apart | back,
        kept=(*(replace(w, since=merge.at) if w in split else w for w in kept), *_without_lent(windows, survivor.lent)),
        lent=tuple(window for window in survivor.lent if window not in absorbed.lent),
    )
    restored = replace(
        without(absorbed, frozenset()),
        identities=back,
        absorbed=gone[1:],
        merged_into="",
        apart=absorbed.apart | survivor.of_kind(*UNIQUE_KINDS) - back,
        kept=(*absorbed.kept, *(replace(w, until=merge.at) for w in split)),
        lent=(*absorbed.lent, *windows),
    )
    return rest, restored


def _without_lent(windows: tuple[Window, ...], lent: tuple[Window, ...]) -> list[Window]:
    """Windows without the parts that stayed with somebody else, when the one that survived came apart from them."""
    left = list(windows)
    for gap in lent:
        cut = []
        for one in left:
            if one.contact != gap.contact or gap.until <= one.since or one.until <= gap.since:
                cut.append(one)
                continue
            cut += [replace(one, until=gap.since)] if one.since < gap.since else []
            cut += [replace(one, since=gap.until)] if gap.until < one.until else []
        left = cut
    return left


def absorb(contact: Contact, other: Contact, identifiers: Identifiers = EVERYWHERE) -> Contact:
    """`contact` with everything of `other`: identities, history, companies, context, and the later of each trait.

    But an address that a publishable key gave to `other` never takes the place of a known contact's.
    """
    guarded = _guarded(contact, other, identifiers)
    whole = replace(
        contact,
        traits=_joined_traits(contact, {n: t for n, t in other.traits.items() if n not in guarded}),
        identities=contact.identities | other.of_kind(*UNIQUE_KINDS),
        absorbed=(*contact.absorbed, other.id, *other.absorbed),
        stamps=_later(contact.stamps, {i: s for i, s in other.stamps.items() if i.kind not in guarded.values()}),
        companies=_joined_companies(contact.companies, other.companies),
        context=contexts.merged(contact.context, other.context),
        visit=max((v for v in (contact.visit, other.visit) if v), key=order_of, default=None),
        # Who is merged again because somebody asked for it is kept apart no more.
        apart=(contact.apart | other.apart) - contact.identities - other.identities,
        kept=tuple(dict.fromkeys((*contact.kept, *other.kept))),
        lent=tuple(dict.fromkeys((*contact.lent, *other.lent))),
        rating={**contact.rating, STALE: True} if contact.rating and other.rating else contact.rating or other.rating,
    )
    whole = with_addresses(whole, identifiers)
    return whole if other.last_seen_at is None else seen(whole, other.last_seen_at)


def _guarded(contact: Contact, other: Contact, identifiers: Identifiers) -> dict[str, IdentityKind]:
    """The address traits of `other` that would change one of a known contact on a publishable key's word."""
    return {
        name: kind
        for name, kind in ADDRESSES.items()
        if name in other.traits and is_guarded(contact, contact.traits.get(name), other.traits[name], identifiers)
    }


def _joined_traits(contact: Contact, others: Mapping[str, Trait]) -> dict[str, Trait]:
    """The later of each trait; what there is no room for is left out, as it is when events say it."""
    merged = dict(contact.traits)
    room = room_in(merged)
    for name, trait in sorted(others.items()):
        known = merged.get(name)
        if known is not None and not outdates(trait, known):
            continue
        left = room - trait_size(name, trait) + (trait_size(name, known) if known else 0)
        if (known is not None or len(merged) < TRAITS_MOST) and left >= min(room, 0):
            merged[name], room = trait, left
    return merged


def _later(stamps: Mapping[Identity, Any], others: Mapping[Identity, Any]) -> dict[Identity, Any]:
    return {i: max(s[i] for s in (stamps, others) if i in s) for i in {**stamps, **others}}


def _joined_companies(mine: Mapping[str, Membership], theirs: Mapping[str, Membership]) -> dict[str, Membership]:
    joined, room = dict(mine), room_for_companies(mine)
    for company, membership in sorted(theirs.items()):
        known = joined.get(company)
        if known is None:
            size = company_size(company, membership.stamp)
            if size <= room:
                joined[company], room = membership, room - size
        elif (membership.stamp, membership.joined) > (known.stamp, known.joined):
            joined[company] = membership
    return joined


def addresses(contact: Contact) -> frozenset[Identity]:
    """Every address it has or had."""
    return contact.of_kind(*ADDRESS_KINDS)


def entries(contact: Contact, created_at: str, identifiers: Identifiers = EVERYWHERE) -> frozenset[Entry]:
    """Where the contact stands in the index: its addresses and external ids, companies, and the words of its names."""
    if contact.merged_into:
        return frozenset()
    order = f"{created_at}#{contact.id}"
    now = current_addresses(contact, identifiers)
    found = {
        Entry(str(i), order, i.kind in ADDRESS_KINDS and i not in now)
        for i in contact.identities
        if i.kind not in UNIQUE_KINDS
    }
    found |= {Entry(f"company#{company}", order) for company in contact.joined}
    found |= {Entry(f"name#{word[:2]}", f"{word}#{contact.id}") for word in name_words(contact)}
    return frozenset(found)


def name_words(contact: Contact) -> frozenset[str]:
    """The words of a contact's names by which a search finds it, at most six."""
    values = contact.values
    texts = [values[name] for name in NAMES if isinstance(values.get(name), str)]
    words = dict.fromkeys(word for text in texts for word in words_of(text) if len(word) > 1)
    return frozenset(list(words)[:WORDS_MOST])


def words_of(text: str) -> list[str]:
    """The words of a text without accents and capitals: `Zoë Łukasz-Ng` is found as zoe, lukasz and ng."""
    apart = unicodedata.normalize("NFKD", text)
    plain = unicodedata.normalize("NFKD", apart.casefold().translate(_PLAIN))
    letters = (" " if not (c.isalnum() or unicodedata.combining(c)) else c for c in plain)
    kept = "".join(c for c in letters if not unicodedata.combining(c))
    return [word[:WORD_CHARACTERS] for word in kept.split()]


def survivors(
    found: Mapping[str, Contact], read: Callable[[Sequence[str]], Mapping[str, Contact]]
) -> dict[str, Contact]:
    """Contacts by the ids that led to them, those that became part of others as these: a `read` for each in a row.

    Who became part of somebody that is not there stays as they are.
    """
    known, led = dict(found), dict(found)
    gone = {one: contact.merged_into for one, contact in led.items() if contact.merged_into}
    while gone:
        missing = sorted(set(gone.values()) - known.keys())
        known |= read(missing) if missing else {}
        moved = {one: known[into] for one, into in gone.items() if into in known}
        led |= moved
        gone = {one: contact.merged_into for one, contact in moved.items() if contact.merged_into}
    return led


def without(contact: Contact, identities: frozenset[Identity]) -> Contact:
    """A contact without some of its identities and without all that its events said, to be told again from them."""
    return replace(
        contact,
        identities=contact.of_kind(*UNIQUE_KINDS) - identities,
        traits={},
        stamps={},
        companies={},
        context={},
        last_seen_at=None,
        visit=None,
        rating={STALE: True} if contact.rating else {},
    )
