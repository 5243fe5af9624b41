"""Asking automations whether they take somebody in because of an event, and keeping why some did not.

Whether a trigger's condition holds is asked of the contact as the event made it; what comes of that, once what the
event says is kept. An event that no automation listens to costs nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from tidings.activity.facts import ContactFacts
from tidings.activity.model import Event
from tidings.automations.entering.depths import Depths
from tidings.automations.entering.enrol import Asking, Enrolling
from tidings.automations.entering.refusals import MOST_KEPT, MOST_RULES, Reason, Refused, refusals
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.automations.entering.requests import MOST_DEEP, depth_of
from tidings.automations.listening.index import Listener
from tidings.automations.store import Automation
from tidings.conditions.evaluate import evaluate
from tidings.conditions.explain import explain
from tidings.contacts.model import Contact

# Of how many rules it is kept with an enrolment why they held.
RULES_OF_ENTRY = 10


class TriggerListeners(Protocol):
    """Which automations an event may start; kept in memory."""

    def to(self, event: Event) -> Sequence[Listener]: ...
    def unheard(self, event: Event) -> Refused | None: ...
    def automation(self, one: Listener) -> Automation: ...


@dataclass(frozen=True)
class Asked:
    """What automations say to an event at first sight: who would take the contact in, and who would not and why.

    `unheard` is the one that it asks for by name, where that does not listen to it.
    """

    contact: Contact
    event: Event
    facts: ContactFacts
    admitting: Sequence[Listener] = ()
    refusing: Sequence[tuple[Listener, Reason]] = field(default_factory=tuple)
    unheard: Refused | None = None


class Admitting:
    """Lets events start automations."""

    def __init__(
        self, listeners: TriggerListeners, enrolling: Enrolling, refused: DynamoRefusalStore, depths: Depths
    ) -> None:
        self._listeners = listeners
        self._enrolling = enrolling
        self._refusals = refused
        self._depths = depths

    def concerns(self, event: Event) -> bool:
        """Whether automations listen to an event, or it asks for one by name: no read."""
        return bool(self._listeners.to(event)) or self._listeners.unheard(event) is not None

    def ask(self, contact: Contact, event: Event) -> Asked | None:
        """What the automations that listen to an event say to it, or it asks for by name; None if there is none.

        No call, but for what a message brought about: two batched reads. Raises Throttled or Unavailable.
        """
        if not self.concerns(event):
            return None
        said = asked(contact, self._depths.told(event), event.received_at, self._listeners.to(event))
        return replace(said, unheard=self._listeners.unheard(event))

    def admit(self, said: Asked, at: datetime | None = None, others: Sequence[str] = (), zone: str = "") -> None:
        """Enrol the contact where it is taken in, and keep where and why it is not: one write more if there is any.

        For `at`, `others` and `zone` see `Asking`. An event that comes again after a merge is not asked anew of who
        survived where it was refused before; that costs a read. Raises Throttled or Unavailable, then it is to be
        repeated.
        """
        refused = [] if said.unheard is None else [said.unheard]
        before = self._refused_before(said) if at is None else frozenset()
        for listener in said.admitting:
            if listener.name in before:
                continue
            automation = self._listeners.automation(listener)
            answer = self._enrolling.enrol(
                Asking(
                    automation=automation,
                    contact=said.contact,
                    event=said.event,
                    at=at,
                    others=others,
                    zone=zone,
                    since=listener.alike_since,
                    why=_explained(listener, said.facts, RULES_OF_ENTRY),
                )
            )
            refused += [answer] if answer is not None else []
        if refused or said.refusing:
            self._keep(said, refused)

    def _refused_before(self, said: Asked) -> frozenset[str]:
        """The automations that refused the event when it was that of a contact which became part of this one."""
        if not said.admitting or not said.contact.absorbed:
            return frozenset()
        found = self._refusals.of_event(said.contact.workspace, said.contact.absorbed, said.event)
        return frozenset(refused.automation for one in found for refused in one.refused)

    def _keep(self, said: Asked, refused: Sequence[Refused]) -> None:
        room = max(0, MOST_KEPT - len(refused))
        most = MOST_RULES // max(1, min(room, len(said.refusing)))
        told = [_refused(listener, reason, said, most) for listener, reason in said.refusing[:room]]
        left = len(said.refusing) - len(told)
        kept = refusals(said.contact.id, said.event, [*refused, *told], left)
        self._refusals.keep(said.contact.workspace, said.event, kept)


def asked(contact: Contact, event: Event, now: datetime, listeners: Sequence[Listener]) -> Asked:
    """What some automations say to an event of a contact, which is asked as it is."""
    facts = ContactFacts(contact=contact, now=now, properties=event.properties)
    admitting: list[Listener] = []
    refusing: list[tuple[Listener, Reason]] = []
    too_deep = depth_of(event) > MOST_DEEP
    for one in listeners:
        reason = Reason.TOO_DEEP if too_deep else _reason(one, facts)
        if reason is None:
            admitting.append(one)
        else:
            refusing.append((one, reason))
    return Asked(contact, event, facts, admitting, refusing)


def _reason(one: Listener, facts: ContactFacts) -> Reason | None:
    where = one.trigger.where
    if where is not None and not evaluate(where, facts):
        return Reason.WHERE
    return Reason(one.state.refusal) if one.state.refusal else None


def _refused(one: Listener, reason: Reason, said: Asked, most: int) -> Refused:
    why: dict[str, Any] = {}
    if reason is Reason.WHERE:
        why = {"where": _explained(one, said.facts, most)}
    if reason is Reason.TOO_DEEP:
        why = {"depth": depth_of(said.event), "most": MOST_DEEP}
    return Refused(one.name, one.version, reason, why)


def _explained(one: Listener, facts: ContactFacts, most: int) -> Mapping[str, Any]:
    where = one.trigger.where
    return {} if where is None else explain(where, facts).as_dict(most=most)
