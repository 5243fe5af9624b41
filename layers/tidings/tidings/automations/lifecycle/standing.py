"""Where a published automation stands: who enters it, and whether those inside go on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class AutomationState(StrEnum):
    """Where an automation stands."""

    LIVE = "live"
    ENTRIES_PAUSED = "entries_paused"  # nobody enters; those inside go on
    PAUSED = "paused"  # nothing happens at all
    ARCHIVED = "archived"  # nobody enters any more; those inside finish

    @property
    def admits(self) -> bool:
        """Whether people enter."""
        return self is AutomationState.LIVE

    @property
    def refusal(self) -> str:
        """Why nobody enters: `paused` or `archived`; empty where people do."""
        if self is AutomationState.ARCHIVED:
            return "archived"
        return "" if self.admits else "paused"


def moved_to(what: str, details: Mapping[str, Any]) -> AutomationState | None:
    """Where a change that stands in the log led; None for one that left an automation where it stood."""
    if what == "paused":
        return AutomationState.PAUSED if details.get("what") == "all" else AutomationState.ENTRIES_PAUSED
    if what == "archived":
        return AutomationState.ARCHIVED
    return AutomationState.LIVE if what in ("resumed", "unarchived") else None
