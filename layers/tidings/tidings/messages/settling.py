"""Giving up on messages of which neither an answer nor an event of the provider ever told."""

from __future__ import annotations

from datetime import datetime

from tidings.core.clock import Clock
from tidings.core.store import ConditionFailed, Database
from tidings.messages.model import Message
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.rules import CLAIM_SHARDS, SETTLE_AFTER
from tidings.messages.store import DynamoMessageStore


def give_up(
    database: Database, messages: DynamoMessageStore, reports: DynamoReportStore, message: Message, at: datetime
) -> bool:
    """End a claim that never settled as unknown, and count it; False if it settled meanwhile."""
    try:
        database.transact([messages.give_up(message, at), reports.part(message, unknown=1)])
    except ConditionFailed:
        return False
    return True


class Settling:
    """Ends claims that neither an answer nor an event ever settled."""

    def __init__(
        self, database: Database, messages: DynamoMessageStore, reports: DynamoReportStore, clock: Clock
    ) -> None:
        self._database = database
        self._messages = messages
        self._reports = reports
        self._clock = clock

    def give_up_old_claims(self) -> int:
        """Move every claim older than four minutes to unknown; how many."""
        now = self._clock.now()
        ended = 0
        for number in range(CLAIM_SHARDS):
            for message in self._messages.claims_older_than(number, now - SETTLE_AFTER):
                ended += give_up(self._database, self._messages, self._reports, message, now)
        return ended
