"""The HTTP side of ingest, put together once: the functions for single calls differ in the call's type alone."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.ingest import IngestService
from tidings.activity.rules import ENVELOPE_BYTES, MESSAGE_BYTES
from tidings.activity.store import DynamoEventStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database


def open_ingest() -> tuple[Doorkeeper, IngestService]:
    """What lets callers in, and what takes their calls, on the tables that the settings name. Raises MissingSetting."""
    clock = SystemClock()
    database = Database(Settings.read())
    return Doorkeeper.over(database, clock), IngestService(DynamoEventStore(database), clock)


def single_call(kind: str) -> http.Handler:
    """A handler that stores one call of a type: one write, no reads. A repeated messageId is a success."""
    doorkeeper, ingest = open_ingest()

    @http.answers
    def handler(event: dict[str, Any], context: Any) -> http.Answer:
        request = http.Request.of(event)
        message = request.json(MESSAGE_BYTES + ENVELOPE_BYTES, "message_too_large")
        key = doorkeeper.admit([message.pop("writeKey", None), *http.api_keys_in(request)])
        ingest.take(key.workspace, kind, message)
        return http.ok({"success": True})

    return handler
