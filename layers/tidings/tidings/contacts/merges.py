"""Merging two contacts, saying before what that would do, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from tidings.accounts.model import Identifiers
from tidings.contacts.merging import Merge, absorb, check_merge, merge_record, without
from tidings.contacts.model import UNIQUE_KINDS, Contact, Identity, IdentityKind, Lead, Stamp, Window
from tidings.contacts.store import Change, DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound, TidingsError, Unavailable
from tidings.core.store import ConditionFailed, Part

TRIES = 5


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

    def merged(self, merge: Merge, survivor: Contact, absorbed: Contact) -> list[Part]:
        """What goes with a merge; `survivor` as it will be, `absorbed` as it was."""

    def undone(self, merge: Merge, survivor: Contact, restored: Contact) -> list[Part]:
        """What goes with taking a merge back; both as they will be."""

    def carried(self, survivor: Contact, absorbed: Contact) -> list[dict[str, str]]:
        """The suppressions that a merge would carry over, for its preview."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A merge that is ready to be written, or only to be shown."""

    record: Merge
    survivor: Contact
    absorbed: Contact
    after: Contact
    leads: Mapping[Identity, Lead]

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
        at: datetime,
        stamp: Stamp,
        identifiers: Identifiers,
    ) -> Prepared:
        """A merge of two contacts as they were read. Raises InvalidInput or Conflict for one that may not be."""
        check_merge(survivor, absorbed)
        after = absorb(survivor, absorbed, identifiers)
        owner = survivor.user_id
        moving = absorbed.of_kind(IdentityKind.ANONYMOUS)
        leads = {i: Lead(survivor.id, owner, stamp) if owner else Lead(survivor.id) for i in moving}
        return Prepared(merge_record(survivor, absorbed, rule, call, at), survivor, absorbed, after, leads)

    def write(self, prepared: Prepared, identifiers: Identifiers) -> None:
        """Store a prepared merge. Raises ConditionFailed if one of the two was changed since it was read."""
        parts = [
            self._records.part(prepared.record),
            *self._surroundings.merged(prepared.record, prepared.after, prepared.absorbed),
        ]
        self._contacts.commit(prepared.changes, prepared.leads, parts, identifiers)

    def moved(self, record: Merge, winner: Contact, loser: Contact) -> list[Part]:
        """What goes with an identity that moves from one contact to another, both as they will be."""
        return [self._records.part(record), *self._surroundings.merged(record, winner, loser)]

    def preview(self, workspace: str, contact: str, into: str, identifiers: Identifiers) -> dict[str, Any]:
        """What a merge of a contact into another would do; nothing is written. Raises NotFound."""
        absorbed, survivor = self._current(workspace, contact), self._current(workspace, into)
        try:
            prepared = self._requested(survivor, absorbed, "preview", identifiers)
        except TidingsError as error:
            return {"allowed": False, "refused": error.as_dict(), "survivor": survivor.id, "absorbed": absorbed.id}
        return {
            "allowed": True,
            "survivor": survivor.id,
            "absorbed": absorbed.id,
            "contact": prepared.after.as_dict(),
            "identities": prepared.record.as_dict()["identities"],
            "suppressions": self._surroundings.carried(prepared.after, absorbed),
        }

    def merge(self, workspace: str, contact: str, into: str, call: str, identifiers: Identifiers) -> Merge:
        """Merge a contact into another because somebody asked for it; a repeat finds it done.

        Raises NotFound, or InvalidInput or Conflict if it may not be.
        """
        for _ in range(TRIES):
            done = next((m for m in self._records.of_contacts(workspace, [into]) if m.call == call), None)
            if done is not None and done.absorbed == contact:
                return done
            absorbed, survivor = self._current(workspace, contact), self._current(workspace, into)
            prepared = self._requested(survivor, absorbed, call, identifiers)
            try:
                self.write(prepared, identifiers)
            except ConditionFailed:
                continue
            return prepared.record
        raise Unavailable("contact_contended", "The contacts kept changing.")

    def undo(self, workspace: str, merge: str, call: str, identifiers: Identifiers) -> Merge:
        """Take a merge back: each of the two is again what its own events make it. A repeat changes nothing.

        What was sent to and entered by the absorbed contact in between stays with the one that survived. Raises
        NotFound, or Conflict if the contact that was absorbed is no more.
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

    def _undo(self, record: Merge, call: str, identifiers: Identifiers) -> Merge:
        absorbed = self._contacts.get(record.workspace, record.absorbed)
        if absorbed is None or not absorbed.merged_into:
            raise Conflict("not_undoable", "The contact that was merged is no part of another any more.", "merge")
        survivor = self._current(record.workspace, absorbed.merged_into)
        now = self._clock.now()
        back = frozenset(record.identities) & survivor.identities
        gone = (absorbed.id, *record.absorbed_ids)
        windows = tuple(Window(contact, record.at, now) for contact in gone)
        rest = replace(
            without(survivor, back),
            absorbed=tuple(contact for contact in survivor.absorbed if contact not in gone),
            apart=survivor.apart | back,
            kept=(*survivor.kept, *windows),
        )
        restored = replace(
            without(absorbed, frozenset()),
            identities=back,
            absorbed=record.absorbed_ids,
            merged_into="",
            apart=absorbed.apart | survivor.of_kind(*UNIQUE_KINDS) - back,
            lent=(*absorbed.lent, *windows),
        )
        rest, restored = (self._surroundings.told(contact, identifiers) for contact in (rest, restored))
        undone = replace(record, undone_at=now, undone_by=call, stayed=rest.id)
        parts = [self._records.undone_part(undone), *self._surroundings.undone(undone, rest, restored)]
        leads = {identity: Lead(restored.id) for identity in back}
        self._contacts.commit([Change(survivor, rest), Change(absorbed, restored)], leads, parts, identifiers)
        return undone

    def _requested(self, survivor: Contact, absorbed: Contact, call: str, identifiers: Identifiers) -> Prepared:
        now = self._clock.now()
        return self.prepare(survivor, absorbed, "requested", call, now, Stamp(now, call), identifiers)

    def _current(self, workspace: str, contact: str) -> Contact:
        found = self._contacts.get(workspace, contact)
        while found is not None and found.merged_into:
            found = self._contacts.get(workspace, found.merged_into)
        if found is None or found.erased_at is not None:
            raise NotFound("unknown_contact", "There is no such contact.", "contact")
        return found
