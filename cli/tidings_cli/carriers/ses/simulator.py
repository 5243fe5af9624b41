"""What becomes of a message: AWS's mailbox simulator, the suppression list, everybody else. Pure functions.

The simulator's addresses are those of "Using the mailbox simulator manually" in the SES developer guide. They may carry
a label (`bounce+order-7@simulator.amazonses.com`) and are never put on the suppression list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

SIMULATOR_DOMAIN = "simulator.amazonses.com"

# The file with which virus scanners are tested, split so that this file is not one (eicar.org).
_TEST_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Fate(StrEnum):
    """What a recipient's mailbox does with a message."""

    DELIVERED = "success"
    BOUNCED = "bounce"
    AUTO_REPLIED = "ooto"
    COMPLAINED = "complaint"
    GLOBALLY_SUPPRESSED = "suppressionlist"


@dataclass(frozen=True)
class Step:
    """One event that follows the Send event, for some of the recipients.

    `kind` is the event's type; `cause` a bounce's or complaint's subtype; `answered` says who sends an automatic reply.
    """

    kind: str
    recipients: tuple[str, ...]
    cause: str | None = None
    answered: tuple[str, ...] = ()


def is_simulator(address: str) -> bool:
    """Whether an address is one of AWS's mailbox simulator."""
    return address.lower().endswith("@" + SIMULATOR_DOMAIN)


def fate(address: str) -> Fate:
    """What the mailbox of an address does; an address outside the simulator takes everything."""
    local, _, domain = address.lower().partition("@")
    scenario = local.partition("+")[0]
    if domain == SIMULATOR_DOMAIN and scenario in set(Fate):
        return Fate(scenario)
    return Fate.DELIVERED


def is_infected(message: bytes) -> bool:
    """Whether a part of a message holds the harmless test virus, which makes SES reject it after accepting it."""
    return _TEST_VIRUS in message


def course(recipients: Sequence[str], suppressed: Mapping[str, str]) -> list[Step]:
    """The events that follow Send, in order.

    `suppressed` maps the addresses (lower case) that are on the account's suppression list to BOUNCE or COMPLAINT; the
    list wins over the simulator. SES answers for such a recipient with a bounce or a complaint whose subtype is
    OnAccountSuppressionList. Bounces of one message are combined, deliveries go by domain.
    """
    free = [address for address in recipients if address.lower() not in suppressed]
    steps = [
        Step(kind, chosen, "OnAccountSuppressionList")
        for kind, reason in (("Bounce", "BOUNCE"), ("Complaint", "COMPLAINT"))
        if (chosen := tuple(address for address in recipients if suppressed.get(address.lower()) == reason))
    ]
    # The guide on suppressionlist@: a hard bounce as if on the global suppression list, whose subtype is Suppressed.
    for what, cause in ((Fate.GLOBALLY_SUPPRESSED, "Suppressed"), (Fate.BOUNCED, "General")):
        if chosen := _those(free, what):
            steps.append(Step("Bounce", chosen, cause))
    taken = _those(free, Fate.DELIVERED, Fate.AUTO_REPLIED, Fate.COMPLAINED)
    for domain in dict.fromkeys(address.partition("@")[2].lower() for address in taken):
        at_domain = tuple(address for address in taken if address.lower().endswith("@" + domain))
        steps.append(Step("Delivery", at_domain, answered=_those(at_domain, Fate.AUTO_REPLIED)))
    if complaining := _those(free, Fate.COMPLAINED):
        steps.append(Step("Complaint", complaining))
    return steps


def _those(addresses: Sequence[str], *fates: Fate) -> tuple[str, ...]:
    return tuple(address for address in addresses if fate(address) in fates)
