"""What a contact was sent, and what not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tidings.contacts.model import Contact
from tidings.core import cursors
from tidings.core.clock import from_text, to_text
from tidings.messages.decisions import as_of, read_at
from tidings.messages.model import Message
from tidings.messages.store import DynamoMessageStore


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a contact's messages are meant; `at` is the instant as of which they are looked at."""

    template: str = ""
    automation: str = ""
    send: str = ""
    message: str = ""
    at: datetime | None = None

    @property
    def scope(self) -> tuple[str, ...]:
        """What a cursor is bound to."""
        return (self.template, self.automation, self.send, self.message, to_text(self.at) if self.at else "")

    def takes(self, message: Message) -> bool:
        """Whether a message is one of those meant."""
        theirs = {"template": message.template, "message": message.id, **dict([message.source])}
        asked = {"template": self.template, "automation": self.automation, "send": self.send, "message": self.message}
        return all(not wanted or theirs.get(name, "") == wanted for name, wanted in asked.items())


EVERY = Wanted()


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """What a query asks for. Raises InvalidInput."""
    names = ("template", "automation", "send", "message")
    return Wanted(**{name: query.get(name, "").strip() for name in names}, at=read_at(query))


class MessageHistory:
    """Messages of a contact, page by page."""

    def __init__(self, messages: DynamoMessageStore) -> None:
        self._messages = messages

    def page(
        self, contact: Contact, limit: int, cursor: str, name: str, wanted: Wanted = EVERY
    ) -> tuple[list[Message], str]:
        """Up to `limit` messages, those decided last first, and the cursor of the next page, empty at the end.

        One query for each id that the contact goes by, over all of its messages: their ids tell nothing of time.
        `name` is what the contact was asked for by, to which cursors are bound. Raises InvalidInput for a bad cursor.
        """
        found = [
            one
            for one in self._messages.of_contact(contact.workspace, contact.shown_ids)
            if one.decided_at and contact.shows(one.contact, from_text(one.decided_at)) and wanted.takes(one)
        ]
        if wanted.at is not None:
            found = [seen for one in found if (seen := as_of(one, wanted.at)) is not None]
        scope = (contact.workspace, name, "messages", *(wanted.scope if wanted != EVERY else ()))
        return cursors.latest_first(found, lambda one: (one.decided_at, one.id), limit, scope, cursor)
