"""Woken by /v1/topics, /v1/suppression-rules, /v1/inboxes and /v1/categories: what a workspace defines by name."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent import screening, topics
from tidings.consent.definitions import PolicyBook
from tidings.conversations import inboxes
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

# By the word after /v1/: the section, the field that names a definition, and whether agents may look at it.
SECTIONS = {
    "topics": (topics.SECTION, "topic", False),
    "suppression-rules": (screening.SECTION, "rule", False),
    "inboxes": (inboxes.INBOXES, "inbox", True),
    "categories": (inboxes.CATEGORIES, "category", True),
}

database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, SystemClock())
book = PolicyBook(DynamoWorkspaceStore(database), *inboxes.SECTIONS)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show, define or forget a definition, for a secret key. Defining the same again changes nothing."""
    request = http.Request.of(event)
    section, field, to_agents = SECTIONS[request.route.split("/")[2]]
    admit = doorkeeper.admit_agent if to_agents and request.method == "GET" else doorkeeper.admit_secret
    workspace = admit(request).workspace
    name = request.path.get(field, "")
    if not name:
        return http.ok({section: book.all(workspace, section)})
    if request.method == "PUT":
        return http.ok(book.define(workspace, section, name, http.named(request.document(), field, name)))
    if request.method == "DELETE":
        book.forget(workspace, section, name)
        return http.ok({"deleted": True})
    return http.ok(book.show(workspace, section, name))
