"""Addresses that messages cannot reach for now: after five in a row with no delivery between they are suppressed.

Which reports are such failures, and which suppress at once, each channel says for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from tidings.accounts.model import Workspace
from tidings.consent.bounce_store import DynamoBounceStore
from tidings.consent.model import AddressRecord, Channel, Reason
from tidings.consent.rules import normalise_address
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.clock import Clock, from_text
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed
from tidings.messages.model import State
from tidings.messages.store import DynamoMessageStore

IN_A_ROW = 5
TRIES = 5
# Of how many contacts that share an address the messages are looked through for deliveries.
SHARING = 25

_IDENTITIES = {Channel.EMAIL: IdentityKind.EMAIL, Channel.SMS: IdentityKind.PHONE}
_CALLED = {Channel.EMAIL: "soft bounces", Channel.SMS: "failures"}


class ContactFinder(Protocol):
    """Who has an address."""

    def contacts_with(self, workspace: str, identity: Identity, most: int) -> list[str]: ...


class Bouncing:
    """Suppresses the addresses of one channel by the bounce policy."""

    def __init__(
        self,
        channel: Channel,
        consents: DynamoConsentStore,
        soft: DynamoBounceStore,
        suppressions: SuppressionService,
        contacts: ContactFinder,
        messages: DynamoMessageStore,
        clock: Clock,
    ) -> None:
        self._channel = channel
        self._consents = consents
        self._soft = soft
        self._suppressions = suppressions
        self._contacts = contacts
        self._messages = messages
        self._clock = clock

    def suppress(self, workspace: Workspace, address: str, reason: Reason, source: str) -> None:
        """Put an address on the list; `source` says what led to it."""
        self._suppressions.suppress(workspace, self._channel, address, reason, source)

    def count(self, workspace: Workspace, address: str, message: str, at: datetime) -> None:
        """Keep that a message failed for now; with the fifth that no delivery came between, suppress the address.

        Deliveries are looked up only then, in the histories of messages: a delivery itself costs no write here.
        """
        address = normalise_address(self._channel, address)
        for _ in range(TRIES):
            record = self._consents.record(workspace, self._channel, address)
            row = {**record.soft_bounces, message: at}
            if self._bounced_out(record):
                row = {}
            elif len(row) >= IN_A_ROW:
                row = in_a_row(row, self._deliveries(workspace.id, address))
                if len(row) >= IN_A_ROW:
                    self.suppress(workspace, address, Reason.BOUNCE, source_of(row, self._channel))
                    continue
            if row == record.soft_bounces:
                return
            try:
                self._soft.keep(record, row)
            except ConditionFailed:
                continue
            return
        raise Unavailable("consent_contended", "What is known of this address kept changing.")

    def _bounced_out(self, record: AddressRecord) -> bool:
        """Whether the address is suppressed for bounces already: then the row is at its end."""
        entry = record.suppression
        ends = (Reason.BOUNCE, Reason.ERASED)
        return entry is not None and entry.reason in ends and entry.holds_at(self._clock.now())

    def _deliveries(self, workspace: str, address: str) -> list[datetime]:
        contacts = self._contacts.contacts_with(workspace, Identity(_IDENTITIES[self._channel], address), SHARING)
        found = self._messages.of_contact(workspace, contacts)
        delivered = State.DELIVERED.value
        mine = (one for one in found if one.address.lower() == address and one.channel == self._channel)
        return [from_text(one.history[delivered]) for one in mine if delivered in one.history]


def in_a_row(failures: Mapping[str, datetime], deliveries: Iterable[datetime]) -> dict[str, datetime]:
    """The failures, by message, that no delivery to the address came after, the earliest first."""
    last = max(deliveries, default=None)
    row = {message: at for message, at in failures.items() if last is None or at > last}
    return dict(sorted(row.items(), key=lambda one: (one[1], one[0])))


def source_of(row: Iterable[str], channel: Channel = Channel.EMAIL) -> str:
    """What the suppression list tells of an address that five failures in a row led there."""
    return f"{IN_A_ROW} {_CALLED[channel]} in a row: {' '.join(row)}"
