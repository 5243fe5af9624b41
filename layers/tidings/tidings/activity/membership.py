"""Joining and leaving companies by hand: the change of a contact, and the event that tells of it, in one stroke."""

from __future__ import annotations

from datetime import datetime

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.contacts.companies import INSTANT, CompanyService
from tidings.contacts.model import Contact, Identity, IdentityKind, Stamp
from tidings.contacts.rules import with_company
from tidings.contacts.service import ContactDirectory
from tidings.core.clock import Clock
from tidings.core.errors import Conflict
from tidings.core.ids import new_id

JOINED, LEFT = "Company Joined", "Company Left"


class MembershipDesk:
    """Who belongs to which company, by hand. What is done twice changes nothing the second time."""

    def __init__(
        self, companies: CompanyService, directory: ContactDirectory, events: DynamoEventStore, clock: Clock
    ) -> None:
        self._companies = companies
        self._directory = directory
        self._events = events
        self._clock = clock

    def join(self, workspace: str, company: str, contact: str) -> Contact:
        """Let a contact join a company, which need not be there yet.

        Raises NotFound for an unknown contact, and Conflict for one that belongs to too many already.
        """
        now, message = self._clock.now(), new_id()
        self._directory.get(workspace, contact)
        self._companies.tell(workspace, company, {}, Stamp(now, message), now)
        return self._change(workspace, company, contact, True, now, message)

    def leave(self, workspace: str, company: str, contact: str) -> Contact:
        """Let a contact leave a company. Raises NotFound for an unknown company or contact."""
        self._companies.get(workspace, company)
        return self._change(workspace, company, contact, False, self._clock.now(), new_id())

    def _change(self, workspace: str, company: str, contact: str, joins: bool, now: datetime, message: str) -> Contact:
        def edit(before: Contact) -> Contact:
            known = before.companies.get(company)
            if (known is not None and known.joined) == joins:
                return before
            # Whoever edits by hand has seen what is known: the edit counts as later, whatever the clocks say.
            later = now if known is None or known.stamp.at < now else known.stamp.at + INSTANT
            after = with_company(before, company, joins, Stamp(later, message))
            if joins and company not in after.companies:
                raise Conflict("too_many_companies", "The contact may belong to no more companies.", "company")
            return after

        return self._directory.change(
            workspace, contact, edit, parts=lambda after: [self._events.new_part(_told(after, company, now, message))]
        )


def _told(contact: Contact, company: str, now: datetime, message: str) -> Event:
    membership = contact.companies[company]
    return Event(
        workspace=contact.workspace,
        identity=Identity(IdentityKind.CONTACT, contact.id),
        message_id=message,
        type="group" if membership.joined else "ungroup",
        name=JOINED if membership.joined else LEFT,
        received_at=now,
        timestamp=membership.stamp.at,
        group_id=company,
        properties={"company": company},
        cause=Node.call(message),
    )
