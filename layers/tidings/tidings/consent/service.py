"""The suppression list: asked at the moment of sending, by machines and by API alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.consent.model import Channel, Check, Reason, Suppression
from tidings.consent.rules import normalise_address, suppression_check
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock, to_text
from tidings.core.errors import Conflict, NotFound
from tidings.core.ids import digest

# To how many of the contacts that share an address a change of it is told.
TOLD = 100


class ConsentStore(Protocol):
    """Where suppressions are kept."""

    def suppression_of(self, workspace: Workspace, channel: Channel, address: str) -> Suppression | None: ...
    def suppress(self, workspace: Workspace, entry: Suppression) -> bool: ...
    def release(self, workspace: Workspace, channel: Channel, address: str) -> bool: ...


class EventSink(Protocol):
    """Where changes are told, so that automations see them."""

    def add(self, event: Event) -> bool: ...


class ContactFinder(Protocol):
    """Who has an address."""

    def contacts_with(self, workspace: str, email: Identity, most: int) -> list[str]: ...


class SuppressionService:
    """Checks and keeps the suppression list of a workspace."""

    def __init__(self, store: ConsentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def check(self, workspace: Workspace, channel: Channel, address: str) -> Check:
        """Whether the list lets a message go to an address now: one read. Raises InvalidInput for no address."""
        entry = self._store.suppression_of(workspace, channel, normalise_address(channel, address))
        return suppression_check(entry, self._clock.now())

    def get(self, workspace: Workspace, channel: Channel, address: str) -> Suppression:
        """The entry of an address. Raises NotFound if none is in force."""
        entry = self._store.suppression_of(workspace, channel, normalise_address(channel, address))
        if entry is None or not entry.holds_at(self._clock.now()):
            raise NotFound("not_suppressed", "This address is not suppressed.", "address")
        return entry

    def suppress(
        self,
        workspace: Workspace,
        channel: Channel,
        address: str,
        reason: Reason,
        source: str,
        expires_at: datetime | None = None,
    ) -> Suppression:
        """Put an address on the list. An entry that lasts as long stays: who complained is not made to have bounced."""
        text = normalise_address(channel, address)
        entry = Suppression(workspace.id, channel, text, reason, self._clock.now(), source, expires_at)
        if not self._store.suppress(workspace, entry):
            return self._store.suppression_of(workspace, channel, text) or entry
        return entry

    def require_not_erased(self, workspace: Workspace, channel: Channel, address: str) -> None:
        """Refuse to begin anything with the address of an erased person: one read. Raises Conflict, or InvalidInput."""
        _require_not_erased(self._store.suppression_of(workspace, channel, normalise_address(channel, address)))

    def release(self, workspace: Workspace, channel: Channel, address: str) -> None:
        """Take an address off the list. Raises NotFound if it is not on it, Conflict if its person was erased."""
        text = normalise_address(channel, address)
        if not self._store.release(workspace, channel, text):
            entry = self._store.suppression_of(workspace, channel, text)
            _require_not_erased(entry)
            raise NotFound("not_suppressed", "This address is not suppressed.", "address")


def _require_not_erased(entry: Suppression | None) -> None:
    if entry is not None and entry.reason is Reason.ERASED:
        raise Conflict("person_erased", "Who had this address was erased, and is never written to again.", "address")


class SuppressionDesk:
    """Suppression by hand, through the API: the change is told as an event of whoever has the address."""

    def __init__(
        self, suppressions: SuppressionService, contacts: ContactFinder, events: EventSink, clock: Clock
    ) -> None:
        self._suppressions = suppressions
        self._contacts = contacts
        self._events = events
        self._clock = clock

    def suppress(
        self, workspace: Workspace, channel: Channel, address: str, expires_at: datetime | None
    ) -> Suppression:
        """Put an address on the list by hand. Repeating it changes nothing."""
        entry = self._suppressions.suppress(workspace, channel, address, Reason.MANUAL, "api", expires_at)
        self._tell("Address Suppressed", entry)
        return entry

    def release(self, workspace: Workspace, channel: Channel, address: str) -> None:
        """Take an address off the list by hand. Raises NotFound if it is not on it, Conflict if it is for good."""
        entry = self._suppressions.get(workspace, channel, address)
        self._suppressions.release(workspace, channel, address)
        self._tell("Address Released", replace(entry, created_at=self._clock.now()))

    def _tell(self, name: str, entry: Suppression) -> None:
        if entry.channel is not Channel.EMAIL:
            return  # nobody is found by a phone number yet
        for contact in self._contacts.contacts_with(entry.workspace, Identity(IdentityKind.EMAIL, entry.address), TOLD):
            self._events.add(
                Event(
                    workspace=entry.workspace,
                    identity=Identity(IdentityKind.CONTACT, contact),
                    message_id=digest(name, entry.channel, entry.address, to_text(entry.created_at)),
                    type="system",
                    name=name,
                    received_at=self._clock.now(),
                    timestamp=entry.created_at,
                    properties={"channel": entry.channel.value, "reason": entry.reason.value},
                )
            )
