"""Woken by GET /v1/contacts/{contact}/export: everything that is known of a person, page by page."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.privacy.export import ExportService
from tidings.privacy.reading import DynamoReader

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
reader = DynamoReader(database, WorkspaceCache.over(database, clock))
exports = ExportService(ContactDirectory(DynamoContactStore(database), clock), reader, clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer a secret key with a page; its cursor asks for the next."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    return http.ok(exports.page(workspace, request.path["contact"], request.query.get("cursor", "")))
