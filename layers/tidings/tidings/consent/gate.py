"""May this message go? Every question that consent and suppression ask, in their order, from one read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tidings.accounts.model import Workspace
from tidings.consent.model import AddressRecord, Channel, Check, Kind
from tidings.consent.rules import confirmation_check, consent_check, normalise_address, suppression_check
from tidings.consent.screening import Screen
from tidings.consent.store import DynamoConsentStore
from tidings.consent.topics import topic_of
from tidings.contacts.model import Contact
from tidings.core.clock import Clock


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was asked up to the first no, and the record that it was decided by."""

    record: AddressRecord
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing said no."""
        return all(check.passed for check in self.checks)

    @property
    def deciding(self) -> Check:
        """The check that said no; where none did, the suppression list's."""
        return next((check for check in self.checks if not check.passed), self.checks[0])


class Gate:
    """Asks whether a message may go to a contact's address."""

    def __init__(self, consents: DynamoConsentStore, screen: Screen, clock: Clock) -> None:
        self._consents = consents
        self._screen = screen
        self._clock = clock

    def ask(
        self,
        workspace: Workspace,
        contact: Contact | Callable[[], Contact | None],
        channel: Channel,
        address: str,
        kind: Kind | None,
        topic: str,
        confirms: str = "",
    ) -> Verdict:
        """The suppression list, the rules and the consent for an address: one read, more where a rule asks for events.

        `contact` may be found when a rule has to know; where nobody has the address, none holds. Without a kind what
        holds for every message is asked, and no consent. `confirms` is the provider's id of the STOP that the message
        confirms: it passes that one, and nothing else on the list. Raises InvalidInput for no address.
        """
        record = self._consents.record(workspace, channel, normalise_address(channel, address))
        now = self._clock.now()
        checks = [confirmation_check(record, confirms, now) or suppression_check(record.suppression, now)]
        if checks[-1].passed:
            checks.append(self._screen.check(workspace, contact, channel, kind or Kind.TRANSACTIONAL, now))
        if checks[-1].passed and kind is not None:
            checks.append(consent_check(record, kind, topic, topic_of(workspace, topic)))
        return Verdict(record, tuple(checks))
