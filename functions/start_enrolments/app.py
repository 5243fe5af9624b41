"""Woken by the queue of pending enrolments: starts executions that Step Functions had no room for."""

from __future__ import annotations

import json
from typing import Any

from tidings.automations.enrol import PendingStarts
from tidings.automations.gateway import StepFunctionsGateway
from tidings.automations.store import DynamoEnrolmentStore
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database

pending = PendingStarts(DynamoEnrolmentStore(Database(Settings.read())), StepFunctionsGateway())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start each; those that still find no room stay in the queue."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _start(r)]}


def _start(record: dict[str, Any]) -> bool:
    try:
        return pending.start(json.loads(record["body"]))
    except (TidingsError, KeyError, TypeError, ValueError) as error:
        logger.error("not started", extra={"error_type": type(error).__name__})
        return False
