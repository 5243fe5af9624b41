"""Woken by the queue to which End User Messaging publishes through a topic: what people text to our numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.activity.store import DynamoEventStore
from tidings.consent.stopping import StopService
from tidings.consent.store import DynamoConsentStore
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.automatic import AutomaticEntries
from tidings.conversations.intake import Intake
from tidings.conversations.store import DynamoConversationStore
from tidings.conversations.texts import TextDesk
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore
from tidings.sms.answers import Answers
from tidings.sms.gateway import SmsVoiceGateway
from tidings.sms.inbound import read
from tidings.sms.number_gateway import SmsVoiceOptOuts
from tidings.sms.number_store import DynamoNumberStore, NumberCache
from tidings.sms.opt_outs import OptOutMirror
from tidings.sms.service import SmsService

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
consents, events = DynamoConsentStore(database), DynamoEventStore(database)
messages, reports = DynamoMessageStore(database), DynamoReportStore(database)
stops = StopService(database, consents, events)
gateway = SmsVoiceGateway.of(settings)


@cache
def texts() -> SmsService:
    """What sends texts."""
    return SmsService(database, messages, consents, events, reports, gateway, clock)


desk = TextDesk(
    NumberCache(DynamoNumberStore(database), clock),
    WorkspaceCache.over(database, clock),
    stops,
    Intake.of(database, clock),
    ContactDirectory(DynamoContactStore(database), clock),
    Answers(
        texts,
        messages,
        DynamoTemplateStore(database),
        clock,
        AutomaticEntries(database, DynamoConversationStore(database), messages, clock),
    ),
    OptOutMirror(stops, SmsVoiceOptOuts()),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take each text in; those that fail go back to the queue, and in the end to its dead letters."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _take(r)]}


def _take(record: dict[str, Any]) -> bool:
    try:
        desk.take(read(record["body"]))
    except (TidingsError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        code = error.code if isinstance(error, TidingsError) else ""
        told = {"error_type": type(error).__name__, "code": code, "record": record.get("messageId")}
        logger.error("text not taken in", extra=told)
        return False
    return True
