"""Where a published automation stands: who enters it, and whether those inside go on."""

from __future__ import annotations

from enum import StrEnum


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
