"""Automations as they stood at an earlier instant: the version that was live then, and where it stood."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tidings.automations.lifecycle.store import DynamoLifecycleStore
from tidings.automations.store import DynamoAutomationStore
from tidings.core.errors import NotFound


class AutomationsThen:
    """Tells of automations from their versions and from the log of what was changed."""

    def __init__(self, automations: DynamoAutomationStore, lifecycle: DynamoLifecycleStore) -> None:
        self._automations = automations
        self._lifecycle = lifecycle

    def get(self, workspace: str, name: str, at: datetime) -> dict[str, Any]:
        """An automation at an instant, with the latest changes until then; what its draft was then is not kept.

        One read and three queries. Raises NotFound, also where it was not applied yet by then.
        """
        self._automations.require(workspace, name)
        log = self._lifecycle.changes(workspace, name, at)
        if not log:
            raise not_yet()
        live = self._automations.live_at(workspace, name, at)
        return {
            "automation": name,
            "at": at,
            "description": live.definition.description if live else "",
            "state": self._lifecycle.state_at(workspace, name, at).value if live else None,
            "live_version": live.version if live else None,
            "published_at": live.created_at if live else None,
            "definition": live.definition.as_dict() if live else None,
            "log": [change.as_dict() for change in log],
        }


def not_yet() -> NotFound:
    """That an automation was not there at an instant."""
    return NotFound("not_yet", "The automation was not there at that time.", "at")
