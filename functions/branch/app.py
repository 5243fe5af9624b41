"""Woken by machines: decides where a person goes on, by conditions or by chance, and notes that a goal is reached."""

from __future__ import annotations

from typing import Any

from tidings.automations.enrolments.model import StepCall
from tidings.automations.enrolments.past import Past
from tidings.automations.steps.deciding import BranchTask
from tidings.automations.steps.runner import StepRunner
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
task = BranchTask(database, StepRunner.over(database, clock), Past.over(database), clock)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the step; the answer names what follows."""
    return task.run(StepCall.of(event))
