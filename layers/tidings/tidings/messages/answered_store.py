"""Which message of ours a provider's id names, so that an answer to it finds its message in one batched read.

A pointer is written with the provider's acceptance, under the provider's id. It holds ids alone, for 90 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.core.store import Database, Item, Key, Part, put
from tidings.messages.model import Message

KEPT = timedelta(days=90)
_SK = "answered"


@dataclass(frozen=True, slots=True)
class Answered:
    """The message that a provider's id names."""

    contact: str
    message: str
    conversation: str = ""


class AnsweredItem(Item):
    contact = UnicodeAttribute()
    message = UnicodeAttribute()
    conversation = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class DynamoAnsweredStore:
    """Pointers from providers' ids to messages, in the table of messages."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(AnsweredItem, "messages")

    def part(self, message: Message, now: datetime) -> Part:
        """The pointer to an accepted message; written again it is the same."""
        item = self._items(
            _pk(message.workspace, message.channel, message.provider_id),
            _SK,
            contact=message.contact,
            message=message.id,
            conversation=message.conversation or None,
            expires_at=int((now + KEPT).timestamp()),
        )
        return put("answered", item)

    def key(self, workspace: str, channel: str, provider_id: str) -> Key:
        """Where the pointer stands, for a batched read."""
        return Key(self._items, _pk(workspace, channel, provider_id), _SK)

    def entity(self, item: AnsweredItem) -> Answered:
        """The pointer that a read item is."""
        return Answered(item.contact, item.message, item.conversation or "")


def _pk(workspace: str, channel: str, provider_id: str) -> str:
    return f"{workspace}#{channel}#{provider_id}"
