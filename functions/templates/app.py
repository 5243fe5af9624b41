"""Woken by /v1/templates…: a workspace's templates, what is wrong with one, and how it looks for somebody."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.template_store import DynamoTemplateStore
from tidings.messages.templates import TemplateService

if TYPE_CHECKING:
    from tidings.messages.preview import Previews

clock = SystemClock()
settings = Settings.read()
for late in ("contacts", "identities", "workspaces"):
    settings.table(late)  # what previews read: missing, it must be noticed now and not at the first preview
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
store = DynamoTemplateStore(database)
templates = TemplateService(store, clock)


@cache
def previews() -> Previews:
    """What shows templates, made when it is first asked for: it imports contacts and Liquid."""
    from tidings.contacts.service import ContactDirectory
    from tidings.contacts.store import DynamoContactStore
    from tidings.messages.preview import Previews

    directory = ContactDirectory(DynamoContactStore(database), clock)
    return Previews(store, directory, WorkspaceCache.over(database, clock), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key; applying a change makes a new version, which is live at once."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    name = request.path.get("name", "")
    if request.method == "PUT":
        template, new, warnings = templates.apply(workspace, http.named(request.document(), "template", name))
        shown = [one.as_dict() for one in warnings]
        return http.ok({**template.as_dict(), "changed": new, "warnings": shown})
    if request.method == "POST" and name:
        return http.ok(previews().show(workspace, name, request.document()))
    if request.method == "POST":
        return http.ok({"findings": [one.as_dict() for one in templates.lint(request.document())]})
    if "version" in request.path:
        return http.ok(templates.version(workspace, name, request.path["version"]).as_dict())
    if name and not request.route.endswith("/versions"):
        return http.ok(templates.get(workspace, name).as_dict())
    size, cursor = request.page_size(), request.query.get("cursor", "")
    if name:
        listed, cursor = templates.versions(workspace, name, size, cursor)
        return http.ok({"versions": [one.as_dict() for one in listed], "cursor": cursor})
    listed, cursor = templates.page(workspace, size, cursor)
    return http.ok({"templates": [one.as_dict() for one in listed], "cursor": cursor})
