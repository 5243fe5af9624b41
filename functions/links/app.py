"""Woken by GET and HEAD …/l/{code}, where short links in text messages lead."""

from __future__ import annotations

from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.automations.machines.gateway import QueueGateway
from tidings.core import aws
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.http import Answer, Request
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.sms.link_desk import LinkDesk
from tidings.sms.link_store import DynamoShortLinkStore

settings = Settings.read()
clock = SystemClock()
database = Database(settings)
desk = LinkDesk(
    DynamoShortLinkStore(database),
    WorkspaceCache.over(database, clock),
    QueueGateway(settings.require("QUEUE_SMS_EVENTS_URL"), aws.client("sqs", aws.HASTY)),
    clock,
)


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Lead on to where the link leads, or answer with a page that says why not."""
    try:
        return desk.answer(Request.of(event))
    except TidingsError as error:
        logger.info("refused", extra={"code": error.code, "status": error.status})
        return desk.refusal(error, event.get("requestContext", {}).get("http", {}).get("method", ""))
