"""Woken by GET /v1/messages…: a message with its decision, now or as it stood, its clicks, or all unknown ones."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.errors import InvalidInput
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.clicked import clicks_of
from tidings.messages.decisions import read_at
from tidings.messages.reported_store import DynamoReportedStore
from tidings.messages.service import MessageService
from tidings.messages.store import DynamoMessageStore

database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, SystemClock())
store, events = DynamoMessageStore(database), DynamoEventStore(database)
messages = MessageService(store, DynamoReportedStore(database, store))


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show messages of a secret key's workspace, to an agent too; and to others who followed the links."""
    request = http.Request.of(event)
    clicks = request.route.endswith("/clicks")
    workspace = (doorkeeper.admit_secret if clicks else doorkeeper.admit_agent)(request).workspace
    if clicks:
        return http.ok({"clicks": clicks_of(database, events, messages.get(workspace, request.path["message"]))})
    if "message" in request.path:
        return http.ok(messages.get(workspace, request.path["message"], read_at(request.query)).as_dict())
    if request.query.get("state") != "unknown":
        raise InvalidInput("invalid_state", "Only messages with state=unknown can be listed.", "state")
    found, cursor = messages.unknown(workspace, request.page_size(), request.query.get("cursor", ""))
    return http.ok({"messages": [one.as_dict() for one in found], "cursor": cursor})
