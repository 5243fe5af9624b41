"""How a webhook is signed: https://www.standardwebhooks.com, with a secret of the workspace's own.

The secret is made of the workspace's, which is never shown, so that nothing more has to be kept than how often it was
changed. What was valid before stays so for a day, in which calls carry both signatures.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tidings.accounts.model import Workspace
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput

PREFIX = "whsec_"
# What a workspace's settings say of it: how often it was changed, and when last.
SETTING = "webhook_secret"
BOTH_VALID = timedelta(days=1)
_PURPOSE = b"webhooks"


def secrets_of(workspace: Workspace, now: datetime) -> list[bytes]:
    """The secrets that are valid, the newest first.

    Raises InvalidInput (`no_webhook_secret`) for a workspace that has nothing to make one of.
    """
    if not workspace.secret:
        raise InvalidInput("no_webhook_secret", "The workspace has no secret to sign with.", "workspace")
    changes, changed_at = _changes(workspace)
    secrets = [secret_of(workspace.secret, changes)]
    if changed_at is not None and now < changed_at + BOTH_VALID:
        secrets.append(secret_of(workspace.secret, changes - 1))
    return secrets


def renewed(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """The workspace's settings with another secret than before."""
    changes, _ = _changes(workspace)
    return {**workspace.settings, SETTING: {"changes": changes + 1, "changed_at": to_text(now)}}


def _changes(workspace: Workspace) -> tuple[int, datetime | None]:
    told = workspace.settings.get(SETTING)
    return (int(told["changes"]), from_text(told["changed_at"])) if told else (0, None)


def secret_of(workspace_secret: str, changes: int = 0) -> bytes:
    """The 32 bytes that sign after so many changes. Raises ValueError for an empty secret, which would be no key."""
    if not workspace_secret:
        raise ValueError("a signature needs a secret")
    purpose = _PURPOSE + (b":%d" % changes if changes else b"")
    return hmac.new(workspace_secret.encode("utf-8", "surrogatepass"), purpose, hashlib.sha256).digest()


def shown(secret: bytes) -> str:
    """The secret as receivers are given it: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def signed(secrets: Iterable[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which a server knows that a call is ours, when it was made, and that it is not an earlier one's.

    `at` is aware. One signature for each secret, the newest first, with a space between.
    """
    seconds = str(int(at.timestamp()))
    content = b".".join([message_id.encode(), seconds.encode(), body])
    made = [base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }
