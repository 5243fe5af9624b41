"""Woken by machines and GET /v1/webhooks/secret: calls a server of a workspace's, and shows what it signs with."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.automations.enrolments.model import StepCall
from tidings.automations.steps.runner import StepRunner
from tidings.automations.webhooks.gateway import WebhookGateway
from tidings.automations.webhooks.signing import secrets_of, shown
from tidings.automations.webhooks.task import WebhookTask
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
trusted = settings.require("WEBHOOK_TRUSTED_HOSTS").replace(" ", "").split(",")
task = WebhookTask(StepRunner.over(database, clock), WebhookGateway(trusted), clock)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API call, or take a machine's step; what may go well later is raised for the machine to retry."""
    return answer(event, context) if "requestContext" in event else task.run(StepCall.of(event), int(event["retry"]))


@http.answers
def answer(event: dict[str, Any], context: Any) -> http.Answer:
    """Show the secrets by which a server knows that a call is ours, the newest first, to a secret key."""
    workspace = workspaces.get(doorkeeper.admit_secret(http.Request.of(event)).workspace)
    return http.ok({"secrets": [shown(secret) for secret in secrets_of(workspace, clock.now())]})
