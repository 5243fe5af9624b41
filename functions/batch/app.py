"""Woken by POST /v1/batch: takes a batch of calls, as server SDKs send them."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.rules import BATCH_BYTES
from tidings.activity.service import IngestService
from tidings.activity.store import DynamoEventStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
ingest = IngestService(DynamoEventStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Store the good items, 25 a write; the answer lists those refused and why."""
    request = http.Request.of(event)
    body = request.json(BATCH_BYTES, "batch_too_large")
    key = doorkeeper.admit([body.get("writeKey"), *http.api_keys_in(request)])
    refused = ingest.take_batch(key.workspace, body)
    return http.ok({"success": True, **({"refused": [item.as_dict() for item in refused]} if refused else {})})
