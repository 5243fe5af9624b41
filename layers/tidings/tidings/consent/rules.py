"""Pure decisions about suppression."""

from __future__ import annotations

import re
from datetime import datetime

from tidings.consent.model import Channel, Check, Suppression
from tidings.contacts.rules import normalise_email
from tidings.core.errors import InvalidInput

_E164 = re.compile(r"^\+[1-9]\d{6,14}$")


def read_channel(text: str) -> Channel:
    """A channel by its name. Raises InvalidInput."""
    try:
        return Channel(text)
    except ValueError as error:
        raise InvalidInput("unknown_channel", "channel is email or sms.", "channel") from error


def normalise_address(channel: Channel, address: str) -> str:
    """An address in the one spelling it is kept by. Raises InvalidInput."""
    if channel is Channel.EMAIL:
        text = normalise_email(address)
    else:
        text = address.strip() if _E164.match(address.strip()) else ""
    if not text:
        raise InvalidInput("invalid_address", f"This is no address for {channel}.", "address")
    return text


def suppression_check(entry: Suppression | None, now: datetime) -> Check:
    """Whether the suppression list lets a message go; the answer names the entry that does not."""
    if entry is None:
        return Check("suppression", True, "the address is not on the suppression list")
    if not entry.holds_at(now):
        return Check("suppression", True, f"the {entry.reason} suppression has expired")
    return Check("suppression", False, f"suppressed since {entry.created_at:%Y-%m-%d %H:%M:%S} UTC: {entry.reason}")
