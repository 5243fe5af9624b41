"""Pure decisions about suppression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tidings.consent.model import AddressRecord, Channel, Check, Kind, Suppression
from tidings.contacts.rules import normalise_email
from tidings.core.clock import from_text
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


def read_expiry(body: Mapping[str, Any], now: datetime) -> datetime | None:
    """When a suppression is to end; None for never. Raises InvalidInput."""
    text = body.get("expires_at")
    if text is None:
        return None
    try:
        expires_at = from_text(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput("invalid_timestamp", "expires_at is not an ISO 8601 time.", "expires_at") from error
    if expires_at <= now:
        raise InvalidInput("expiry_in_past", "expires_at is in the past.", "expires_at")
    return expires_at


def consent_check(record: AddressRecord, kind: Kind, topic: str) -> Check:
    """Whether the address's consents let a message of this kind and topic go."""
    if kind is Kind.TRANSACTIONAL:
        return Check("consent", True, "transactional mail needs no consent")
    return Check("consent", True, "nobody said no")
