"""The suppression list by hand, through the API: every change is an event of whoever has the address, in one write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tidings.accounts.model import Workspace
from tidings.consent.model import Channel, Reason, Suppression
from tidings.consent.replies import RELEASED, SUPPRESSED, suppression_event
from tidings.consent.rules import normalise_address
from tidings.consent.service import IDENTITIES, TOLD, ContactFinder, EventSink, SuppressionService
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.contacts.model import Identity
from tidings.core import cursors
from tidings.core.clock import Clock
from tidings.core.store import Part


class AccountList(Protocol):
    """The provider's own suppression list, of the whole account."""

    def release(self, address: str) -> None:
        """Take an address off it, if it is there."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a listing, and the cursor of the next page; empty at the end."""

    items: list[dict[str, Any]]
    cursor: str


class SuppressionDesk:
    """Suppression by hand."""

    def __init__(
        self,
        store: DynamoConsentStore,
        suppressions: SuppressionService,
        contacts: ContactFinder,
        events: EventSink,
        clock: Clock,
        account: AccountList | None = None,
    ) -> None:
        self._store = store
        self._suppressions = suppressions
        self._contacts = contacts
        self._events = events
        self._clock = clock
        self._account = account

    def suppress(
        self, workspace: Workspace, channel: Channel, address: str, expires_at: datetime | None, actor: str = ""
    ) -> Suppression:
        """Put an address on the list by hand. Repeating it changes nothing."""

        def told(entry: Suppression) -> Sequence[Part]:
            return self._told(SUPPRESSED, entry, entry.created_at)

        return self._suppressions.suppress(workspace, channel, address, Reason.MANUAL, "api", expires_at, actor, told)

    def release(self, workspace: Workspace, channel: Channel, address: str, actor: str = "") -> None:
        """Take an address off the list by hand, and off the account's where the workspace mirrors that.

        The account's goes first: should ours fail, a repeat finds the entry and does the rest. Raises NotFound if it
        is not on the list, Conflict if it is for good.
        """
        if self._account is not None and channel is Channel.EMAIL and workspace.mirrors_account_suppression:
            self._suppressions.require_not_erased(workspace, channel, address)
            self._account.release(self._suppressions.get(workspace, channel, address).address)
        self._suppressions.release(
            workspace, channel, address, actor, lambda entry, at: self._told(RELEASED, entry, at)
        )

    def page(self, workspace: str, channel: Channel, limit: int, cursor: str = "") -> Page:
        """The entries in force, those that came last first. A page may be short, and still have a next one.

        Raises InvalidInput for a bad cursor.
        """
        scope = ("suppressions", workspace, channel.value)
        place = cursors.read(scope, cursor, str, str)
        entries, after = self._store.listed(workspace, channel, limit, (place[0], place[1]) if place else None)
        now = self._clock.now()
        return Page(
            [entry.as_dict() for entry in entries if entry.holds_at(now)], cursors.write(scope, after) if after else ""
        )

    def log(self, workspace: Workspace, channel: Channel, address: str, limit: int, cursor: str = "") -> Page:
        """What changed of an address's consents and suppression, latest first. Raises InvalidInput."""
        key = address_key(workspace, normalise_address(channel, address))
        scope = ("consent log", workspace.id, channel.value, key)
        place = cursors.read(scope, cursor, str)
        rows = self._store.log_page(workspace.id, channel, key, limit + 1, place[0] if place else "")
        more = cursors.write(scope, [rows[limit - 1][0]]) if len(rows) > limit else ""
        return Page([entry.as_dict() for _, entry in rows[:limit]], more)

    def _told(self, name: str, entry: Suppression, at: datetime) -> list[Part]:
        identity = Identity(IDENTITIES[entry.channel], entry.address)
        found = self._contacts.contacts_with(entry.workspace, identity, TOLD)
        return [self._events.part(suppression_event(name, entry, at, contact)) for contact in found]
