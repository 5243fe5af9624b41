"""Woken by PATCH and DELETE /v1/contacts/{contact} and POST /v1/contacts/delete: edits and deletes contacts."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.activity.editing import ContactEditing
from tidings.activity.store import DynamoEventStore
from tidings.automations.machines.gateway import QueueGateway
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.privacy.erasure import PrivacyService
from tidings.privacy.removal import Removal
from tidings.privacy.store import DynamoErasureStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
contacts = DynamoContactStore(database)
editing = ContactEditing(
    database, contacts, ContactDirectory(contacts, clock), DynamoEventStore(database), clock
)  # fmt: skip
removal = Removal(
    PrivacyService(
        contacts=contacts,
        erasures=DynamoErasureStore(database),
        workspaces=workspaces,
        queue=QueueGateway(settings.require("QUEUE_ERASURES_URL")),
        clock=clock,
    )
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Edit or delete for a secret key. A repeat changes nothing; a deletion goes on behind the answer."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    if request.method == "PATCH":
        edited = editing.edit(workspaces.get(workspace), request.path["contact"], request.document())
        return http.ok(edited.as_dict())
    if request.method == "DELETE":
        return http.ok(removal.of_one(workspace, request.path["contact"]), 202)
    return http.ok({"contacts": removal.of_many(workspace, request.document())}, 202)
