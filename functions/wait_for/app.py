"""Woken by machines: lets a person wait for an event, and says what became of it when the time has run out."""

from __future__ import annotations

from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.machines.gateway import StepFunctionsGateway
from tidings.automations.steps.runner import StepRunner
from tidings.automations.waits.store import DynamoWaitStore
from tidings.automations.waits.waiting import WaitForTask
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.store import DynamoMessageStore

clock = SystemClock()
database = Database(Settings.read())
task = WaitForTask(
    database,
    StepRunner.over(database, clock),
    DynamoWaitStore(database),
    DynamoMessageStore(database),
    TimelineService(DynamoEventStore(database)),
    StepFunctionsGateway(),
    clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Begin to wait, with a token that is answered once it is over; or settle a wait whose time has run out."""
    return task.run(event)
