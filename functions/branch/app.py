"""Woken by machines: sends a person along the first arm of a branch whose condition holds."""

from __future__ import annotations

from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.activity.timeline import TimelineService
from tidings.automations.enrolments import StepCall
from tidings.automations.steps import BranchTask, StepRunner
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
task = BranchTask(StepRunner.over(database, clock), TimelineService(DynamoEventStore(database)), clock)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the step; the answer names what follows."""
    return task.run(StepCall.of(event))
