"""Mails that came in as they came: what stands in a conversation is what was written, this is the whole of it.

One item a mail, packed, beside the conversation whose entry it is, and for as long: SES hands over 150 KB at most, and
an item has room for 400 KB.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

from pynamodb.attributes import BinaryAttribute

from tidings.conversations.store import CONVERSATION, MAIL
from tidings.core.errors import NotFound
from tidings.core.ids import contact_of_message
from tidings.core.store import ConditionFailed, Database, Item, check, faults, put
from tidings.email.received import read_mail

RAW_BYTES = 200 * 1024


class MailItem(Item):
    raw = BinaryAttribute(legacy_encoding=False)


class DynamoMailStore:
    """Whole mails in the table of conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(MailItem, "conversations")

    def put(self, workspace: str, conversation: str, entry: str, raw: bytes) -> None:
        """Keep a mail as long as its conversation is there: one transaction; again it is the same.

        A mail may be told again long after it came in: once its person was erased there is nothing left to keep it by.
        """
        pk = _pk(workspace, conversation)
        item = self._items(pk, f"{MAIL}{conversation}#{entry}")
        item.raw = zlib.compress(raw[:RAW_BYTES], 6)
        there = check("conversation", self._items(pk, f"{CONVERSATION}{conversation}"), self._items.pk.exists())
        try:
            self._database.transact([there, put("mail", item)])
        except ConditionFailed:
            return

    def get(self, workspace: str, conversation: str, entry: str) -> bytes | None:
        """A mail as it came: one read; None if there is none."""
        with faults():
            try:
                found = self._items.get(_pk(workspace, conversation), f"{MAIL}{conversation}#{entry}")
            except self._items.DoesNotExist:
                return None
        return zlib.decompress(found.raw)


def shown_mail(database: Database, workspace: str, conversation: str, entry: str) -> dict[str, Any]:
    """A whole mail as the API shows it, its files in base64: one read. Raises NotFound."""
    raw = DynamoMailStore(database).get(workspace, conversation, entry)
    if raw is None:
        raise NotFound("unknown_entry", "There is no mail with this id in the conversation.", "entry")
    mail = read_mail(raw)
    files = [
        {
            "name": one.name,
            "type": one.type,
            "size": len(one.content),
            "content": base64.b64encode(one.content).decode(),
        }
        for one in mail.files
    ]
    return {"entry": entry, "from": mail.sender, "subject": mail.subject, "text": mail.text, "attachments": files}


def _pk(workspace: str, conversation: str) -> str:
    return f"{workspace}#{contact_of_message(conversation)}"
