"""What Segment's SDK for browsers, analytics.js, asks for before it starts."""

from __future__ import annotations

from typing import Any

from tidings.accounts.model import ApiKey, KeyKind
from tidings.accounts.service import Doorkeeper
from tidings.core.errors import Forbidden, NotFound, Unauthorized


def admit_browser(doorkeeper: Doorkeeper, key: str) -> ApiKey:
    """A key that may stand in a page. Raises NotFound if there is none such, and Forbidden for a secret key."""
    try:
        found = doorkeeper.admit([key])
    except Unauthorized as error:
        raise NotFound("unknown_key", "This API key does not exist or was revoked.", "writeKey") from error
    if found.kind is KeyKind.SECRET:
        told = (
            "A secret key does not belong into a browser, where anybody can read it: revoke it, use a publishable key."
        )
        raise Forbidden("secret_key_in_browser", told, "writeKey")
    return found


def sdk_settings(key: str, origin: tuple[str, str]) -> dict[str, Any]:
    """The settings that let the SDK start and report to where it asked; `origin` is protocol and host.

    Read from @segment/analytics-next 1.84: it posts to `protocol://apiHost/t` and so on, and unless told otherwise
    reports on itself to Segment, which `metrics` turns off.
    """
    protocol, host = origin
    api_host = f"{host}/v1"
    ours = {
        "apiKey": key,
        "apiHost": api_host,
        "protocol": protocol,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    return {
        "integrations": {"Segment.io": ours},
        "plan": {"track": {"__default": {"enabled": True}}},
        "metrics": {"sampleRate": 0, "host": api_host},
    }
