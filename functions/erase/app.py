"""Woken by POST /v1/contacts/{contact}/erase: a person is no more, and is never written to again."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.automations.machines.gateway import QueueGateway
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.privacy.erasure import PrivacyService
from tidings.privacy.rules import require_confirmation
from tidings.privacy.store import DynamoErasureStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
privacy = PrivacyService(
    contacts=DynamoContactStore(database),
    erasures=DynamoErasureStore(database),
    workspaces=WorkspaceCache.over(database, clock),
    queue=QueueGateway(settings.require("QUEUE_ERASURES_URL")),
    clock=clock,
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Erase for a secret key that names the contact twice. A repeat changes nothing, and continues what broke off."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    require_confirmation(request.document(), request.path["contact"])
    return http.ok(privacy.remove(workspace, request.path["contact"], keep_out=True).as_dict(), 202)
