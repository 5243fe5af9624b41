"""Woken by the queue of text messages' events: what became of them, and who followed their links."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.activity.store import DynamoEventStore
from tidings.automations.machines.gateway import QueueGateway
from tidings.consent.bounce_store import DynamoBounceStore
from tidings.consent.model import Channel
from tidings.consent.service import SuppressionService
from tidings.consent.stopping import StopService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.answered_store import DynamoAnsweredStore
from tidings.messages.bouncing import Bouncing
from tidings.messages.costs import number
from tidings.messages.progress_store import DynamoProgressStore
from tidings.messages.recording import Recording
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.sms.acceptance import Acceptance
from tidings.sms.clicks import CLICK
from tidings.sms.feedback import SmsFeedback

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
messages = DynamoMessageStore(database)
consents = DynamoConsentStore(database)
events = DynamoEventStore(database)
feedback = SmsFeedback(
    Recording(DynamoProgressStore(database, messages, DynamoReportStore(database)), events),
    Bouncing(
        Channel.SMS,
        consents,
        DynamoBounceStore(database),
        SuppressionService(consents, clock),
        DynamoContactStore(database),
        messages,
        clock,
    ),
    StopService(database, consents, events),
    Acceptance(DynamoAnsweredStore(database), events, clock),
    WorkspaceCache.over(database, clock),
    QueueGateway(settings.require("QUEUE_SMS_EVENTS_URL")),
    clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take each notification in; those that fail, or are not known, go back to the queue, and to its dead letters."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _take(r)]}


def _take(record: dict[str, Any]) -> bool:
    try:
        body = json.loads(record["body"])
        if CLICK in body:
            feedback.click(body[CLICK], body.get("PutOff") is True)
        else:
            # An amount of money stays the digits that it is written with.
            feedback.take(json.loads(body["Message"], parse_float=number))
    except (TidingsError, ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        logger.error("feedback failed", extra={"error_type": type(error).__name__, "record": record.get("messageId")})
        return False
    return True
