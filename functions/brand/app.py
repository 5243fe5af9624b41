"""Woken by GET and PUT /v1/brand: how a workspace looks on its pages and in the footers of its mails."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.branding import BrandService

database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, SystemClock())
brands = BrandService(DynamoWorkspaceStore(database))


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show or replace the brand of a secret key's workspace."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    brand = brands.set(workspace, request.document()) if request.method == "PUT" else brands.get(workspace)
    return http.ok(brand.model_dump())
