"""Woken by /v1/merges… and GET /v1/contacts/{contact}/merges: show, preview, make and take back merges of contacts."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.accounts.service import Doorkeeper
from tidings.activity.chain import Node
from tidings.activity.folding import Folding
from tidings.activity.store import DynamoEventStore
from tidings.consent.merging import MergeSurroundings
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.merge_store import DynamoMergeStore
from tidings.contacts.merges import MergeService
from tidings.contacts.places import places
from tidings.contacts.previews import Previews
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.merging import ConversationsMerged
from tidings.conversations.store import DynamoConversationStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.errors import InvalidInput
from tidings.core.ids import new_id
from tidings.core.settings import Settings
from tidings.core.store import Database

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
contacts = DynamoContactStore(database)
surroundings = MergeSurroundings(
    DynamoEventStore(database),
    DynamoConsentStore(database),
    workspaces,
    clock,
    Folding(places(settings)),
    [ConversationsMerged(database, DynamoConversationStore(database))],
)
merges = MergeService(contacts, DynamoMergeStore(database), surroundings, clock)
previews = Previews(contacts, merges, surroundings, clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key."""
    request = http.Request.of(event)
    workspace = workspaces.get(doorkeeper.admit_secret(request).workspace)
    if request.method == "GET":
        found = merges.of_contact(merges.current(workspace.id, request.path["contact"]))
        return http.ok({"merges": [one.as_dict() for one in found]})
    body = request.document() if event.get("body") else {}
    if request.route.endswith("/preview"):
        return http.ok(_preview(workspace, body))
    if request.route.endswith("/undo"):
        call = str(Node.call(_key(body, new_id())))
        return http.ok(merges.undo(workspace.id, request.path["merge"], call, workspace.identifiers).as_dict())
    contact, into = http.text(body, "contact"), http.text(body, "into")
    call = str(Node.call(_key(body)))
    return http.ok(merges.merge(workspace.id, contact, into, call, workspace.identifiers).as_dict())


def _preview(workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    if "user_id" in body or "anonymous_id" in body:
        anonymous, user = http.text(body, "anonymous_id"), http.text(body, "user_id")
        return previews.identify(workspace.id, anonymous, user, workspace.identifiers).as_dict()
    contact, into = http.text(body, "contact"), http.text(body, "into")
    return previews.merge(workspace.id, contact, into, workspace.identifiers).as_dict()


def _key(body: dict[str, Any], default: str | None = None) -> str:
    key = http.text(body, "idempotency_key", default)
    if not 1 <= len(key) <= 256:
        raise InvalidInput("invalid_idempotency_key", "An idempotency key has 1 to 256 characters.", "idempotency_key")
    return key
