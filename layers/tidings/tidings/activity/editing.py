"""Editing a contact by hand or from a server: the change and the event that tells of it, in one write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import Identifiers, Workspace
from tidings.activity.chain import Node
from tidings.activity.changes import CHANGED, CONTACT_UPDATED, changed_traits
from tidings.activity.folding import Folding
from tidings.activity.model import SYSTEM, Event
from tidings.activity.store import DynamoEventStore
from tidings.contacts.model import Contact, Identity, IdentityKind, Lead, Stamp
from tidings.contacts.rules import ADDRESSES, ID_BYTES, is_blocked, normalise_address_trait, normalise_traits
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.documents import require_plain
from tidings.core.errors import Conflict, InvalidInput, Unavailable
from tidings.core.ids import digest, new_id
from tidings.core.store import ConditionFailed, Database, Part

TRIES = 5
KEY_CHARACTERS = 256
TRAITS_BYTES = 32 * 1024  # as much as a message may say
FIELDS = frozenset({"traits", "user_id", "idempotency_key"})
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be set of a contact. `key` makes a repeat one; without it `message_id` is new each time.

    `cause` is what asked for it, a call if nothing is named, and `root` what began the chain before that. `about` is
    what its event says beside what changed.
    """

    traits: Mapping[str, Any]
    user_id: str
    key: str
    message_id: str
    cause: Node | None = None
    root: Node | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def node(self) -> Node:
        """What asked for it."""
        return self.cause or Node.call(self.key or self.message_id)

    def changes(self, contact: Contact) -> bool:
        """Whether the contact is anything else than it is to be."""
        now = {name: contact.values.get(name) for name in self.traits}
        return _text(now) != _text(self.traits) or self.user_id not in ("", contact.user_id)

    def is_told_by(self, event: Event) -> bool:
        """Whether an event tells of this edit, and not of another under the same key."""
        return _text(event.traits) == _text(self.traits) and event.properties.get("user_id", "") == self.user_id

    def _changes(self, contact: Contact) -> dict[str, Any]:
        changed = changed_traits({name: contact.values.get(name) for name in self.traits}, self.traits)
        told = {CHANGED: changed, "user_id": self.user_id}
        return {name: value for name, value in told.items() if value}

    def event(self, contact: Contact, now: datetime) -> Event:
        """The event that tells of it.

        Whoever edits has seen what is known: the edit counts as later than that, whatever the clocks say.
        """
        known = [contact.traits[name].at + INSTANT for name in self.traits if name in contact.traits]
        return Event(
            workspace=contact.workspace,
            identity=Identity(IdentityKind.CONTACT, contact.id),
            message_id=self.message_id,
            type=SYSTEM,
            name=CONTACT_UPDATED,
            received_at=now,
            timestamp=max([now, *known]),
            properties={**self.about, **self._changes(contact)},
            traits=self.traits,
            cause=self.node,
            root=self.root or self.node,
        )


@dataclass(frozen=True, slots=True)
class Edited:
    """A contact after an edit, the event, and what is kept beside identities that follow from it."""

    contact: Contact
    event: Event
    leads: Mapping[Identity, Lead] = field(default_factory=dict)


class ContactEditing:
    """Sets what is known of a contact, so that automations and conditions see it as they see what apps tell."""

    def __init__(
        self,
        database: Database,
        contacts: DynamoContactStore,
        directory: ContactDirectory,
        events: DynamoEventStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._contacts = contacts
        self._directory = directory
        self._events = events
        self._clock = clock
        self._folding = Folding()

    def edit(self, workspace: Workspace, contact: str, body: Mapping[str, Any]) -> Contact:
        """The contact after an edit: one transaction, none if nothing is other than it is to be.

        With an idempotency key a repeat changes nothing, also if the contact was changed since. Raises InvalidInput,
        NotFound, and Conflict for another body under the same key or a user id that is somebody's.
        """
        identifiers = workspace.identifiers
        asked = read_edit(body, identifiers)
        for _ in range(TRIES):
            before = self._directory.get(workspace.id, contact)
            if asked.key and self._was_told(before, asked):
                return before
            if not asked.key and not asked.changes(before):
                return before
            try:
                return self._write(before, self._plan(before, asked, identifiers), identifiers)
            except ConditionFailed:
                continue
        raise Unavailable("contact_contended", "The contact kept changing.")

    def edit_with(
        self,
        workspace: Workspace,
        before: Contact,
        plan: Callable[[Contact], Edit],
        parts: Callable[[Edit, Contact], list[Part]],
    ) -> bool:
        """Edit a contact, and write `parts` in the same transaction; whether there was anything to edit.

        `plan` says what is to be of the contact as it is at that moment; it is asked again where somebody else changed
        it first, so that what it counts on is counted once. `parts` is given the contact as it is after that. Where
        nothing has to be changed nothing is written, of `parts` neither. Raises InvalidInput for what the contact may
        not have, ConditionFailed where `parts` refuse, NotFound, and PersonErased for somebody who was erased.
        """
        for _ in range(TRIES):
            asked = plan(before)
            if not asked.changes(before):
                return False
            edited = self._plan(before, asked, workspace.identifiers)
            more = parts(asked, edited.contact)
            try:
                self._write(before, edited, workspace.identifiers, more)
            except ConditionFailed as error:
                if error.labels & {part.label for part in more}:
                    raise
                before = self._directory.get(workspace.id, before.id)
                continue
            return True
        raise Unavailable("contact_contended", "The contact kept changing.")

    def _write(self, before: Contact, edited: Edited, identifiers: Identifiers, more: Sequence[Part] = ()) -> Contact:
        parts = [self._events.new_part(edited.event), *more]
        self._contacts.commit([Change(before, edited.contact)], edited.leads, parts, identifiers)
        return edited.contact

    def _was_told(self, contact: Contact, asked: Edit) -> bool:
        """Whether the edit was made before, also when the contact was still one that became part of this one."""
        keys = [
            self._events.key(contact.workspace, Identity(IdentityKind.CONTACT, one), asked.message_id)
            for one in contact.every_id
        ]
        told = [self._events.entity(item) for item in self._database.batch_get(keys).values()]
        if not all(asked.is_told_by(one) for one in told):
            raise Conflict(
                "idempotency_conflict", "This idempotency key was used with another edit.", "idempotency_key"
            )
        return bool(told)

    def _plan(self, before: Contact, asked: Edit, identifiers: Identifiers) -> Edited:
        event = asked.event(before, self._clock.now())
        own = replace(before, identities=before.identities | self._claimed(before, asked))
        after, refused = self._folding.tell(own, event, identifiers)
        for refusal in refused:
            if refusal.code == "too_many_traits":
                raise InvalidInput("too_many_traits", "The contact has no room for more traits.", refusal.field)
            raise InvalidInput("traits_too_large", "The contact has no room for this.", refusal.field)
        return Edited(after, event, _leads(before, after, Stamp(event.timestamp, event.message_id)))

    def _claimed(self, contact: Contact, asked: Edit) -> frozenset[Identity]:
        """The user id that the contact is to have. Raises Conflict if it has one, or somebody else has this one."""
        if asked.user_id in ("", contact.user_id):
            return frozenset()
        if contact.is_known:
            raise Conflict("user_id_fixed", "The contact has another user id, which never changes.", "user_id")
        user = Identity(IdentityKind.USER, asked.user_id)
        lead = self._contacts.lead(contact.workspace, user)
        if lead is not None and lead.contact != contact.id:
            raise Conflict("user_id_taken", "Another contact has this user id: merge the two.", "user_id")
        return frozenset({user})


def _text(traits: Mapping[str, Any]) -> str:
    """Traits as text, in which true is not 1, as it is among Python's values."""
    return json.dumps(traits, sort_keys=True)


def _leads(before: Contact, after: Contact, stamp: Stamp) -> dict[Identity, Lead]:
    """Whose a contact's devices are from the moment that it is known."""
    if before.user_id == after.user_id:
        return {}
    leads = {i: Lead(after.id, after.user_id, stamp) for i in after.of_kind(IdentityKind.ANONYMOUS)}
    return {**leads, Identity(IdentityKind.USER, after.user_id): Lead(after.id, "", stamp)}


def read_edit(body: Mapping[str, Any], identifiers: Identifiers) -> Edit:
    """The edit that a body asks for. Raises InvalidInput with a code for each thing that can be wrong."""
    unknown = sorted(body.keys() - FIELDS)
    if unknown:
        raise InvalidInput("invalid_request", f"An edit has {', '.join(sorted(FIELDS))}.", unknown[0])
    if "traits" not in body and "user_id" not in body:
        raise InvalidInput("missing_field", "traits is missing.", "traits")
    key = body.get("idempotency_key", "")
    if not isinstance(key, str) or len(key) > KEY_CHARACTERS or ("idempotency_key" in body and not key):
        told = f"An idempotency key has 1 to {KEY_CHARACTERS} characters."
        raise InvalidInput("invalid_idempotency_key", told, "idempotency_key")
    return Edit(
        traits=read_traits(body.get("traits", {}), identifiers),
        user_id=_user_id(body["user_id"], identifiers) if "user_id" in body else "",
        key=key,
        message_id=digest("edit", key) if key else new_id(),
    )


def read_traits(given: Any, identifiers: Identifiers) -> dict[str, Any]:
    """Traits as they are kept, addresses in one spelling. Raises InvalidInput for what a contact may not have."""
    if not isinstance(given, dict):
        raise InvalidInput("invalid_type", "traits is an object.", "traits")
    if require_plain(given) > TRAITS_BYTES:
        raise InvalidInput("traits_too_large", f"The traits of an edit are at most {TRAITS_BYTES} bytes.", "traits")
    traits = normalise_traits(given, identifiers)
    for name in ADDRESSES.keys() & traits.keys():
        if traits[name] is not None and not normalise_address_trait(name, traits[name], identifiers):
            raise _no_address(name)
    return traits


def _no_address(name: str) -> InvalidInput:
    if name == "email":
        return InvalidInput("invalid_email", "This is not an e-mail address.", "traits.email")
    told = "This is not a phone number; one without a country code needs the workspace's default country."
    return InvalidInput("invalid_phone", told, "traits.phone")


def _user_id(given: Any, identifiers: Identifiers) -> str:
    if not isinstance(given, str):
        raise InvalidInput("invalid_type", "user_id is text.", "user_id")
    text = given.strip()
    if len(text.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"user_id is at most {ID_BYTES} bytes.", "user_id")
    if is_blocked(text) or identifiers.blocks(IdentityKind.USER.value, text):
        raise InvalidInput("blocked_user_id", "This user id is one of those that never match anybody.", "user_id")
    return text
