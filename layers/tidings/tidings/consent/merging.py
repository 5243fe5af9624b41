"""What a merge of contacts means beside the contacts: their history is told, and nobody's no is lost.

Suppressions hold for addresses. When two contacts become one, the person may be written to at an address that was
nobody's no before, so what one of them did not want is carried over to every address of the other, on that channel:
the stricter of the two stays. A bounce is not carried: it says that an address is dead, not that its person minds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Identifiers
from tidings.activity.chain import Node
from tidings.activity.folding import Folding
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.consent.model import Channel, Reason, Suppression
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.merging import Merge, addresses
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.core.clock import Clock
from tidings.core.ids import digest
from tidings.core.store import Part

CHANNELS = {IdentityKind.EMAIL: Channel.EMAIL, IdentityKind.PHONE: Channel.SMS}
FOR_EVER = datetime.max.replace(tzinfo=UTC)
MERGED, UNMERGED = "Contacts Merged", "Merge Undone"


class MergeSurroundings:
    """Reads and writes what goes with a merge in the rooms of events and of consent."""

    def __init__(
        self,
        events: DynamoEventStore,
        consents: DynamoConsentStore,
        workspaces: WorkspaceCache,
        clock: Clock,
        folding: Folding | None = None,
    ) -> None:
        self._events = events
        self._consents = consents
        self._workspaces = workspaces
        self._clock = clock
        self._folding = folding or Folding()

    def told(self, contact: Contact, identifiers: Identifiers) -> Contact:
        """The contact as its own events make it."""
        return self._folding.told(contact, identifiers, self._events)

    def merged(self, merge: Merge, survivor: Contact, absorbed: Contact) -> list[Part]:
        """The event that tells of a merge, and the suppressions that it carries over."""
        workspace = self._workspaces.get(merge.workspace)
        carried = self._carried(survivor, absorbed)
        parts = [self._consents.carry(workspace, replace(one, source=merge.source)) for one in carried]
        return [self._events.part(self._event(merge, MERGED, survivor)), *parts]

    def undone(self, merge: Merge, survivor: Contact, restored: Contact) -> list[Part]:
        """The events that tell of it, and the end of the suppressions that the merge had carried over."""
        workspace = self._workspaces.get(merge.workspace)
        told = [self._events.part(self._event(merge, UNMERGED, contact)) for contact in (survivor, restored)]
        places = sorted(addresses(survivor) | addresses(restored))
        ours = []
        for channel, address in ((CHANNELS[i.kind], i.value) for i in places):
            entry = self._consents.suppression_of(workspace, channel, address)
            if entry is not None and entry.source == merge.source:
                ours.append(self._consents.uncarry(workspace, channel, address, merge.source))
        return told + ours

    def carried(self, survivor: Contact, absorbed: Contact) -> list[dict[str, str]]:
        """The suppressions that a merge would carry over, for its preview."""
        return [
            {"channel": one.channel.value, "address": one.address, "reason": one.reason.value}
            for one in self._carried(survivor, absorbed)
        ]

    def _carried(self, survivor: Contact, absorbed: Contact) -> list[Suppression]:
        """One entry for each address of the merged contact that a no of another of its addresses now holds for."""
        return [entry for kind in CHANNELS for entry in self._carried_on(kind, survivor, absorbed)]

    def _carried_on(self, kind: IdentityKind, survivor: Contact, absorbed: Contact) -> Iterator[Suppression]:
        places = sorted(survivor.of_kind(kind) | absorbed.of_kind(kind))
        if len(places) < 2:
            return
        workspace, channel, now = self._workspaces.get(survivor.workspace), CHANNELS[kind], self._clock.now()
        found = {i.value: self._consents.suppression_of(workspace, channel, i.value) for i in places}
        held = {address: entry for address, entry in found.items() if entry is not None and entry.holds_at(now)}
        noes = [entry for entry in held.values() if entry.reason is not Reason.BOUNCE]
        if not noes:
            return
        strictest = max(noes, key=lambda entry: (entry.expires_at or FOR_EVER, entry.address))
        for identity in places:
            if identity.value not in held:
                yield replace(strictest, address=identity.value, created_at=now)

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


def _node(call: str) -> Node | None:
    try:
        return Node.parse(call)
    except ValueError:
        return None
