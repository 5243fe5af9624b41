"""Identifiers that come from what causes them, so that a repeat makes the same one again.

All are `[a-z0-9-]`: they pass as SES tag values, Step Functions names and DynamoDB keys alike.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import uuid

_MESSAGE_ID = re.compile(r"c[a-z2-7]{26}-[a-z2-7]{26}")


def digest(*parts: str, length: int = 26) -> str:
    """A lower-case base32 hash of the parts in their order; 26 letters carry 130 bits."""
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


def contact_id(workspace: str, identity: str, message_id: str) -> str:
    """The id of the contact that this identity's first message creates."""
    return f"c{digest('contact', workspace, identity, message_id)}"


def message_id(contact: str, *cause: str) -> str:
    """A message's id: it contains its contact, so that feedback finds the item without a search."""
    return f"{contact}-{digest('message', contact, *cause)}"


def contact_of_message(message: str) -> str:
    """The contact that a message id contains; empty if it is no message id of ours."""
    contact, dash, rest = message.partition("-")
    return contact if dash and rest and contact.startswith("c") else ""


def is_message_id(text: str) -> bool:
    """Whether a text looks like a message id of ours, as one does that somebody made up as well as we could."""
    return _MESSAGE_ID.fullmatch(text) is not None


def shard(key: str, count: int) -> int:
    """A stable number from 0 to count - 1 for a key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % count


def new_id() -> str:
    """A random id, for what nothing causes twice."""
    return str(uuid.uuid4())


def new_secret(prefix: str) -> str:
    """An unguessable token of 192 bits behind a readable prefix."""
    return f"{prefix}_{secrets.token_urlsafe(24)}"
