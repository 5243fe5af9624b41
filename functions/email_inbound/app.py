"""Woken by the queue to which SES publishes through a topic: mails that come in at workspaces' addresses."""

from __future__ import annotations

import json
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.conversations.mails import MailDesk
from tidings.core.clock import SystemClock
from tidings.core.errors import TidingsError
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
desk = MailDesk(database, WorkspaceCache.over(database, clock), clock)

# What SES publishes, once, to try a topic that a receipt rule is given.
TRIED = "Successfully validated SNS topic"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take each mail in; those that fail go back to the queue, and in the end to its dead letters."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not _take(r)]}


def _take(record: dict[str, Any]) -> bool:
    try:
        message = json.loads(record["body"])["Message"]
        if not message.startswith(TRIED):
            desk.take(json.loads(message))
    except (TidingsError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        code = error.code if isinstance(error, TidingsError) else ""
        told = {"error_type": type(error).__name__, "code": code, "record": record.get("messageId")}
        logger.error("mail not taken in", extra=told)
        return False
    return True
