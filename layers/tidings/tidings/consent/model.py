"""What a suppression and a check are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Channel(StrEnum):
    """Ways to reach a person."""

    EMAIL = "email"
    SMS = "sms"


class Reason(StrEnum):
    """Why an address is suppressed."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"
    ERASED = "erased"  # the person had themselves erased: for good, and the address is kept as a keyed hash only


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets no message on a channel, until `expires_at` if that is set."""

    workspace: str
    channel: Channel
    address: str
    reason: Reason
    created_at: datetime
    source: str = ""
    expires_at: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Whether it is in force; time-to-live deletes late, so readers look themselves."""
        return self.expires_at is None or now < self.expires_at

    def as_dict(self) -> dict[str, Any]:
        """The entry as the API shows it."""
        return {
            "channel": self.channel.value,
            "address": self.address,
            "reason": self.reason.value,
            "source": self.source,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
        }


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked before a message goes: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    found: str

    def as_dict(self) -> dict[str, Any]:
        """The check as a decision record keeps it."""
        return {"check": self.name, "passed": self.passed, "found": self.found}
