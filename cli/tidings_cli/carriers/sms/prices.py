"""What a text message costs: numbers made up for this machine, so that reports have something to add up.

AWS's own prices differ by carrier and change; they are on https://aws.amazon.com/end-user-messaging/pricing/.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """In USD for one part: what AWS takes, and what the carrier takes on top."""

    message: float
    fee: float = 0.0


MADE_UP = {
    "PL": Price(0.03),
    "GB": Price(0.04),
    "DE": Price(0.08),
    "FR": Price(0.06),
    "US": Price(0.006, 0.003),
    "CA": Price(0.007, 0.004),
    "IN": Price(0.002, 0.001),
}
ELSEWHERE = Price(0.05)


def price_of(country: str, parts: int) -> Price:
    """What a message of so many parts costs in a country (ISO 3166, two letters)."""
    one = MADE_UP.get(country, ELSEWHERE)
    return Price(round(one.message * parts, 5), round(one.fee * parts, 5))
