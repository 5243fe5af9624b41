"""The HTTP side of ingest, put together once: the functions for single calls differ in the call's type alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import KeyKind
from tidings.accounts.service import Doorkeeper
from tidings.activity.calls import ENVELOPE_BYTES, MESSAGE_BYTES
from tidings.activity.ingest import IngestService
from tidings.activity.rules import Reporter
from tidings.activity.store import DynamoEventStore
from tidings.core import http
from tidings.core.clock import Clock, SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database


@dataclass(frozen=True, slots=True)
class Reception:
    """What lets callers in and takes their calls."""

    doorkeeper: Doorkeeper
    workspaces: WorkspaceCache
    ingest: IngestService
    clock: Clock

    def reporter(self, request: http.Request, key_in_body: Any) -> Reporter:
        """Who sends a request: its key stands in the body or the Authorization header. Raises Unauthorized."""
        key = self.doorkeeper.admit([key_in_body, *http.api_keys_in(request)])
        return Reporter(
            workspace=key.workspace,
            publishable=key.kind is KeyKind.PUBLISHABLE,
            source_ip=request.source_ip,
            user_agent=request.headers.get("user-agent", ""),
            identifiers=self.workspaces.get(key.workspace).identifiers,
            waited=request.waited(self.clock.now()),
        )


def open_reception() -> Reception:
    """Ingest on the tables that the settings name. Raises MissingSetting."""
    clock = SystemClock()
    database = Database(Settings.read())
    return Reception(
        Doorkeeper.over(database, clock),
        WorkspaceCache.over(database, clock),
        IngestService(DynamoEventStore(database, clock), clock),
        clock,
    )


def single_call(kind: str) -> http.Handler:
    """A handler that stores one call of a type: one write, no reads. A repeated messageId is a success."""
    reception = open_reception()

    @http.answers
    def handler(event: dict[str, Any], context: Any) -> http.Answer:
        request = http.Request.of(event)
        message = request.json(MESSAGE_BYTES + ENVELOPE_BYTES, "message_too_large")
        reporter = reception.reporter(request, message.pop("writeKey", None))
        reception.ingest.take(reporter, kind, message)
        return http.ok({"success": True})

    return handler
