"""Woken by GET, PUT and DELETE /v1/topics and /v1/suppression-rules: what decides who is written to, by name."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent import screening, topics
from tidings.consent.definitions import PolicyBook
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, SystemClock())
book = PolicyBook(DynamoWorkspaceStore(database))


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show, define or forget topics or suppression rules, for a secret key. Defining the same again changes nothing."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    section, field = (topics.SECTION, "topic") if "/topics" in request.route else (screening.SECTION, "rule")
    name = request.path.get(field, "")
    if not name:
        return http.ok({section: book.all(workspace, section)})
    if request.method == "PUT":
        return http.ok(book.define(workspace, section, name, http.named(request.document(), field, name)))
    if request.method == "DELETE":
        book.forget(workspace, section, name)
        return http.ok({"deleted": True})
    return http.ok(book.show(workspace, section, name))
