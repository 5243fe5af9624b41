"""Woken by a schedule: ends message claims that neither an answer nor an event ever settled."""

from __future__ import annotations

from typing import Any

from tidings.core.clock import SystemClock
from tidings.core.logs import count
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.settling import Settling
from tidings.messages.store import DynamoMessageStore

database = Database(Settings.read())
settling = Settling(database, DynamoMessageStore(database), DynamoReportStore(database), SystemClock())


def handler(event: dict[str, Any], context: Any) -> None:
    """Move old claims to `unknown` and count them for the alarm."""
    count("UnknownMessages", settling.give_up_old_claims())
