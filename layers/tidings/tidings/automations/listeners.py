"""Which events automations listen to and people inside them wait for: kept in memory, by the workspace's generation.

A batch of events reads the generation of its workspace, and what is here is loaded again once that grew. A publication
that is not seen yet loses nothing: whoever enters a version or waits in it does so after it was published, and reads
the timeline then, in which the event stands already that was reacted to with an older generation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from tidings.accounts.model import Workspace
from tidings.activity.model import Event
from tidings.automations.model import Definition
from tidings.automations.store import Automation, DynamoAutomationStore


class Listeners:
    """The live automations of each workspace by the event that starts them; reloaded when the workspace's grew."""

    def __init__(self, automations: DynamoAutomationStore) -> None:
        self._automations = automations
        self._by_event: dict[str, tuple[int, dict[str, list[Automation]]]] = {}
        self._to_merges: dict[str, list[Automation]] = {}
        self._awaited: dict[str, frozenset[str]] = {}
        self._live: dict[str, dict[str, Automation]] = {}
        self._first: dict[tuple[str, str], datetime] = {}

    def refresh(self, workspace: Workspace) -> None:
        """Load a workspace's automations again if any was published since."""
        known = self._by_event.get(workspace.id)
        if known is not None and known[0] == workspace.generation:
            return
        by_event: dict[str, list[Automation]] = defaultdict(list)
        live = self._automations.all_live(workspace.id) if workspace.generation else []
        for automation in live:
            by_event[automation.definition.trigger.event].append(automation)
        asking = [one for live in by_event.values() for one in live if one.definition.trigger.merged]
        self._to_merges[workspace.id] = asking
        self._awaited[workspace.id] = frozenset(name for automation in live for name in automation.awaits)
        self._live[workspace.id] = {automation.name: automation for automation in live}
        self._by_event[workspace.id] = (workspace.generation, dict(by_event))

    def to(self, event: Event) -> Sequence[Automation]:
        """The automations that an event may start."""
        if not event.name:
            return ()
        return self._by_event.get(event.workspace, (0, {}))[1].get(event.name, ())

    def awaits(self, workspace: str, name: str) -> bool:
        """Whether somebody may wait for an event of this name, in any version that was ever published."""
        return name in self._awaited.get(workspace, ())

    def awaits_any(self, workspace: str) -> bool:
        """Whether somebody may wait for anything."""
        return bool(self._awaited.get(workspace))

    def live_definition(self, workspace: str, name: str, version: int) -> Definition | None:
        """The definition of a version, if it is the live one."""
        live = self._live.get(workspace, {}).get(name)
        return live.definition if live is not None and live.version == version else None

    def to_merges_in(self, workspace: str) -> list[Automation]:
        """The automations that events of whoever is merged may start."""
        return self._to_merges.get(workspace, [])

    def first_published(self, automation: Automation) -> datetime:
        """When an automation was published first, which is asked once a process."""
        place = (automation.workspace, automation.name)
        if place not in self._first:
            self._first[place] = self._automations.first_published(automation)
        return self._first[place]
