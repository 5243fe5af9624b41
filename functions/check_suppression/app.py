"""Woken by POST /v1/suppressions/check and by machines: may a message go to this address, or to this contact?"""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.service import Doorkeeper
from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.enrolments.model import StepCall
from tidings.automations.steps.checking import CheckSuppressionTask
from tidings.automations.steps.runner import StepRunner
from tidings.consent.asking import CheckDesk
from tidings.consent.gate import Gate
from tidings.consent.rules import read_channel
from tidings.consent.screening import Screen
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
doorkeeper = Doorkeeper.over(database, clock)
workspaces = WorkspaceCache.over(database, clock)
gate = Gate(DynamoConsentStore(database), Screen(TimelineService(DynamoEventStore(database))), clock)
desk = CheckDesk(gate, ContactDirectory(DynamoContactStore(database), clock))
task = CheckSuppressionTask(StepRunner.over(database, clock), gate)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API call, or a machine's Task with its outcome `clear` or `suppressed`."""
    return answer(event, context) if "requestContext" in event else task.run(StepCall.of(event))


@http.answers
def answer(event: dict[str, Any], context: Any) -> http.Answer:
    """Check an address or a contact for a secret key: one read, more only where a suppression rule needs it."""
    request = http.Request.of(event)
    workspace = workspaces.get(doorkeeper.admit_secret(request).workspace)
    body = request.document()
    channel = read_channel(http.text(body, "channel", "email"))
    return http.ok(desk.check(workspace, channel, body))
