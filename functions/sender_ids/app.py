"""Woken by /v1/sender-ids… and /v1/sms/…: names that texts leave from, decisions about them, and the plan."""

from __future__ import annotations

from typing import Any

from tidings.accounts.model import ApiKey
from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.errors import NotFound
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.sms.sender_id_gateway import ReviewMachine
from tidings.sms.sender_id_rules import DECISIONS
from tidings.sms.sender_id_store import DynamoSenderIdStore
from tidings.sms.sender_ids import SenderIdDesk
from tidings.sms.setup import SetupDesk
from tidings.sms.setup_store import DynamoSetupStore

clock = SystemClock()
settings = Settings.read()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
workspaces = DynamoWorkspaceStore(database)
machine = ReviewMachine(settings.require("MACHINE_SENDER_IDS_ARN"))
sender_ids = SenderIdDesk(DynamoSenderIdStore(database), workspaces, machine, clock)
setup = SetupDesk(DynamoSetupStore(database), clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Show names and what became of them, ask for one, decide about one, give one up; or show and change the setup."""
    request = http.Request.of(event)
    key = doorkeeper.admit_secret(request)
    if request.route.endswith("/v1/sms/countries"):
        return http.ok({"countries": setup.countries(key.workspace)})
    if request.route.endswith("/v1/sms/setup"):
        if request.method == "PUT":
            return http.ok(setup.change(key, request.document()))
        return http.ok(setup.show(key.workspace))
    if request.route.endswith("/v1/sms/setup/log"):
        return http.ok(setup.log(key.workspace, request.page_size(), request.query.get("cursor", "")))
    return http.ok(_sender_ids(request, key))


def _sender_ids(request: http.Request, key: ApiKey) -> dict[str, Any]:
    name, decision = request.path.get("sender_id", ""), request.path.get("decision", "")
    if decision:
        if decision not in DECISIONS:
            raise NotFound("not_found", f"One decides by {', '.join(DECISIONS)}.", "decision")
        body = request.document() if request.event.get("body") else {}
        return sender_ids.decide(key, name, decision, body)
    if request.method == "POST":
        return sender_ids.request(key, request.document())
    if request.method == "DELETE":
        return sender_ids.retire(key, name)
    if request.route.endswith("/log"):
        return sender_ids.log(key.workspace, name, request.page_size(), request.query.get("cursor", ""))
    return sender_ids.show(key.workspace, name) if name else {"sender_ids": sender_ids.all(key.workspace)}
