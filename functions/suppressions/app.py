"""Woken by GET /v1/suppressions, and GET, PUT and DELETE …/{channel}/{address}: the suppression list by hand."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.consent.desk import SuppressionDesk
from tidings.consent.gateway import AccountGateway
from tidings.consent.rules import read_channel, read_expiry
from tidings.consent.service import SuppressionService
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
store = DynamoConsentStore(database)
suppressions = SuppressionService(store, clock)
contacts, events = DynamoContactStore(database), DynamoEventStore(database)
desk = SuppressionDesk(store, suppressions, contacts, events, clock, AccountGateway())


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """List entries; show, make or take away one. Making one that is there changes nothing."""
    request = http.Request.of(event)
    key = doorkeeper.admit_secret(request)
    workspace, actor = workspaces.get(key.workspace), f"{key.kind} key"
    if "address" not in request.path:
        channel = read_channel(request.query.get("channel", "email"))
        page = desk.page(workspace.id, channel, request.page_size(), request.query.get("cursor", ""))
        return http.ok({"suppressions": page.items, "cursor": page.cursor})
    channel, address = read_channel(request.path["channel"]), request.path["address"]
    if request.method == "PUT":
        expires_at = read_expiry(request.document() if event.get("body") else {}, clock.now())
        return http.ok(desk.suppress(workspace, channel, address, expires_at, actor).as_dict())
    if request.method == "DELETE":
        desk.release(workspace, channel, address, actor)
        return http.ok({"released": True})
    return http.ok(suppressions.get(workspace, channel, address).as_dict())
