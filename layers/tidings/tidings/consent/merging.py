"""What a merge of contacts means beside the contacts: their history is told, and nobody's no is lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Identifiers
from tidings.activity.chain import Node
from tidings.activity.folding import Folding
from tidings.activity.merged import MERGED, UNMERGED
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.consent.carrying import Carried, Goes, carried, logged, taken_back, with_carried, without_carried
from tidings.consent.model import AddressRecord, Channel
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.merging import Merge, addresses, is_of
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.clock import Clock
from tidings.core.ids import digest
from tidings.core.store import Part

CHANNELS = {IdentityKind.EMAIL: Channel.EMAIL, IdentityKind.PHONE: Channel.SMS}


class Following(Protocol):
    """What follows its person in a room that this one knows nothing of: the writes that go with a merge or undo."""

    def merged(self, survivor: Contact, absorbed: Contact) -> list[Part]: ...
    def undone(self, survivor: Contact, restored: Contact) -> list[Part]: ...


class MergeSurroundings:
    """Reads and writes what goes with a merge in the rooms of events and of consent, and in those that follow."""

    def __init__(
        self,
        events: DynamoEventStore,
        consents: DynamoConsentStore,
        workspaces: WorkspaceCache,
        clock: Clock,
        folding: Folding | None = None,
        following: Sequence[Following] = (),
    ) -> None:
        self._events = events
        self._consents = consents
        self._workspaces = workspaces
        self._clock = clock
        self._folding = folding or Folding()
        self._following = following

    def told(self, contact: Contact, identifiers: Identifiers) -> Contact:
        """The contact as its own events make it."""
        return self._folding.told(contact, identifiers, self._events)

    def merged(
        self, merge: Merge, survivor: Contact, absorbed: Contact, dropped: Collection[Identity] = ()
    ) -> list[Part]:
        """The event that tells of a merge, and what it carries over, with the log: two parts an address at most."""
        parts = [self._events.part(self._event(merge, MERGED, survivor))]
        for one in self._carried(survivor, absorbed, dropped, merge.source):
            over = with_carried(one)
            parts.append(self._consents.change(one.record, over, lift=False, entry=one.entry, stops=one.stops))
            parts.append(self._log(one, "carried", merge.source))
        return parts + [part for one in self._following for part in one.merged(survivor, absorbed)]

    def undone(self, merge: Merge, survivor: Contact, restored: Contact) -> list[Part]:
        """The events that tell of it, and the end of what the merge had carried over."""
        parts = [self._events.part(self._event(merge, UNMERGED, contact)) for contact in (survivor, restored)]
        stays = addresses(survivor)
        for identity in sorted(stays | addresses(restored)):
            goes = _going(merge, () if identity in stays else survivor.every_id)
            one = taken_back(self._record(merge.workspace, identity), goes)
            if one is not None:
                left = without_carried(one, goes)
                lift = one.entry is not None
                parts.append(self._consents.change(one.record, left, lift=lift, stops=one.stops))
                parts.append(self._log(one, "taken_back", merge.source))
        return parts + [part for one in self._following for part in one.undone(survivor, restored)]

    def carried(
        self, survivor: Contact, absorbed: Contact, dropped: Collection[Identity]
    ) -> dict[str, list[dict[str, str]]]:
        """The suppressions and the noes to topics that a merge would carry over, for its preview."""
        found = self._carried(survivor, absorbed, dropped, "")
        where = [({"channel": one.record.channel.value, "address": one.record.address}, one) for one in found]
        return {
            "suppressions": [{**place, "reason": reason} for place, one in where for reason in one.reasons],
            "consents": [{**place, "topic": topic} for place, one in where for topic in sorted(one.noes)],
        }

    def _carried(
        self, survivor: Contact, absorbed: Contact, dropped: Collection[Identity], source: str
    ) -> list[Carried]:
        """What comes to hold for addresses of the merged contact because it held for another of them.

        What was said at an address that is dropped comes along; nothing is carried to it, since it is nobody's then.
        """
        return [one for kind in CHANNELS for one in self._carried_on(kind, survivor, absorbed, dropped, source)]

    def _carried_on(
        self, kind: IdentityKind, survivor: Contact, absorbed: Contact, dropped: Collection[Identity], source: str
    ) -> list[Carried]:
        theirs = absorbed.of_kind(kind)
        stays = survivor.of_kind(kind) | theirs
        places = sorted(stays | {one for one in dropped if one.kind is kind})
        if len(places) < 2:
            return []
        records = [self._record(survivor.workspace, place) for place in places]
        found = carried(records, {place.value for place in theirs}, source, self._clock.now())
        reached = {place.value for place in stays}
        return [one for one in found if one.record.address in reached]

    def _record(self, workspace: str, place: Identity) -> AddressRecord:
        return self._consents.record(self._workspaces.get(workspace), CHANNELS[place.kind], place.value)

    def _log(self, one: Carried, change: str, source: str) -> Part:
        return self._consents.log(logged(one, change, source, self._clock.now()))

    def _event(self, merge: Merge, name: str, contact: Contact) -> Event:
        now = self._clock.now()
        return Event(
            workspace=merge.workspace,
            identity=Identity(IdentityKind.CONTACT, contact.id),
            message_id=digest(merge.id, name, contact.id),
            type="system",
            name=name,
            received_at=now,
            timestamp=now,
            properties={
                "merge": merge.id,
                "rule": merge.rule,
                "survivor": merge.survivor,
                "absorbed": merge.absorbed,
                "identities": [str(identity) for identity in merge.identities],
                "absorbed_ids": list(merge.absorbed_ids),
            },
            cause=_node(merge.call if name == MERGED else merge.undone_by),
        )


def _going(merge: Merge, left: Sequence[str]) -> Goes:
    """What goes from an address when a merge is undone: what it brought there itself.

    From an address that leaves the contacts `left` goes also what merges of theirs brought there meanwhile: the undo of
    those will not find it with them any more.
    """
    return lambda source, at: source == merge.source or (at >= merge.at and is_of(source, left))


def _node(call: str) -> Node | None:
    try:
        return Node.parse(call)
    except ValueError:
        return None
