"""Finding contacts, and keeping them."""

from __future__ import annotations

from collections.abc import Callable

from tidings.accounts.model import Identifiers
from tidings.contacts.erased import PersonErased
from tidings.contacts.making import FEW, further_candidates, made_by
from tidings.contacts.model import Contact, Identity, IdentityKind, Stamp
from tidings.contacts.rules import EVERYWHERE, Saying, normalise_email, with_traits
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput, NotFound, Unavailable
from tidings.core.store import ConditionFailed, Part

TRIES = 5
# How many of those who share an e-mail address are looked at.
SHARING = 100


class ContactDirectory:
    """Leads from identities to contacts, and keeps contacts."""

    def __init__(self, store: DynamoContactStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, workspace: str, contact: str) -> Contact:
        """A contact by its id, or the one it became part of. Raises NotFound, PersonErased for whoever was erased."""
        found = self._store.current(workspace, contact)
        if found is None:
            raise NotFound("unknown_contact", "There is no such contact.", "contact")
        if found.erased_at is not None:
            raise PersonErased(found.erased_at)
        return found

    def find(self, workspace: str, identity: Identity) -> Contact:
        """The contact that an identity leads to. Raises NotFound."""
        contact = self._store.contact_with(workspace, identity)
        if contact is None:
            asked_by = next((name for name, kind in _ASKED_BY.items() if kind is identity.kind), None)
            raise NotFound("unknown_contact", "No contact has this identity.", asked_by)
        return self.get(workspace, contact)

    def find_by_address(self, workspace: str, kind: IdentityKind, address: str) -> Contact | None:
        """The oldest contact whose e-mail address or phone number this is now, if there is one. Raises InvalidInput.

        Not one who had it before: a message to this address would go to another.
        """
        holders = self._store.holders(workspace, address_identity(kind, address), SHARING)
        return self.get(workspace, holders[0]) if holders else None

    def with_address(self, workspace: str, kind: IdentityKind, address: str) -> list[str]:
        """The ids of contacts with an address, the oldest first, at most 100. Raises InvalidInput."""
        return self._store.contacts_with(workspace, address_identity(kind, address), SHARING)

    def had_address(self, workspace: str, secret: str, kind: IdentityKind, address: str) -> str:
        """The id of the contact with an address that was erased last; empty if there was none lately."""
        return self._store.erased.had(workspace, secret, address_identity(kind, address))

    def add_by_address(
        self,
        workspace: str,
        secret: str,
        kind: IdentityKind,
        address: str,
        parts: Callable[[Contact], list[Part]],
    ) -> Contact:
        """A new contact that has nothing but an address; `parts` tells it to others. Raises InvalidInput.

        Its id comes from the address, so that two first messages to it at once make one contact.
        """
        identity = address_identity(kind, address)
        for number in range(TRIES):
            if number < FEW:
                own = made_by(secret, identity, number)
            else:
                own = self._store.unused_id(workspace, further_candidates(secret, identity))
            new = having(Contact(workspace, self._store.erased.unused(workspace, own), self._clock.now()), identity)
            try:
                self._store.commit([Change(None, new)], parts=parts(new))
            except ConditionFailed:
                new = self.get(workspace, new.id)
                if new.values.get(identity.kind.value) != identity.value:
                    continue  # whoever the address made then has another one by now
            return new
        raise Unavailable("contact_contended", "The contact kept changing.")

    def change(
        self,
        workspace: str,
        contact: str,
        edit: Callable[[Contact], Contact],
        identifiers: Identifiers = EVERYWHERE,
        parts: Callable[[Contact], list[Part]] = lambda after: [],
    ) -> Contact:
        """Apply an edit that may be repeated; writes only if it changes something, and `parts` with it."""
        for _ in range(TRIES):
            before = self.get(workspace, contact)
            after = edit(before)
            if after == before:
                return before
            try:
                self._store.commit([Change(before, after)], parts=parts(after), identifiers=identifiers)
            except ConditionFailed:
                continue
            return after
        raise Unavailable("contact_contended", "The contact kept changing.")


_ASKED_BY = {
    "user_id": IdentityKind.USER,
    "anonymous_id": IdentityKind.ANONYMOUS,
    "email": IdentityKind.EMAIL,
}


def having(contact: Contact, identity: Identity) -> Contact:
    """A contact that has nothing but an address since it was made."""
    saying = Saying(Stamp(contact.created_at, identity.kind.value))
    return with_traits(contact, {identity.kind.value: identity.value}, saying)[0]


def address_identity(kind: IdentityKind, address: str) -> Identity:
    """The identity that an e-mail address is, or a phone number in international form. Raises InvalidInput."""
    if kind is IdentityKind.EMAIL:
        email = normalise_email(address)
        if not email:
            raise InvalidInput("invalid_email", "This is not an e-mail address.", "email")
        return Identity(kind, email)
    from tidings.contacts.phones import normalise_phone  # late: the library takes a while, and mails need it not

    phone = normalise_phone(address)
    if not phone:
        raise InvalidInput("invalid_phone", "This is no phone number with its country, such as +48600100200.", "phone")
    return Identity(kind, phone)
