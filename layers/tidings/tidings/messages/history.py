"""What a contact was sent, and what not."""

from __future__ import annotations

from tidings.contacts.model import Contact
from tidings.core import cursors
from tidings.core.clock import from_text
from tidings.messages.model import Message
from tidings.messages.store import DynamoMessageStore


class MessageHistory:
    """Messages of a contact, page by page."""

    def __init__(self, messages: DynamoMessageStore) -> None:
        self._messages = messages

    def page(self, contact: Contact, limit: int, cursor: str, name: str) -> tuple[list[Message], str]:
        """Up to `limit` messages, those decided last first, and the cursor of the next page, empty at the end.

        One query for each id that the contact goes by, over all of its messages: their ids tell nothing of time.
        `name` is what the contact was asked for by, to which cursors are bound. Raises InvalidInput for a bad cursor.
        """
        found = [
            one
            for one in self._messages.of_contact(contact.workspace, contact.shown_ids)
            if one.decided_at and contact.shows(one.contact, from_text(one.decided_at))
        ]
        scope = (contact.workspace, name, "messages")
        return cursors.latest_first(found, lambda one: (one.decided_at, one.id), limit, scope, cursor)
