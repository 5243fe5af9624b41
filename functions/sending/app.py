"""Woken by GET /v1/sending and POST /v1/sending/resume: whether marketing may be sent, and letting it go on."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.standing import Standing
from tidings.messages.report_store import DynamoReportStore

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
standing = Standing(DynamoWorkspaceStore(database), DynamoReportStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show how a workspace stands, or let its marketing go on."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    if request.method == "POST":
        return http.ok(standing.resume(workspace))
    return http.ok(standing.status(workspace))
