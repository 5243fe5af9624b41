"""Woken by GET /v1/contacts…: a contact by any identity, its timeline, messages and enrolments."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.store import DynamoEnrolmentStore
from tidings.contacts.service import ContactDirectory, identity_in
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
directory = ContactDirectory(DynamoContactStore(database), clock)
timeline = TimelineService(DynamoEventStore(database))
messages = DynamoMessageStore(database)
enrolments = DynamoEnrolmentStore(database)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer a secret key's question about a contact of its workspace."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    if "contact" not in request.path:
        return http.ok(directory.find(workspace, identity_in(request.query)).as_dict())
    contact = directory.get(workspace, request.path["contact"])
    if request.route.endswith("/timeline"):
        page = timeline.page(contact, request.page_size(), request.query.get("cursor", ""))
        return http.ok({"events": [one.as_dict() for one in page.events], "cursor": page.cursor})
    if request.route.endswith("/messages"):
        return http.ok({"messages": [one.as_dict() for one in messages.of_contact(workspace, contact.every_id)]})
    if request.route.endswith("/enrolments"):
        found = enrolments.of_contact(workspace, contact.every_id)
        return http.ok({"enrolments": [enrolments.with_steps(one) for one in found]})
    return http.ok(contact.as_dict())
