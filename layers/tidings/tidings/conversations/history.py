"""The conversations of a contact, its absorbed contacts' among them."""

from __future__ import annotations

from tidings.contacts.model import Contact
from tidings.conversations.model import Conversation
from tidings.conversations.store import DynamoConversationStore
from tidings.core import cursors
from tidings.core.clock import to_text


class ConversationHistory:
    """Shows the conversations of contacts."""

    def __init__(self, store: DynamoConversationStore) -> None:
        self._store = store

    def page(self, contact: Contact, limit: int, cursor: str, name: str) -> tuple[list[Conversation], str]:
        """A page of a contact's conversations, latest first, and the cursor of the next one, empty at the end.

        One query for each id that the contact goes by. `name` is the one that it was asked by. Raises InvalidInput.
        """
        found = of_contact(self._store, contact)
        scope = ("conversations of", contact.workspace, name)
        return cursors.latest_first(found, lambda one: (to_text(one.last_at), one.id), limit, scope, cursor)


def of_contact(store: DynamoConversationStore, contact: Contact) -> list[Conversation]:
    """All conversations that are a contact's."""
    found = store.of_contacts(contact.workspace, contact.shown_ids)
    return [one for one in found if contact.shows(one.contact, one.opened_at)]
