"""Woken by POST /v1/forms: matches a form to a contact. And by …/v1/conflicts: forms that matched two."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import ApiKey, KeyKind
from tidings.accounts.service import Doorkeeper
from tidings.activity.calls import ENVELOPE_BYTES, MESSAGE_BYTES
from tidings.activity.rules import Reporter
from tidings.activity.store import DynamoEventStore
from tidings.activity.submission import FormService
from tidings.contacts.conflict_store import DynamoConflictStore
from tidings.contacts.conflicts import ConflictDesk
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
contacts = DynamoContactStore(database)
conflicts = DynamoConflictStore(database)
desk = ConflictDesk(conflicts)
forms = FormService(
    database, contacts, ContactDirectory(contacts, clock), DynamoEventStore(database), conflicts, clock
)  # fmt: skip


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Take a form, or show and resolve conflicts. Only a secret key is told whether anybody was known."""
    request = http.Request.of(event)
    if request.method == "POST":
        return _submit(request)
    workspace = doorkeeper.admit_secret(request).workspace
    if request.method == "DELETE":
        desk.resolve(workspace, request.path["conflict"])
        return http.ok({"resolved": True})
    page = desk.page(workspace, request.page_size(), request.query.get("cursor", ""))
    return http.ok({"conflicts": [one.as_dict() for one in page.conflicts], "cursor": page.cursor})


def _submit(request: http.Request) -> http.Answer:
    body = request.json(MESSAGE_BYTES + ENVELOPE_BYTES, "message_too_large")
    key = doorkeeper.admit([body.pop("writeKey", None), *http.api_keys_in(request)])
    workspace = workspaces.get(key.workspace)
    submitted = forms.submit(_reporter(request, key), workspace.secret, body)
    told = submitted.as_dict() if key.kind is KeyKind.SECRET else {}
    return http.ok({"success": True, **told})


def _reporter(request: http.Request, key: ApiKey) -> Reporter:
    return Reporter(
        workspace=key.workspace,
        publishable=key.kind is KeyKind.PUBLISHABLE,
        source_ip=request.source_ip,
        user_agent=request.headers.get("user-agent", ""),
        identifiers=workspaces.get(key.workspace).identifiers,
    )
