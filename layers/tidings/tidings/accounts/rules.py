"""Which key may do what."""

from __future__ import annotations

import re

from tidings.accounts.model import ApiKey, KeyKind
from tidings.core.errors import Forbidden, InvalidInput

WORKSPACE_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")


def require_secret(key: ApiKey) -> ApiKey:
    """Only a secret key reads data and changes settings. Raises Forbidden."""
    if key.kind is not KeyKind.SECRET:
        raise Forbidden("secret_key_required", f"A {key.kind} key cannot do this; use a secret key.")
    return key


def require_workspace_id(text: str) -> str:
    """A workspace id: 1 to 40 lower-case letters, digits and hyphens. Raises InvalidInput."""
    if not WORKSPACE_ID.fullmatch(text):
        raise InvalidInput(
            "invalid_workspace", "A workspace id is 1 to 40 lower-case letters, digits and hyphens.", "workspace"
        )
    return text
