"""What a workspace and an API key are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class KeyKind(StrEnum):
    """What an API key is for; its first letters tell it from afar."""

    PUBLISHABLE = "publishable"
    WRITE = "write"
    SECRET = "secret"  # noqa: S105 - a kind, not a password

    @property
    def prefix(self) -> str:
        """The letters a key of this kind starts with."""
        return {"publishable": "pk", "write": "wk", "secret": "sk"}[self.value]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: by its fingerprint, never itself."""

    fingerprint: str
    workspace: str
    kind: KeyKind
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant. `generation` grows whenever an automation is published, so that caches know."""

    id: str
    name: str
    created_at: datetime
    generation: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def default_from(self) -> str:
        """The sender of mails whose template names none; empty if there is none."""
        return str(self.settings.get("default_from", ""))
