"""Merging two contacts, saying before what that would do, and taking it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tidings.accounts.model import Identifiers
from tidings.contacts.merging import Merge, absorb, addresses, check_merge, come_apart, merge_record, without
from tidings.contacts.model import UNIQUE_KINDS, Contact, Identity, IdentityKind, Lead, Stamp
from tidings.contacts.rules import ID_BYTES, has_room_for
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound, Unavailable
from tidings.core.ids import digest
from tidings.core.store import TRANSACTION_PARTS, ConditionFailed, Part

TRIES = 5
BESIDE = 4  # the record and the event of a merge; its undo has an event more, and makes room for one
OF_ADDRESS = 2  # what is carried to an address, and the log of it
OF_CONVERSATIONS = 12  # ten that go over, and where it stands who has them: only of somebody with an address
MOVED = "moved"  # the rule of a record of an anonymous id that went from one user to another


class MergeRecords(Protocol):
    """Where records of merges are kept."""

    def get(self, workspace: str, merge: str) -> Merge | None: ...
    def of_contacts(self, workspace: str, contacts: Sequence[str]) -> list[Merge]: ...
    def part(self, merge: Merge) -> Part: ...
    def undone_part(self, merge: Merge) -> Part: ...


class Surroundings(Protocol):
    """What other rooms know of a contact, and what they write when contacts are merged or come apart."""

    def told(self, contact: Contact, identifiers: Identifiers) -> Contact:
        """The contact as its own events make it."""

    def merged(
        self, merge: Merge, survivor: Contact, absorbed: Contact, dropped: Collection[Identity] = ()
    ) -> list[Part]:
        """What goes with a merge; `survivor` as it will be, `absorbed` as it was.

        `dropped` are the addresses that the one that survives had, and has no room for any more.
        """

    def undone(self, merge: Merge, survivor: Contact, restored: Contact) -> list[Part]:
        """What goes with taking a merge back; both as they will be."""

    def carried(
        self, survivor: Contact, absorbed: Contact, dropped: Collection[Identity]
    ) -> dict[str, list[dict[str, str]]]:
        """The `suppressions` and the noes to topics (`consents`) that a merge would carry over, for its preview."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A merge that is ready to be written, or only to be shown."""

    record: Merge
    survivor: Contact
    absorbed: Contact
    after: Contact
    leads: Mapping[Identity, Lead]

    @property
    def dropped(self) -> frozenset[Identity]:
        """The addresses of the one that survives for which the merged contact has no room."""
        return addresses(self.survivor) - addresses(self.after)

    @property
    def changes(self) -> list[Change]:
        """Both contacts as they were and will be; the absorbed one keeps only the way to the other."""
        retired = replace(without(self.absorbed, self.absorbed.identities), merged_into=self.survivor.id)
        return [Change(self.survivor, self.after), Change(self.absorbed, retired)]


class MergeService:
    """Merges contacts. The same preparation is shown by a preview and written by a merge."""

    def __init__(
        self, contacts: DynamoContactStore, records: MergeRecords, surroundings: Surroundings, clock: Clock
    ) -> None:
        self._contacts = contacts
        self._records = records
        self._surroundings = surroundings
        self._clock = clock

    def prepare(
        self,
        survivor: Contact,
        absorbed: Contact,
        rule: str,
        call: str,
        stamp: Stamp,
        identifiers: Identifiers,
    ) -> Prepared:
        """A merge of two contacts as they were read. Raises InvalidInput or Conflict for one that may not be."""
        check_merge(survivor, absorbed)
        after = absorb(survivor, absorbed, identifiers)
        owner = survivor.user_id
        moving = absorbed.of_kind(IdentityKind.ANONYMOUS)
        if not has_room_for(survivor, moving, identifiers):
            raise Conflict("too_many_identities", "The contact may have no more anonymous ids.", "contact")
        leads = {i: Lead(survivor.id, owner, stamp) if owner else Lead(survivor.id) for i in moving}
        record = merge_record(survivor, absorbed, rule, call, self._clock.now())
        prepared = Prepared(record, survivor, absorbed, after, leads)
        most = self._contacts.writes(prepared.changes, leads, identifiers) + BESIDE
        most += OF_CONVERSATIONS if addresses(absorbed) else 0
        if most + OF_ADDRESS * len(addresses(after) | addresses(absorbed)) > TRANSACTION_PARTS:
            raise Conflict("too_many_identities", "They have more that leads to them than is moved at once.", "contact")
        return prepared

    def write(self, prepared: Prepared, identifiers: Identifiers) -> None:
        """Store a prepared merge. Raises ConditionFailed if one of the two was changed since it was read."""
        parts = [
            self._records.part(prepared.record),
            *self._surroundings.merged(prepared.record, prepared.after, prepared.absorbed, prepared.dropped),
        ]
        self._contacts.commit(prepared.changes, prepared.leads, parts, identifiers)

    def moved(self, record: Merge, winner: Contact, alone: Contact) -> list[Part]:
        """What goes with an identity that moves to a contact, as that will be; `alone` is what the identity brings.

        Whose it was until now is another person: what they do not want holds for nobody else.
        """
        return [self._records.part(record), *self._surroundings.merged(record, winner, alone)]

    def merge(self, workspace: str, contact: str, into: str, call: str, identifiers: Identifiers) -> Merge:
        """Merge a contact into another because somebody asked for it; a repeat finds it done, also one taken back.

        Raises NotFound, or InvalidInput or Conflict if it may not be.
        """
        for _ in range(TRIES):
            absorbed, survivor = self.current(workspace, contact), self.current(workspace, into)
            done = self._done(call, contact, survivor, absorbed)
            if done is not None:
                return done
            prepared = self.requested(survivor, absorbed, call, identifiers)
            try:
                self.write(prepared, identifiers)
            except ConditionFailed:
                continue
            return prepared.record
        raise Unavailable("contact_contended", "The contacts kept changing.")

    def undo(self, workspace: str, merge: str, call: str, identifiers: Identifiers) -> Merge:
        """Take a merge back: each of the two is again what its own events make it. A repeat changes nothing.

        What was sent to and entered by the absorbed contact in between stays with the one that survived. Raises
        NotFound, or Conflict if what was merged is no part of it any more.
        """
        for _ in range(TRIES):
            record = self._records.get(workspace, merge)
            if record is None:
                raise NotFound("unknown_merge", "There is no such merge.", "merge")
            if record.undone_at is not None:
                return record
            try:
                return self._undo(record, call, identifiers)
            except ConditionFailed:
                continue
        raise Unavailable("contact_contended", "The contacts kept changing.")

    def of_contact(self, contact: Contact) -> list[Merge]:
        """Every merge that made this contact, and those that were taken back, in order."""
        return sorted(self._records.of_contacts(contact.workspace, contact.every_id), key=lambda one: (one.at, one.id))

    def requested(self, survivor: Contact, absorbed: Contact, call: str, identifiers: Identifiers) -> Prepared:
        """A merge that somebody asks for. Raises as `prepare` does."""
        return self.prepare(survivor, absorbed, "requested", call, Stamp(self._clock.now(), call), identifiers)

    def current(self, workspace: str, contact: str) -> Contact:
        """A contact, or the one it became part of. Raises NotFound."""
        found = self._contacts.current(workspace, contact) if len(contact.encode()) <= ID_BYTES else None
        if found is None:
            raise NotFound("unknown_contact", "There is no such contact.", "contact")
        return found

    def _done(self, call: str, contact: str, survivor: Contact, absorbed: Contact) -> Merge | None:
        """The merge that the same call made before. Raises Conflict if it asked for another one."""
        places = dict.fromkeys((*survivor.every_id, *absorbed.every_id))
        found = self._records.of_contacts(survivor.workspace, list(places))
        done = next((one for one in found if one.call == call), None)
        if done is None:
            return None
        if contact not in (done.absorbed, *done.absorbed_ids) or done.survivor not in survivor.every_id:
            raise Conflict(
                "idempotency_conflict", "This idempotency key was used for another merge.", "idempotency_key"
            )
        return done

    def _undo(self, record: Merge, call: str, identifiers: Identifiers) -> Merge:
        absorbed = self._contacts.get(record.workspace, record.absorbed)
        if absorbed is None or not (absorbed.merged_into or record.rule == MOVED):
            raise _not_undoable()
        into = record.survivor if record.rule == MOVED else absorbed.merged_into
        try:
            survivor = self.current(record.workspace, into)
        except NotFound as error:
            raise _not_undoable() from error
        if record.identities and not set(record.identities) & survivor.identities:
            raise _not_undoable()  # they went on to somebody else, or were erased
        now = self._clock.now()
        before = None if record.rule == MOVED else absorbed
        rest, restored = (
            come_apart(record, survivor, absorbed, now) if before else self._moved_back(record, survivor, absorbed)
        )
        rest, restored = (self._surroundings.told(contact, identifiers) for contact in (rest, restored))
        undone = replace(record, undone_at=now, undone_by=call, stayed=rest.id)
        parts = [self._records.undone_part(undone), *self._surroundings.undone(undone, rest, restored)]
        leads = {identity: Lead(restored.id) for identity in restored.of_kind(*UNIQUE_KINDS)}
        changes = [Change(survivor, rest), Change(before, restored)]
        if self._contacts.writes(changes, leads, identifiers) + len(parts) > TRANSACTION_PARTS:
            raise Conflict("too_many_identities", "They have more that leads to them than is moved at once.", "merge")
        self._contacts.commit(changes, leads, parts, identifiers)
        return undone

    def _moved_back(self, record: Merge, winner: Contact, loser: Contact) -> tuple[Contact, Contact]:
        """An anonymous id that went from one user to another comes out into a contact of its own, apart from both."""
        back = frozenset(record.identities) & winner.identities
        users = winner.of_kind(IdentityKind.USER)
        users |= self.current(record.workspace, loser.id).of_kind(IdentityKind.USER)
        rest = replace(without(winner, back), apart=winner.apart | back)
        alone = f"c{digest('moved back', record.id)}"
        return rest, Contact(record.workspace, alone, record.at, identities=back, apart=users)


def _not_undoable() -> Conflict:
    return Conflict("not_undoable", "What was merged is no part of this contact any more.", "merge")
