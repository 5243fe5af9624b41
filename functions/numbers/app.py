"""Woken by GET, PUT and DELETE /v1/numbers… and /v1/keywords…: phone numbers, and the words that people answer."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.sms.keywords import KeywordService
from tidings.sms.number_gateway import SmsVoiceNumbers
from tidings.sms.number_store import DynamoNumberStore
from tidings.sms.numbers import NumberService

clock = SystemClock()
settings = Settings.read()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
workspaces = DynamoWorkspaceStore(database)
numbers = NumberService(
    DynamoNumberStore(database), workspaces, SmsVoiceNumbers(), settings.require("SMS_INBOUND_TOPIC_ARN")
)
keywords = KeywordService(workspaces, clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show, add or take away a number or a keyword of the caller's workspace."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    if "/keywords" in request.route:
        return _keyword(request, workspace)
    number = request.path.get("number", "")
    if request.method == "PUT":
        return http.ok(numbers.add(workspace, number, request.document() if event.get("body") else {}))
    if request.method == "DELETE":
        numbers.remove(workspace, number)
        return http.ok({"removed": True})
    return http.ok(numbers.show(workspace, number) if number else {"numbers": numbers.all(workspace)})


def _keyword(request: http.Request, workspace: str) -> http.Answer:
    name = request.path.get("keyword", "")
    if request.method == "PUT":
        return http.ok(keywords.define(workspace, name, request.document()))
    if request.method == "DELETE":
        keywords.remove(workspace, name)
        return http.ok({"removed": True})
    return http.ok(keywords.show(workspace, name) if name else {"keywords": keywords.all(workspace)})
