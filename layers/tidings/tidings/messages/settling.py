"""How what came of a message is written down, and giving up on those of which nobody ever told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tidings.core.clock import Clock
from tidings.core.errors import Unavailable
from tidings.core.store import ConditionFailed, Database, Part
from tidings.messages.model import Message
from tidings.messages.orders import Company
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.rules import CLAIM_SHARDS, SETTLE_AFTER
from tidings.messages.store import DynamoMessageStore

TRIES = 3


def write_with(write: Callable[[list[Part]], None], company: Company, message: Message, parts: list[Part]) -> None:
    """Write what came of a message, and what goes with it on behalf of whoever ordered it, in one stroke.

    Where the provider's event was faster than its answer, what that said stands, and the rest is written. Raises
    ConditionFailed where `company` has nothing else to say than what was refused.
    """
    for _ in range(TRIES):
        try:
            write([*parts, *company.records(message)])
        except ConditionFailed as error:
            if "message" in error.labels:
                parts = []
            if not error.labels <= {"message"}:
                company.refused(error)
        else:
            return
    raise Unavailable("message_contended", "The message kept changing.")


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
