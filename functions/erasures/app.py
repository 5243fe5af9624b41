"""Woken by the queue of erasures: clears what people who were erased did and got, some at a time."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.automations.machines.gateway import QueueGateway, StepFunctionsGateway
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.privacy.clearing import ClearingService
from tidings.privacy.remains import DynamoRemains
from tidings.privacy.store import DynamoErasureStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
clearing = ClearingService(
    erasures=DynamoErasureStore(database),
    remains=DynamoRemains(database, StepFunctionsGateway()),
    directory=ContactDirectory(DynamoContactStore(database), clock),
    workspaces=WorkspaceCache.over(database, clock),
    queue=QueueGateway(settings.require("QUEUE_ERASURES_URL")),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on each; those that fail go back to the queue, and in the end to its dead letters."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _worked(r)]}


def _worked(record: dict[str, Any]) -> bool:
    try:
        clearing.work(json.loads(record["body"]))
    except (TidingsError, KeyError, TypeError, ValueError) as error:
        logger.error("not cleared", extra={"error_type": type(error).__name__, "record": record.get("messageId")})
        return False
    return True
