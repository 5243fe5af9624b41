"""Finding contacts, and making sure that the identities of a message lead to one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.rules import ID_BYTES, absorb, normalise_email, with_traits
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput, NotFound, Unavailable
from tidings.core.ids import contact_id, digest
from tidings.core.store import ConditionFailed

TRIES = 5
# How many of those who share an e-mail address are looked at.
SHARING = 100


class ContactStore(Protocol):
    """Where contacts and identities are kept."""

    def get(self, workspace: str, contact: str) -> Contact | None: ...
    def contact_with(self, workspace: str, identity: Identity) -> str | None: ...
    def contacts_with(self, workspace: str, email: Identity, most: int) -> list[str]: ...
    def add(self, contact: Contact) -> None: ...
    def change(self, before: Contact, after: Contact) -> None: ...
    def merge(self, before: Contact, after: Contact, absorbed: Contact) -> None: ...
    def touch(self, workspace: str, contact: str, at: datetime) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """The identities of one message; `known` are contacts that they are already known to lead to."""

    workspace: str
    message_id: str
    at: datetime
    user: Identity | None = None
    anonymous: Identity | None = None

    @property
    def identities(self) -> frozenset[Identity]:
        """Those that are given."""
        return frozenset(i for i in (self.user, self.anonymous) if i is not None)

    @property
    def first(self) -> Identity:
        """The one the message stands under: the user id, else the anonymous id."""
        identity = self.user or self.anonymous
        if identity is None:
            raise InvalidInput("no_user_anon_id", "A message needs a userId or an anonymousId.")
        return identity


class ContactDirectory:
    """Leads from identities to contacts, and keeps contacts."""

    def __init__(self, store: ContactStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, workspace: str, contact: str) -> Contact:
        """A contact by its id, or the one it became part of. Raises NotFound."""
        found = self._store.get(workspace, contact)
        if found is not None and found.merged_into:
            found = self._store.get(workspace, found.merged_into)
        if found is None:
            raise NotFound("unknown_contact", "There is no such contact.", "contact")
        return found

    def find(self, workspace: str, identity: Identity) -> Contact:
        """The contact that an identity leads to. Raises NotFound."""
        contact = self._store.contact_with(workspace, identity)
        if contact is None:
            asked_by = next((name for name, kind in _ASKED_BY.items() if kind is identity.kind), None)
            raise NotFound("unknown_contact", "No contact has this identity.", asked_by)
        return self.get(workspace, contact)

    def find_by_email(self, workspace: str, address: str) -> Contact | None:
        """The oldest contact with an e-mail address, if there is one. Raises InvalidInput."""
        contact = self._store.contact_with(workspace, _email_identity(address))
        return None if contact is None else self.get(workspace, contact)

    def with_email(self, workspace: str, address: str) -> list[str]:
        """The ids of contacts with an e-mail address, the oldest first, at most 100. Raises InvalidInput."""
        return self._store.contacts_with(workspace, _email_identity(address), SHARING)

    def add_by_email(self, workspace: str, address: str) -> Contact:
        """A new contact that has nothing but an e-mail address. Raises InvalidInput."""
        email = _email_identity(address).value
        # The id comes from the address, so that two first mails to it at once make one contact.
        new = Contact(workspace, f"c{digest('email contact', workspace, email)}", self._clock.now())
        new = with_traits(new, {"email": email}, self._clock.now(), "email")
        try:
            self._store.add(new)
        except ConditionFailed:
            return self.get(workspace, new.id)
        return new

    def settle(self, sighting: Sighting, user_contact: str | None, anonymous_contact: str | None) -> str:
        """The id of the contact that a message belongs to, after making its identities lead there.

        `user_contact` and `anonymous_contact` are what the identities lead to already. Nothing is written where they
        lead to one contact. Otherwise, as product rule 1.3 has it: an anonymous contact is promoted to the user id, or
        becomes part of the user's contact; two contacts with different user ids are never merged.
        """
        for _ in range(TRIES):
            settled = self._settled(sighting, user_contact, anonymous_contact)
            if settled is not None:
                return settled
            try:
                return self._write(sighting, user_contact, anonymous_contact)
            except ConditionFailed:
                user_contact = self._lookup(sighting.workspace, sighting.user)
                anonymous_contact = self._lookup(sighting.workspace, sighting.anonymous)
        raise Unavailable("identity_contended", "The identities of a message kept changing.")

    def change(self, workspace: str, contact: str, edit: Callable[[Contact], Contact]) -> Contact:
        """Apply an edit that may be repeated; writes only if it changes something."""
        for _ in range(TRIES):
            before = self.get(workspace, contact)
            after = edit(before)
            if after == before:
                return before
            try:
                self._store.change(before, after)
            except ConditionFailed:
                continue
            return after
        raise Unavailable("contact_contended", "The contact kept changing.")

    def touch(self, workspace: str, contact: str, at: datetime) -> None:
        """Remember when a contact, or the one that it became part of, was last seen."""
        if not self._store.touch(workspace, contact, at):
            survivor = self.get(workspace, contact)
            if survivor.id != contact:
                self._store.touch(workspace, survivor.id, at)

    def _settled(self, sighting: Sighting, user_contact: str | None, anonymous_contact: str | None) -> str | None:
        if sighting.user is None:
            return anonymous_contact
        if sighting.anonymous is None or user_contact == anonymous_contact:
            return user_contact
        return None

    def _write(self, sighting: Sighting, user_contact: str | None, anonymous_contact: str | None) -> str:
        if user_contact is None and anonymous_contact is None:
            return self._add(sighting, sighting.identities)
        if anonymous_contact is None:
            return self._link(sighting, str(user_contact), sighting.anonymous)
        holder = self.get(sighting.workspace, anonymous_contact)
        if holder.is_known:  # the device was somebody else's before: what they did stays theirs
            return user_contact or self._add(sighting, frozenset(i for i in (sighting.user,) if i))
        if user_contact is None:
            return self._link(sighting, holder.id, sighting.user)
        survivor = self.get(sighting.workspace, user_contact)
        self._store.merge(survivor, absorb(survivor, holder), holder)
        return survivor.id

    def _add(self, sighting: Sighting, identities: frozenset[Identity]) -> str:
        contact = contact_id(sighting.workspace, str(sighting.first), sighting.message_id)
        self._store.add(Contact(sighting.workspace, contact, sighting.at, identities=identities))
        return contact

    def _link(self, sighting: Sighting, contact: str, identity: Identity | None) -> str:
        linked = frozenset() if identity is None else frozenset({identity})
        before = self.get(sighting.workspace, contact)
        self._store.change(before, _with_identities(before, linked))
        return before.id

    def _lookup(self, workspace: str, identity: Identity | None) -> str | None:
        return None if identity is None else self._store.contact_with(workspace, identity)


def _with_identities(contact: Contact, identities: frozenset[Identity]) -> Contact:
    return replace(contact, identities=contact.identities | identities)


_ASKED_BY = {
    "user_id": IdentityKind.USER,
    "anonymous_id": IdentityKind.ANONYMOUS,
    "email": IdentityKind.EMAIL,
}


def identity_in(query: Mapping[str, str]) -> Identity:
    """The one identity that a query names. Raises InvalidInput."""
    given = [name for name in _ASKED_BY if query.get(name)]
    if len(given) != 1:
        raise InvalidInput("invalid_identity", f"Name one of {', '.join(_ASKED_BY)}.", "user_id")
    kind, value = _ASKED_BY[given[0]], query[given[0]].strip()
    if kind is IdentityKind.EMAIL:
        return _email_identity(value)
    if len(value.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"{given[0]} is at most {ID_BYTES} bytes.", given[0])
    return Identity(kind, value)


def _email_identity(address: str) -> Identity:
    email = normalise_email(address)
    if not email:
        raise InvalidInput("invalid_email", "This is not an e-mail address.", "email")
    return Identity(IdentityKind.EMAIL, email)
