"""Woken by POST /v1/track: takes one track call of a tracking SDK."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.rules import ENVELOPE_BYTES, MESSAGE_BYTES
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
    """Store the call: one write, no reads. A repeated messageId is a success."""
    request = http.Request.of(event)
    message = request.json(MESSAGE_BYTES + ENVELOPE_BYTES, "message_too_large")
    key = doorkeeper.admit([message.pop("writeKey", None), *http.api_keys_in(request)])
    ingest.take(key.workspace, "track", message)
    return http.ok({"success": True})
