"""Woken by /v1/sends…: lists, shows, cancels and resumes orders for many mails, or for a later day."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.send_store import DynamoSendStore
from tidings.email.sends import SendDesk
from tidings.email.sends_gateway import DeliverLater, SqsDeliveryQueue
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.template_store import DynamoTemplateStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
sends = SendDesk(
    DynamoSendStore(database),
    DynamoCallStore(database),
    DynamoTemplateStore(database),
    SqsDeliveryQueue(settings.require("QUEUE_DELIVERIES_URL")),
    DeliverLater(settings.require("MACHINE_DELIVER_LATER_ARN")),
    clock,
)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    cursor = request.query.get("cursor", "")
    if "send" not in request.path:
        page, following = sends.page(workspace, request.page_size(), cursor)
        return http.ok({"sends": [send.as_dict() for send in page], "cursor": following})
    name = request.path["send"]
    if request.method == "DELETE":
        return http.ok(sends.cancel(workspace, name).as_dict())
    if request.method == "POST":
        return http.ok(sends.resume(workspace, name).as_dict(), 202)
    send = sends.get(workspace, name)
    if request.route.endswith("/problems"):
        problems, following = sends.problems(send, request.page_size(), cursor)
        return http.ok({"problems": problems, "cursor": following})
    return http.ok(sends.shown(send))
