"""Woken by a schedule: asks SES whether every sender is still verified, so that nothing leaves from one that is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import SystemClock
from tidings.core.errors import Unavailable
from tidings.core.logs import count
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email.sender_gateway import SesIdentities
from tidings.email.sender_store import DynamoSenderStore
from tidings.email.senders import SenderRound

# The function has 5 minutes; one sender takes at most the three attempts of two calls.
WITHIN = timedelta(minutes=4)

database = Database(Settings.read())
senders = SenderRound(DynamoSenderStore(database), DynamoWorkspaceStore(database), SesIdentities(), SystemClock())


def handler(event: dict[str, Any], context: Any) -> None:
    """Ask about all of them, and count for the alarm those that lost their verification. Raises if any was not asked.

    The others were: what is raised is for the alarm, and the log says which workspace's and why.
    """
    found = senders.go(WITHIN)
    count("SenderUnverified", found.lost)
    if found.failed:
        raise Unavailable("senders_not_checked", f"{found.failed} of {found.asked} senders could not be asked about.")
