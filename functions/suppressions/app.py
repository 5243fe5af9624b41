"""Woken by GET, PUT and DELETE /v1/suppressions/{channel}/{address}: the suppression list by hand."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.consent.rules import read_channel, read_expiry
from tidings.consent.service import SuppressionDesk, SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
suppressions = SuppressionService(DynamoConsentStore(database), clock)
desk = SuppressionDesk(suppressions, DynamoContactStore(database), DynamoEventStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show, make or take away one entry. Making one that is there changes nothing."""
    request = http.Request.of(event)
    workspace = workspaces.get(doorkeeper.admit_secret(request).workspace)
    channel, address = read_channel(request.path["channel"]), request.path["address"]
    if request.method == "PUT":
        expires_at = read_expiry(request.document() if event.get("body") else {}, clock.now())
        return http.ok(desk.suppress(workspace, channel, address, expires_at).as_dict())
    if request.method == "DELETE":
        desk.release(workspace, channel, address)
        return http.ok({"released": True})
    return http.ok(suppressions.get(workspace, channel, address).as_dict())
