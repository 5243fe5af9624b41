"""Whose an event is: the contact that its identities lead to, which it may make, join or be refused."""

from __future__ import annotations

from dataclasses import replace

from tidings.activity.folding import Folding
from tidings.activity.model import Event
from tidings.activity.refusing import Refusals
from tidings.automations.sightings import Known, sighting_of
from tidings.contacts.linking import Sighting
from tidings.contacts.model import Identity, IdentityKind, Lead
from tidings.contacts.rules import Refusal
from tidings.contacts.settling import AboutTo, Settlement
from tidings.contacts.store import DynamoContactStore


class Owners:
    """Settles whose events are, one after the other; what it learns goes to what is known of the batch."""

    def __init__(
        self, contacts: DynamoContactStore, settlement: Settlement, folding: Folding, refusals: Refusals
    ) -> None:
        self._contacts = contacts
        self._settlement = settlement
        self._folding = folding
        self._refusals = refusals

    def contact_of(self, event: Event, known: Known, about_to: AboutTo) -> str:
        """The contact of an event, which is made where its identities are new; no read more if all is known.

        `about_to` is called before contacts become others. Raises PersonErased, Throttled or Unavailable.
        """
        if event.contact:
            return event.contact
        contact = self._settle(sighting_of(event), event, known, about_to)
        if event.type == "alias":
            refusal = self._alias_refused(event, known)
            if refusal is not None:
                self._refusals.keep(event, contact, [refusal])
            elif event.previous_id != event.user_id:
                previous = Identity(IdentityKind.ANONYMOUS, event.previous_id)
                sighting = replace(sighting_of(event), anonymous=previous, by_alias=True)
                contact = self._settle(sighting, event, known, about_to)
        return contact

    def _settle(self, sighting: Sighting, event: Event, known: Known, about_to: AboutTo) -> str:
        workspace = sighting.workspace
        identifiers = known.identifiers(workspace)
        sighting = replace(sighting, secret=known.workspaces[workspace].secret if workspace in known.workspaces else "")
        user, anonymous = (self._lead(workspace, i, known) for i in (sighting.user, sighting.anonymous))
        settled = self._settlement.settle(
            sighting,
            user,
            anonymous,
            identifiers,
            lambda new: self._folding.tell(new, event, identifiers, True)[0],
            about_to,
        )
        known.learn(workspace, sighting, settled)
        return settled.contact

    def _alias_refused(self, event: Event, known: Known) -> Refusal | None:
        """Why an alias may not be: two users are never merged, and a browser's key aliases nobody who is known."""
        previous = Identity(IdentityKind.USER, event.previous_id)
        if event.previous_id != event.user_id and (event.workspace, previous) in known.leads:
            return Refusal("alias_of_known_user", "previousId")
        if event.publishable and not known.introduces(event) and event.previous_id != event.user_id:
            return Refusal("publishable_key_may_not_alias", "userId")
        return None

    def _lead(self, workspace: str, identity: Identity | None, known: Known) -> Lead | None:
        if identity is None:
            return None
        place = (workspace, identity)
        if place in known.stale:
            known.stale.discard(place)
            found = self._contacts.lead(workspace, identity)
            known.leads.pop(place, None)
            if found is not None:
                known.leads[place] = found
        return known.leads.get(place)
