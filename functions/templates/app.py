"""Woken by GET and PUT /v1/templates…: a workspace's templates."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.template_store import DynamoTemplateStore
from tidings.messages.templates import TemplateService

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
templates = TemplateService(DynamoTemplateStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show templates, or apply one: a change makes a new version, which is live at once."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    name = request.path.get("name", "")
    if request.method == "PUT":
        template, new = templates.apply(workspace, http.named(request.document(), "template", name))
        return http.ok({**template.as_dict(), "changed": new})
    if request.route.endswith("/versions"):
        return http.ok({"versions": [one.as_dict() for one in templates.versions(workspace, name)]})
    if name:
        return http.ok(templates.get(workspace, name).as_dict())
    return http.ok({"templates": [one.as_dict() for one in templates.all(workspace)]})
