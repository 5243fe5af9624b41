"""Reading which events a question is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tidings.activity.calls import CALL_TYPES
from tidings.activity.model import SYSTEM
from tidings.activity.timeline import Asked
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput

EVENT_TYPES = (*CALL_TYPES, "form", SYSTEM)
# How the names of events about messages begin.
CHANNELS = {"email": "Email ", "sms": "SMS "}


def read_asked(query: Mapping[str, str]) -> Asked:
    """The filters of a query. Raises InvalidInput."""
    types = tuple(sorted({text.strip() for text in query["type"].split(",")})) if "type" in query else ()
    if set(types) - set(EVENT_TYPES):
        raise InvalidInput("unknown_type", f"type lists some of {', '.join(EVENT_TYPES)}.", "type")
    if query.get("channel", "email") not in CHANNELS:
        raise InvalidInput("unknown_channel", "channel is email or sms.", "channel")
    channel = query.get("channel", "")
    return Asked(
        types=types,
        name=query.get("event", "").strip(),
        about=CHANNELS[channel] if channel else "",
        channel=channel,
        since=_instant(query, "since"),
        until=_instant(query, "until"),
    )


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        # A plus sign that is not escaped in a query is a space.
        return from_text(query[name].strip().replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput("invalid_timestamp", f"{name} is a time in ISO 8601.", name) from error
