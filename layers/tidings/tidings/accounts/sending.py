"""Settings of a workspace about its sending: when bounces and complaints stop it, and which addresses are machines'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from tidings.core.errors import InvalidInput

RANGES_MOST = 100
VOLUME_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """From which share of what was sent in seven days on a workspace is warned, and from which its marketing stops.

    Nothing is said of fewer than so many mails sent, and of fewer than so many bounces or complaints. The defaults stay
    below what SES looks into: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
    """

    bounces_warn: float = 0.04
    bounces_stop: float = 0.08
    complaints_warn: float = 0.001
    complaints_stop: float = 0.003
    bounces_from_sent: int = 100
    bounces_from: int = 10
    complaints_from_sent: int = 500
    complaints_from: int = 3

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rates:
        """The rates that a workspace's settings say; what they leave out is as everywhere."""
        return cls(**{name: value for name, value in (settings.get("rates") or {}).items() if name in cls.__slots__})


# The bounds of what a workspace may set: nobody turns the brake off by it.
_SHARES = {
    "bounces_warn": (0.001, 0.1),
    "bounces_stop": (0.001, 0.1),
    "complaints_warn": (0.0001, 0.005),
    "complaints_stop": (0.0001, 0.005),
}
_COUNTS = ("bounces_from_sent", "bounces_from", "complaints_from_sent", "complaints_from")


def require_rates(value: Any) -> dict[str, float | int]:
    """The setting `rates`. Raises InvalidInput."""
    if not isinstance(value, dict):
        raise InvalidInput("invalid_type", "rates says of each limit its share or number.", "rates")
    for name, given in value.items():
        if name not in Rates.__slots__:
            raise InvalidInput("unknown_setting", "There is no such rate.", name)
        low, high = _SHARES.get(name, (1, VOLUME_MOST))
        number = isinstance(given, int if name in _COUNTS else int | float) and not isinstance(given, bool)
        if not number or not low <= given <= high:
            raise InvalidInput("invalid_rate", f"{name} is from {low} to {high}.", name)
    rates = Rates.of({"rates": value})
    for kind in ("bounces", "complaints"):
        if getattr(rates, f"{kind}_warn") > getattr(rates, f"{kind}_stop"):
            raise InvalidInput("invalid_rate", "A warning comes before the stop.", f"{kind}_warn")
    return dict(value)


def require_ranges(value: Any) -> list[str]:
    """The setting `machine_ranges`: IP addresses and ranges from which machines look. Raises InvalidInput."""
    if not isinstance(value, list) or len(value) > RANGES_MOST:
        raise InvalidInput("invalid_range", f"machine_ranges are at most {RANGES_MOST} ranges.", "machine_ranges")
    try:
        return [str(ip_network(text if isinstance(text, str) else "", strict=False)) for text in value]
    except ValueError as error:
        told = "A range of machines is an IP address or a range, such as 203.0.113.0/24."
        raise InvalidInput("invalid_range", told, "machine_ranges") from error
