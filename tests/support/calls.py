"""Tracking calls as tests send them: one of each kind, by each path, with a key in each of the ways."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from tests.support.world import World
from tidings.activity.calls import CALL_TYPES
from tidings.activity.model import Event
from tidings.activity.store import from_stream

KINDS = (*CALL_TYPES, "batch")
# The browser SDK's short paths (wire formats of the tracking API); `ungroup` is our own and has none.
PATHS = {kind: (f"/v1/{kind}", f"/v1/{kind[0]}") for kind in KINDS} | {"ungroup": ("/v1/ungroup",)}
NEEDED: dict[str, dict[str, Any]] = {
    "identify": {"traits": {"plan": "team"}},
    "track": {"event": "Signed Up"},
    "page": {"name": "Pricing", "properties": {"path": "/pricing"}},
    "screen": {"name": "Home"},
    "group": {"groupId": "g-1", "traits": {"name": "Acme"}},
    "ungroup": {"groupId": "g-1"},
    "alias": {"previousId": "a-1"},
}


def message(kind: str, **fields: Any) -> dict[str, Any]:
    """A message that is right; a batch is one of one track call."""
    of = "track" if kind == "batch" else kind
    item = {"type": of, "userId": "u-7", "messageId": "m-1", **NEEDED[of], **fields}
    return {"batch": [item]} if kind == "batch" else item


def basic(key: str, colon: bool = True) -> dict[str, str]:
    """The header of basic authentication: the key, and no password."""
    token = base64.b64encode(f"{key}{':' if colon else ''}".encode()).decode()
    return {"authorization": f"Basic {token}"}


def gzipped(body: Any) -> str:
    """A body as API Gateway hands on what came gzipped."""
    return base64.b64encode(gzip.compress(json.dumps(body).encode())).decode()


def request(
    path: str, body: Any = None, headers: dict[str, str] | None = None, packed: bool = False, method: str = "POST"
) -> dict[str, Any]:
    """The HTTP API's event of a request from a browser at 203.0.113.9."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "headers": {"user-agent": "Firefox", "host": "api.acme.example", **(headers or {})},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "203.0.113.9"}},
        "body": gzipped(body) if packed else body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": packed,
    }


def stored(world: World) -> list[Event]:
    """The stored events in the order in which they were received."""
    images = [world.record(item)["dynamodb"]["NewImage"] for item in world.items("TABLE_EVENTS")]
    return sorted(map(from_stream, images), key=lambda event: event.received_at)
