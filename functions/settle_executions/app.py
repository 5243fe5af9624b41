"""Woken by EventBridge when an execution ends: settles the enrolment it ran for."""

from __future__ import annotations

import json
from typing import Any

from tidings.automations.enrolments.executions import Executions
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

executions = Executions(DynamoEnrolmentStore(Database(Settings.read())), SystemClock())


def handler(event: dict[str, Any], context: Any) -> None:
    """End the enrolment that the execution's input names."""
    detail = event["detail"]
    named = json.loads(detail.get("input") or "{}")
    if isinstance(named, dict) and named.keys() >= {"workspace", "contact", "automation", "entry"}:
        executions.settle(named, detail["executionArn"], detail["status"], str(detail.get("error") or ""))
