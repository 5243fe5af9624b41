"""Woken by /v1/automations…: apply, publish, list, history, and resuming what was lost."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.compile import StepFunctions
from tidings.automations.gateway import StepFunctionsGateway
from tidings.automations.machines import Machines
from tidings.automations.service import AutomationService, Resuming
from tidings.automations.store import DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.template_store import DynamoTemplateStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
store, enrolments = DynamoAutomationStore(database), DynamoEnrolmentStore(database)
executions = StepFunctionsGateway(settings.require("MACHINES_ROLE_ARN"))
functions = StepFunctions(
    send_email=settings.require("FUNCTION_SEND_EMAIL_ARN"),
    send_sms=settings.require("FUNCTION_SEND_SMS_ARN"),
    branch=settings.require("FUNCTION_BRANCH_ARN"),
    check_suppression=settings.require("FUNCTION_CHECK_SUPPRESSION_ARN"),
    wait_for=settings.require("FUNCTION_WAIT_FOR_ARN"),
)
machines = Machines(executions, functions, settings.require("MACHINE_PREFIX"))
automations = AutomationService(store, DynamoTemplateStore(database), DynamoWorkspaceStore(database), machines, clock)
resuming = Resuming(store, enrolments, machines, executions, clock)


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve one call of a secret key."""
    request = http.Request.of(event)
    workspace = doorkeeper.admit_secret(request).workspace
    name = request.path.get("name", "")
    if request.method == "PUT":
        draft, warnings = automations.apply(workspace, http.named(request.document(), "automation", name))
        return http.ok({"automation": draft.name, "problems": [one.as_dict() for one in warnings]})
    if request.route.endswith("/publish"):
        published, new = automations.publish(workspace, name)
        return http.ok({**published.as_dict(), "changed": new})
    if request.route.endswith("/resume"):
        return http.ok({"resumed": resuming.resume(workspace, name)})
    if request.route.endswith("/versions"):
        return http.ok({"versions": [one.as_dict() for one in automations.versions(workspace, name)]})
    if request.route.endswith("/enrolments"):
        automations.get(workspace, name)
        return http.ok({"enrolments": [one.as_dict() for one in enrolments.of_automation(workspace, name)]})
    return http.ok(automations.get(workspace, name) if name else {"automations": automations.all(workspace)})
