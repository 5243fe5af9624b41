"""Woken by POST /v1/suppressions/check and by machines: may a message go to this address?"""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.automations.enrolments import StepCall
from tidings.automations.steps import CheckSuppressionTask, StepRunner
from tidings.consent.rules import read_channel
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
suppressions = SuppressionService(DynamoConsentStore(database), clock)
task = CheckSuppressionTask(StepRunner.over(database, clock), suppressions)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API call, or a machine's Task with its outcome `clear` or `suppressed`."""
    return answer(event, context) if "requestContext" in event else task.run(StepCall.of(event))


@http.answers
def answer(event: dict[str, Any], context: Any) -> http.Answer:
    """Check an address for a secret key: one read."""
    request = http.Request.of(event)
    workspace = workspaces.get(doorkeeper.admit_secret(request).workspace)
    body = request.document()
    channel = read_channel(http.text(body, "channel", "email"))
    check = suppressions.check(workspace, channel, http.text(body, "address"))
    return http.ok({"suppressed": not check.passed, **check.as_dict()})
