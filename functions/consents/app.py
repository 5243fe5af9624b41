"""Woken by GET and PUT /v1/consents/… and POST /v1/consents/import: what addresses said, by hand and many at once."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.consent.asking import ConsentDesk
from tidings.consent.desk import SuppressionDesk
from tidings.consent.imports import ConsentImport
from tidings.consent.rules import read_channel
from tidings.consent.service import ConsentService, SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

IMPORT_BYTES = 4 * 1024 * 1024

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
store, events, contacts = DynamoConsentStore(database), DynamoEventStore(database), DynamoContactStore(database)
consents = ConsentService(store, events, clock, contacts)
desk = ConsentDesk(store, consents, clock)
imports = ConsentImport(database, store, consents, clock)
log = SuppressionDesk(store, SuppressionService(store, clock), contacts, events, clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show or change what an address said, or how that came about, for a secret key. Repeats change nothing."""
    request = http.Request.of(event)
    key = doorkeeper.admit_secret(request)
    workspace, actor = workspaces.get(key.workspace), f"{key.kind} key"
    if request.method == "POST":
        return http.ok({"rows": imports.run(workspace, request.document(IMPORT_BYTES), actor)})
    channel, address = read_channel(request.path["channel"]), request.path["address"]
    if request.method == "PUT":
        topic = request.path["topic"]
        return http.ok(desk.set(workspace, channel, address, topic, request.document(), actor))
    if request.route.endswith("/log"):
        page = log.log(workspace, channel, address, request.page_size(), request.query.get("cursor", ""))
        return http.ok({"log": page.items, "cursor": page.cursor})
    return http.ok(desk.show(workspace, channel, address))
