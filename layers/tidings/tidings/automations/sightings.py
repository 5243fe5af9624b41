"""What a batch of events is about: who reported them, where their identities lead, and which came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidings.accounts.model import Identifiers, Workspace
from tidings.activity.model import Event
from tidings.automations.telling.visits import Roots
from tidings.contacts.linking import Sighting
from tidings.contacts.model import Contact, Identity, IdentityKind, Lead
from tidings.contacts.rules import EVERYWHERE
from tidings.contacts.settling import Settled

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sighted:
    """A stream record and the event in it."""

    record: Record
    event: Event

    @property
    def sequence(self) -> str:
        """The record's place in its shard."""
        return str(self.record["dynamodb"]["SequenceNumber"])


@dataclass
class Known:
    """What the batched read found: where identities lead, which events are there twice, and what is out of date.

    `roots` say what began the chains of the messages that events name as their cause.
    `born` are the contacts that this batch made, which have what their first event said already.
    """

    workspaces: dict[str, Workspace] = field(default_factory=dict)
    leads: dict[tuple[str, Identity], Lead] = field(default_factory=dict)
    twins: dict[tuple[str, Identity, str], Event] = field(default_factory=dict)
    stale: set[tuple[str, Identity]] = field(default_factory=set)
    born: dict[tuple[str, str], Contact] = field(default_factory=dict)
    roots: Roots = field(default_factory=dict)

    def came_before(self, event: Event) -> bool:
        """Whether the same message was received before, under the other of its two identities.

        A browser stamps the user id on what it sends again, and what was delayed on the way may arrive without.
        """
        other = event.anonymous if event.user is not None else self.owner(event)
        twin = self.twins.get((event.workspace, other, event.message_id)) if other is not None else None
        return twin is not None and (twin.received_at, twin.identity) < (event.received_at, event.identity)

    def owner(self, event: Event) -> Identity | None:
        """The user whose device reported an event without naming them."""
        if event.user is not None or event.anonymous is None:
            return None
        lead = self.leads.get((event.workspace, event.anonymous))
        return Identity(IdentityKind.USER, lead.owner) if lead is not None and lead.owner else None

    def learn(self, workspace: str, sighting: Sighting, settled: Settled) -> None:
        """Take in what settling a message changed."""
        joined = False
        for identity, lead in settled.leads.items():
            before = self.leads.get((workspace, identity))
            joined = joined or before is None or before.contact != lead.contact
            self.leads[workspace, identity] = lead
            self.stale.discard((workspace, identity))
        if settled.born is not None:
            self.born[workspace, settled.contact] = settled.born
        elif joined:
            self.born.pop((workspace, settled.contact), None)  # it is no more as it was made
        self.born.pop((workspace, settled.gone), None)
        # An identity that does not lead here may have been linked by somebody else just now, or be theirs for good.
        for place, lead in self.leads.items():
            elsewhere = place[1] in sighting.identities and lead.contact != settled.contact
            if place[0] == workspace and (elsewhere or lead.contact == settled.gone):
                self.stale.add(place)

    def identifiers(self, workspace: str) -> Identifiers:
        """How a workspace tells people apart."""
        found = self.workspaces.get(workspace)
        return EVERYWHERE if found is None else found.identifiers

    def time_zone(self, workspace: str) -> str:
        """The time zone of a workspace's days."""
        found = self.workspaces.get(workspace)
        return "UTC" if found is None else found.time_zone

    def now(self, event: Event, contact: str) -> str:
        """The contact that an event belongs to when its whole batch has been settled; `contact` was before."""
        first = event.user or event.anonymous
        lead = None if event.contact or first is None else self.leads.get((event.workspace, first))
        return contact if lead is None else lead.contact

    def introduces(self, event: Event) -> bool:
        """Whether it was by this event that the person became known."""
        lead = self.leads.get((event.workspace, event.user)) if event.user else None
        return lead is not None and lead.since is not None and lead.since.by == event.message_id


def identities_of(event: Event) -> list[Identity]:
    """The identities that an event is about; an alias names a previous id, which is a device's if it is no user's."""
    named = [event.user, event.anonymous]
    if event.type == "alias":
        named += [Identity(kind, event.previous_id) for kind in (IdentityKind.ANONYMOUS, IdentityKind.USER)]
    return [identity for identity in named if identity is not None]


def sighting_of(event: Event) -> Sighting:
    return Sighting(
        workspace=event.workspace,
        message_id=event.message_id,
        at=event.received_at,
        said=event.timestamp,
        user=event.user,
        anonymous=event.anonymous,
        call=str(event.node),
    )
