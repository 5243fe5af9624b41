"""Whom a form is from: the table of product rule 1.6, decided without reading anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tidings.contacts.model import Contact

EMAIL, PHONE = "email", "phone"


class Outcome(StrEnum):
    """What a form does."""

    NOTHING = "nothing"
    UPDATE = "updated"
    CREATE = "created"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a form.

    `contact` is whom to update; `conflict` is another contact that the form's other address, the `disputed` one, leads
    to, for somebody to look at. `withheld` names the addresses (`email`, `phone`) that the contact must not get.
    """

    outcome: Outcome
    contact: str = ""
    conflict: str = ""
    disputed: str = ""
    withheld: frozenset[str] = frozenset()


def match(
    email: str,
    phone: str,
    logged_in: Contact | None,
    by_email: Sequence[Contact],
    by_phone: Sequence[Contact],
    first: str = EMAIL,
) -> Decision:
    """Whom a form with these addresses updates, or that it makes somebody new (product rule 1.6).

    `email` and `phone` are normalised, empty where the form gives none; `by_email` and `by_phone` are the contacts that
    they lead to, oldest first. Who is logged in is meant, whatever they typed. Else of several who share an address one
    who has both is meant, and then the oldest; where both addresses lead to different people, the one of the address
    that the workspace ranks `first`. An address that somebody has is never changed to another by a form.
    """
    if logged_in is not None:
        return Decision(Outcome.UPDATE, logged_in.id)
    if not email and not phone:
        return Decision(Outcome.NOTHING)
    sharing = {contact.id for contact in by_phone}
    both = next((contact for contact in by_email if contact.id in sharing), None)
    if both is not None:
        return Decision(Outcome.UPDATE, both.id, withheld=_other_than_given(both, email, phone))
    oldest = {kind: holders[0] for kind, holders in ((EMAIL, by_email), (PHONE, by_phone)) if holders}
    if len(oldest) > 1:
        return _conflict(oldest[first], oldest[_beside(first)], _beside(first), email, phone)
    for kind, holder in oldest.items():
        withheld = _other_than_given(holder, email, phone)
        if _beside(kind) not in withheld:
            return Decision(Outcome.UPDATE, holder.id, withheld=withheld)
    return Decision(Outcome.CREATE)


def _conflict(contact: Contact, other: Contact, of_other: str, email: str, phone: str) -> Decision:
    # The other one's address stays theirs, also where the first has none of its kind.
    withheld = _other_than_given(contact, email, phone) | {of_other}
    return Decision(Outcome.UPDATE, contact.id, other.id, of_other, withheld)


def _other_than_given(contact: Contact, email: str, phone: str) -> frozenset[str]:
    """The kinds of address that the contact has and the form gives differently."""
    pairs = ((EMAIL, contact.email, email), (PHONE, contact.phone, phone))
    return frozenset(kind for kind, has, given in pairs if has and given and has != given)


def _beside(kind: str) -> str:
    return PHONE if kind == EMAIL else EMAIL
