"""What a merge would do, or an identify call, before it is made: nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tidings.accounts.model import Identifiers
from tidings.contacts.linking import Act, Sighting, plan
from tidings.contacts.merges import MergeService, Prepared, Surroundings
from tidings.contacts.merging import are_apart
from tidings.contacts.model import Contact, Identity, IdentityKind, Lead, Stamp
from tidings.contacts.rules import ID_BYTES, has_room_for, is_blocked
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, TidingsError

PREVIEW = "preview"  # stands for the message that is not there yet; no contact's id comes from it
NEW = "new"


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be done: new, link, promote, merge or nothing; and what would be there then.

    `contact` is the contact as it would be, without an id if it is new, `absorbed` the contact that became part of it,
    `identities` are those that would come to it, `carried` what would hold for more addresses. `refused` says why
    nothing would be done, where something could be.
    """

    act: str
    contact: Contact | None = None
    absorbed: str = ""
    identities: tuple[Identity, ...] = ()
    carried: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    refused: TidingsError | None = None

    def as_dict(self) -> dict[str, Any]:
        """The preview as the API shows it."""
        return {
            "act": self.act,
            "allowed": self.refused is None,
            "refused": None if self.refused is None else self.refused.as_dict(),
            "survivor": "" if self.contact is None else self.contact.id,
            "absorbed": self.absorbed,
            "contact": None if self.contact is None else self.contact.as_dict(),
            "identities": [{"kind": i.kind.value, "value": i.value} for i in self.identities],
            "suppressions": [dict(one) for one in self.carried.get("suppressions", ())],
            "consents": [dict(one) for one in self.carried.get("consents", ())],
        }


class Previews:
    """Says beforehand what merging and identifying would do, by the same preparations."""

    def __init__(
        self, contacts: DynamoContactStore, merges: MergeService, surroundings: Surroundings, clock: Clock
    ) -> None:
        self._contacts = contacts
        self._merges = merges
        self._surroundings = surroundings
        self._clock = clock

    def merge(self, workspace: str, contact: str, into: str, identifiers: Identifiers) -> Preview:
        """What a merge of a contact into another would do. Raises NotFound."""
        absorbed, survivor = self._merges.current(workspace, contact), self._merges.current(workspace, into)
        try:
            return self._of(self._merges.requested(survivor, absorbed, PREVIEW, identifiers))
        except TidingsError as error:
            return Preview(Act.NOTHING, survivor, absorbed.id, refused=error)

    def identify(self, workspace: str, anonymous_id: str, user_id: str, identifiers: Identifiers) -> Preview:
        """What a call would do that names both ids now. Raises InvalidInput for ids that are none."""
        user, anonymous = _identity(IdentityKind.USER, user_id), _identity(IdentityKind.ANONYMOUS, anonymous_id)
        now = self._clock.now()
        sighting = Sighting(workspace, PREVIEW, now, now, user, anonymous)
        leads = [self._contacts.lead(workspace, identity) for identity in (user, anonymous)]
        planned = plan(sighting, *leads)
        if planned.act is Act.ADD:
            return self._new(sighting, *leads)
        contact = self._merges.current(workspace, planned.contact)
        if planned.act is Act.LINK:
            return _with(contact, anonymous, Act.LINK, identifiers)
        if planned.act is Act.PROMOTE:
            return _with(contact, user, Act.PROMOTE, identifiers)
        if planned.act is Act.MERGE and leads[1] is not None:
            return self._merged(contact, self._merges.current(workspace, leads[1].contact), sighting.stamp, identifiers)
        return Preview(Act.NOTHING, contact)

    def _new(self, sighting: Sighting, user: Lead | None, anonymous: Lead | None) -> Preview:
        free = {sighting.user: user, sighting.anonymous: anonymous}
        identities = frozenset(i for i, lead in free.items() if i is not None and lead is None)
        new = Contact(sighting.workspace, "", sighting.at, identities=identities)
        return Preview(NEW, new, identities=tuple(sorted(identities)))

    def _merged(self, survivor: Contact, absorbed: Contact, stamp: Stamp, identifiers: Identifiers) -> Preview:
        if are_apart(survivor, absorbed):
            error = Conflict("kept_apart", "They were merged before, and somebody took it back.", "anonymous_id")
            return Preview(Act.NOTHING, survivor, absorbed.id, refused=error)
        try:
            return self._of(self._merges.prepare(survivor, absorbed, "identified", PREVIEW, stamp, identifiers))
        except Conflict as error:
            return Preview(Act.NOTHING, survivor, absorbed.id, refused=error)

    def _of(self, prepared: Prepared) -> Preview:
        return Preview(
            Act.MERGE,
            prepared.after,
            prepared.absorbed.id,
            prepared.record.identities,
            self._surroundings.carried(prepared.after, prepared.absorbed, prepared.dropped),
        )


def _with(contact: Contact, identity: Identity, act: Act, identifiers: Identifiers) -> Preview:
    if act is Act.LINK and not has_room_for(contact, {identity}, identifiers):
        error = Conflict("too_many_identities", "The contact may have no more anonymous ids.", "anonymous_id")
        return Preview(Act.NOTHING, contact, refused=error)
    return Preview(act, replace(contact, identities=contact.identities | {identity}), identities=(identity,))


def _identity(kind: IdentityKind, value: str) -> Identity:
    field = {IdentityKind.USER: "user_id", IdentityKind.ANONYMOUS: "anonymous_id"}[kind]
    text = value.strip()
    if is_blocked(text):
        raise InvalidInput("invalid_identity", f"This {field} never leads to anybody.", field)
    if len(text.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"{field} is at most {ID_BYTES} bytes.", field)
    return Identity(kind, text)
