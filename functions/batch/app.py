"""Woken by POST /v1/batch: takes a batch of calls, as server SDKs send them."""

from __future__ import annotations

from typing import Any

from tidings.activity.endpoint import open_ingest
from tidings.activity.rules import BATCH_BYTES
from tidings.core import http

doorkeeper, ingest = open_ingest()


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Store the good items, 25 a write; the answer lists those refused and why."""
    request = http.Request.of(event)
    body = request.json(BATCH_BYTES, "batch_too_large")
    key = doorkeeper.admit([body.get("writeKey"), *http.api_keys_in(request)])
    refused = ingest.take_batch(key.workspace, body)
    return http.ok({"success": True, **({"refused": [item.as_dict() for item in refused]} if refused else {})})
