"""Woken by …/u/{token}, …/confirm/{token} and …/h/{token}, where links in mails lead. Only POST changes anything."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.activity.store import DynamoEventStore
from tidings.consent.store import DynamoConsentStore
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.http import Answer, Request
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.page_desk import PageDesk
from tidings.messages.preferences import PreferenceService
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.store import DynamoMessageStore

clock = SystemClock()
database = Database(Settings.read())
preferences = PreferenceService(
    database,
    DynamoConsentStore(database),
    DynamoMessageStore(database),
    DynamoReportStore(database),
    DynamoEventStore(database),
    clock,
)
desk = PageDesk(WorkspaceCache.over(database, clock), preferences)


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Answer with a page, or with a line of text to a program that unsubscribes somebody."""
    try:
        return desk.answer(Request.of(event))
    except TidingsError as error:
        logger.info("refused", extra={"code": error.code, "status": error.status})
        return desk.refusal(error, event)
