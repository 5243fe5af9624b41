"""What of conversations is handed to a person who asks for all that is known of them: whole mails among it.

A mail is handed over as it came. Its text and files are not taken out of it here: a mail can be written so that reading
it takes seconds, and a page of an export has many. What is written in it stands in the entry that it belongs to, and
GET /v1/conversations/{conversation}/mails/{entry} shows it with its files.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import BinaryAttribute

from tidings.conversations import keeping
from tidings.conversations.store import CONVERSATION, ENTRY, MAIL, EntryItem, read_entry
from tidings.core.store import Database, faults

AT_ONCE = 100


class _AnyItem(EntryItem):
    """Whatever stands under a contact's id; of a whole mail it has the bytes, packed."""

    raw = BinaryAttribute(legacy_encoding=False, null=True)


class ConversationExport:
    """Reads all that stands under a contact's id."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(_AnyItem, "conversations")

    def documents(self, workspace: str, contact: str, after: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Conversations, what stands in them and whole mails, beyond a key, each with its own: one query a page."""
        pk = f"{workspace}#{contact}"
        start = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
        with faults():
            for item in self._items.query(pk, consistent_read=True, page_size=AT_ONCE, last_evaluated_key=start):
                document = _document(workspace, contact, item)
                if document is not None:
                    yield item.sk, document


def _document(workspace: str, contact: str, item: _AnyItem) -> dict[str, Any] | None:
    """What an item says; None for a head, whose conversations stand beside it."""
    _, conversation, *rest = (*item.sk.split("#"), "")
    if item.sk.startswith(CONVERSATION):
        return keeping.conversation(workspace, contact, conversation, item.body).as_dict()
    if item.sk.startswith(ENTRY):
        return {"conversation": conversation, **read_entry(item).as_dict()}
    if item.sk.startswith(MAIL):
        return {"conversation": conversation, "entry": rest[0], "mail": _mail(zlib.decompress(item.raw))}
    return None


def _mail(raw: bytes) -> dict[str, Any]:
    """A mail as it came (RFC 5322): its text as far as that is text, which almost all mails are, else in base64."""
    try:
        return {"type": "message/rfc822", "size": len(raw), "encoding": "utf-8", "content": raw.decode()}
    except UnicodeDecodeError:
        content = base64.b64encode(raw).decode()
        return {"type": "message/rfc822", "size": len(raw), "encoding": "base64", "content": content}
