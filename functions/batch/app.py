"""Woken by POST /v1/batch and /v1/b: takes a batch of calls, as server SDKs send them."""

from __future__ import annotations

from typing import Any

from tidings.activity.calls import BATCH_BYTES
from tidings.activity.endpoint import open_reception
from tidings.core import http

reception = open_reception()


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Store the good items, 25 a write; the answer lists those refused and why."""
    request = http.Request.of(event)
    body = request.json(BATCH_BYTES, "batch_too_large")
    refused = reception.ingest.take_batch(reception.reporter(request, body.get("writeKey")), body)
    return http.ok({"success": True, **({"refused": [item.as_dict() for item in refused]} if refused else {})})
