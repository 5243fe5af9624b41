"""Woken by the feedback queue, to which the feedback topic of SES publishes: what became of mails."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.activity.store import DynamoEventStore
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.feedback import FeedbackService
from tidings.messages.store import DynamoMessageStore

# What SES publishes, once, to try a topic that it is given as a destination of events.
TRIED = "Successfully validated SNS topic"

clock = SystemClock()
database = Database(Settings.read())
feedback = FeedbackService(
    DynamoMessageStore(database),
    SuppressionService(DynamoConsentStore(database), clock),
    WorkspaceCache.over(database, clock),
    DynamoEventStore(database),
    clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take each notification in; those that fail go back to the queue, and in the end to its dead letters."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _take(r)]}


def _take(record: dict[str, Any]) -> bool:
    try:
        message = json.loads(record["body"])["Message"]
        if not message.startswith(TRIED):
            feedback.take(json.loads(message))
    except (TidingsError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        logger.error("feedback failed", extra={"error_type": type(error).__name__, "record": record.get("messageId")})
        return False
    return True
