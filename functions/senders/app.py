"""Woken by GET, PUT and DELETE /v1/senders…: the domains and addresses that a workspace sends from."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.errors import InvalidInput
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.dns_gateway import dns_of
from tidings.email.sender_gateway import SesIdentities
from tidings.email.sender_store import DynamoSenderStore
from tidings.email.senders import SenderService

clock = SystemClock()
settings = Settings.read()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
senders = SenderService(
    DynamoSenderStore(database), DynamoWorkspaceStore(database), SesIdentities(), dns_of(settings), clock
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show senders, add one, or take one away. Adding one that is there mends what is missing of it."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    identity = request.path.get("identity", "")
    if request.method == "PUT":
        body = request.document() if event.get("body") else {}
        return http.ok(senders.add(workspace, identity, body))
    if request.method == "DELETE":
        senders.remove(workspace, identity, from_ses=_is_deleted(request))
        return http.ok({"removed": True})
    if identity:
        return http.ok(senders.show(workspace, identity))
    return http.ok({"senders": senders.all(workspace)})


def _is_deleted(request: http.Request) -> bool:
    """Whether SES is to forget the identity too. Raises InvalidInput."""
    asked = request.query.get("identity", "keep")
    if asked not in ("keep", "delete"):
        raise InvalidInput("invalid_identity_fate", "identity is keep or delete.", "identity")
    return asked == "delete"
