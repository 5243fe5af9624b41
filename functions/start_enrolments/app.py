"""Woken by the queue of pending enrolments: starts executions that Step Functions had no room for."""

from __future__ import annotations

import json
from typing import Any

from tidings.automations.dates.agenda_waits import AgendaWaits
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.entering.enrol import PendingStarts
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.core.clock import SystemClock, from_text
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database

settings = Settings.read()
jobs = QueueGateway(settings.require("QUEUE_JOBS_URL"))
machines = StepFunctionsGateway()
pending = PendingStarts(DynamoEnrolmentStore(Database(settings), counts=False), machines, jobs)
agenda = AgendaWaits(machines, settings.require("MACHINE_AGENDA_ARN"), None, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start each; those that still find no room stay in the queue."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _start(r)]}


def _start(record: dict[str, Any]) -> bool:
    try:
        named = json.loads(record["body"])
        if "bucket" in named:
            return agenda.try_to_begin(named["workspace"], from_text(named["bucket"]))
        return pending.start(named)
    except (TidingsError, KeyError, TypeError, ValueError) as error:
        logger.error("not started", extra={"error_type": type(error).__name__})
        return False
