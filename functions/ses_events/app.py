"""Woken by the feedback queue, to which the feedback topic of SES publishes: what became of mails."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.store import DynamoEventStore
from tidings.automations.machines.gateway import QueueGateway
from tidings.consent.bounce_store import DynamoBounceStore
from tidings.consent.model import Channel
from tidings.consent.service import ConsentService, SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.feedback import LOOK, FeedbackService
from tidings.email.sender_store import DynamoSenderStore
from tidings.email.standing import Standing
from tidings.email.suppressing import Suppressing
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.bouncing import Bouncing
from tidings.messages.progress_store import DynamoProgressStore
from tidings.messages.recording import Recording
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore

# What SES publishes, once, to try a topic that it is given as a destination of events.
TRIED = "Successfully validated SNS topic"

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
messages = DynamoMessageStore(database)
consents = DynamoConsentStore(database)
contacts = DynamoContactStore(database)
events = DynamoEventStore(database)
reports = DynamoReportStore(database)
feedback = FeedbackService(
    Recording(DynamoProgressStore(database, messages, reports), events),
    Suppressing(
        Bouncing(
            Channel.EMAIL,
            consents,
            DynamoBounceStore(database),
            SuppressionService(consents, clock),
            contacts,
            messages,
            clock,
        ),
        ConsentService(consents, events, clock, contacts),
    ),
    WorkspaceCache.over(database, clock),
    Standing(DynamoWorkspaceStore(database), reports, clock),
    QueueGateway(settings.require("QUEUE_FEEDBACK_URL")),
    clock,
    DynamoAnsweredStore(database),
    DynamoSenderStore(database),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take each notification in; those that fail go back to the queue, and in the end to its dead letters."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _take(r)]}


def _take(record: dict[str, Any]) -> bool:
    try:
        body = json.loads(record["body"])
        if LOOK in body:
            feedback.look(body[LOOK])
            return True
        message = body["Message"]
        if not message.startswith(TRIED):
            feedback.take(json.loads(message), body.get("PutOff") is True)
    except (TidingsError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        logger.error("feedback failed", extra={"error_type": type(error).__name__, "record": record.get("messageId")})
        return False
    return True
