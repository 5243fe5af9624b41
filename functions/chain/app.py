"""Woken by GET /v1/chain: what led to an event, message or enrolment, and what it led to, as a tree."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.telling.chain import ChainService
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore

database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, SystemClock())
chain = ChainService(
    database,
    DynamoContactStore(database),
    DynamoEventStore(database),
    DynamoMessageStore(database),
    DynamoEnrolmentStore(database, counts=False),
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show the tree of a node of a secret key's workspace."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    return http.ok(chain.tree(workspace, request.query.get("node", "")))
