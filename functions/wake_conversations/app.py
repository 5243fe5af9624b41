"""Woken by the machine that waits for instants, with the ids of a conversation: ends a hold that lasted until then."""

from __future__ import annotations

from typing import Any

from tidings.activity.store import DynamoEventStore
from tidings.conversations.changes import Changes
from tidings.conversations.store import DynamoConversationStore
from tidings.core.clock import SystemClock, from_text
from tidings.core.settings import Settings
from tidings.core.store import Database

database = Database(Settings.read())
changes = Changes(database, DynamoConversationStore(database), DynamoEventStore(database), SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """End the hold, for the machine to repeat upon a fault. Nothing happens if it is over or was changed."""
    changes.wake(event["workspace"], event["conversation"], from_text(event["at"]))
    return {}
