"""Woken by /v1/automations…: apply, publish, list, look at, pause, resume, archive, end, and what was lost."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.enrolments.inside_store import DynamoInsideStore
from tidings.automations.entering.starting import Starting
from tidings.automations.lifecycle.desk import AutomationDesk
from tidings.automations.lifecycle.job_queue import JobQueue
from tidings.automations.lifecycle.naming import Naming
from tidings.automations.lifecycle.publishing import AutomationService
from tidings.automations.lifecycle.resuming import Resuming
from tidings.automations.lifecycle.rewinding import AutomationsThen
from tidings.automations.lifecycle.service import Lifecycle
from tidings.automations.lifecycle.store import DynamoLifecycleStore
from tidings.automations.listening.index_store import DynamoIndexStore
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.automations.machines.machines import Machines, functions_of
from tidings.automations.pictures.pictures import Pictures
from tidings.automations.statistics.tally_store import DynamoTallyStore
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.decisions import read_at
from tidings.messages.template_store import DynamoTemplateStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
store, enrolments = DynamoAutomationStore(database), DynamoEnrolmentStore(database)
index = DynamoIndexStore(database, store)
kept, inside = DynamoLifecycleStore(database), DynamoInsideStore(database, enrolments)
tallies = DynamoTallyStore(database)
workspaces = DynamoWorkspaceStore(database)
naming = Naming(database, store, DynamoTemplateStore(database), workspaces)
executions = StepFunctionsGateway(settings.require("MACHINES_ROLE_ARN"))
machines = Machines(executions, functions_of(settings), settings.require("MACHINE_PREFIX"), kept)
jobs = JobQueue(QueueGateway(settings.require("QUEUE_JOBS_URL")), clock)
automations = AutomationService(store, index, kept, tallies, naming, workspaces, machines, jobs, clock)
resuming = Resuming(store, enrolments, inside, workspaces, machines, executions, clock)
desk = AutomationDesk(automations, Lifecycle(store, index, kept, workspaces, jobs, clock), resuming)
starting = Starting.over(database, clock)
then, pictures = AutomationsThen(store, kept), Pictures(store)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key; who changes something is named by it."""
    request = http.Request.of(event)
    key = doorkeeper.admit_secret(request)
    workspace, name = key.workspace, request.path.get("name", "")
    if request.method == "PUT":
        draft, warnings = automations.apply(workspace, http.named(request.document(), "automation", name), key.who)
        return http.ok({"automation": draft.name, "problems": [one.as_dict() for one in warnings]})
    if request.method == "POST":
        action = request.path.get("action") or request.route.rpartition("/")[2]
        body = request.document() if request.event.get("body") else {}
        if action == "start":
            return http.ok(starting.start(workspace, name, body), 202)
        return http.ok(desk.act(workspace, name, action, key.who, body))
    if request.route.endswith("/drawing"):
        return http.page(*pictures.draw(workspace, name, request.query))
    if name and not request.route.endswith(("/versions", "/lost")):
        at = read_at(request.query)
        return http.ok(automations.get(workspace, name) if at is None else then.get(workspace, name, at))
    size, cursor = request.page_size(), request.query.get("cursor", "")
    if not name:
        listed, cursor = automations.page(workspace, size, cursor)
        return http.ok({"automations": listed, "cursor": cursor})
    if request.route.endswith("/versions"):
        versions, cursor = automations.versions(workspace, name, size, cursor)
        return http.ok({"versions": [one.as_dict() for one in versions], "cursor": cursor})
    automations.require(workspace, name)
    found, cursor = resuming.lost(workspace, name, size, cursor)
    return http.ok({"enrolments": found, "cursor": cursor})
