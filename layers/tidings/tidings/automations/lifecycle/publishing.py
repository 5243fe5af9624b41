"""Automations as their writers handle them: apply, publish, list, look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.automation_store import LATEST
from tidings.automations.definition.model import Definition
from tidings.automations.definition.rules import Problem, check
from tidings.automations.definition.source import MAX_BYTES
from tidings.automations.definition.triggers import DateTrigger
from tidings.automations.lifecycle.job_queue import BEFORE_SWEEPING, JobQueue
from tidings.automations.lifecycle.jobs import Change, JobKind
from tidings.automations.lifecycle.naming import Naming
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.lifecycle.store import DynamoLifecycleStore
from tidings.automations.listening.index_store import DynamoIndexStore
from tidings.automations.machines.machines import Machines
from tidings.automations.statistics.rules import by_state
from tidings.automations.statistics.tally_store import DynamoTallyStore
from tidings.automations.store import Automation, DynamoAutomationStore
from tidings.core import cursors
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput
from tidings.core.store import ConditionFailed


class InvalidAutomation(InvalidInput):
    """A definition with errors; its answer has the first one's code and lists all problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = next(problem for problem in problems if problem.level == "error")
        super().__init__(first.code, first.message, first.component or first.place or None)
        self.problems = tuple(problems)

    def as_dict(self) -> dict[str, Any]:
        """The error as it stands on the wire."""
        return {**super().as_dict(), "problems": [problem.as_dict() for problem in self.problems]}


class AutomationService:
    """Automations of a workspace."""

    def __init__(
        self,
        automations: DynamoAutomationStore,
        index: DynamoIndexStore,
        lifecycle: DynamoLifecycleStore,
        tallies: DynamoTallyStore,
        naming: Naming,
        workspaces: DynamoWorkspaceStore,
        machines: Machines,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._automations = automations
        self._index = index
        self._lifecycle = lifecycle
        self._tallies = tallies
        self._naming = naming
        self._workspaces = workspaces
        self._machines = machines
        self._jobs = jobs
        self._clock = clock

    def apply(self, workspace: str, body: Mapping[str, Any], who: str) -> tuple[Automation, list[Problem]]:
        """Check a definition and keep it as the draft; the draft and its warnings. The same again is not logged.

        Raises InvalidInput with the first error's code, message and component.
        """
        definition, warnings = self._checked(workspace, body)
        draft = Automation(workspace, definition, 0, "", self._clock.now())
        before = self._automations.draft(workspace, draft.name)
        if before is None or before.definition != definition:
            change = Change("applied", who, draft.created_at)
            self._automations.save_draft(draft, self._lifecycle.log(workspace, draft.name, change))
        return draft, warnings

    def publish(self, workspace: str, name: str, who: str, ends_inside: bool = False) -> tuple[Automation, bool]:
        """Make the draft a version with a machine of its own, which from now on enrols people.

        Returns the live version and whether it is new: publishing the same again changes nothing. Those inside an
        earlier version finish on it, unless somebody ends them, which `ends_inside` only writes into the log. Raises
        NotFound, InvalidInput, Conflict if two publish at once or it is archived, Throttled, Unavailable.
        """
        draft, live = self._automations.require_with_live(workspace, name)
        if live is not None and live.definition == draft.definition:
            return live, False
        if live is not None and live.state is AutomationState.ARCHIVED:
            raise archived(name)
        self._checked(workspace, draft.definition.as_dict())
        published = self._version(draft, live)
        if live is not None:
            self._jobs.begin(JobKind.SWEEP, live, who, BEFORE_SWEEPING)
        if isinstance(published.definition.trigger, DateTrigger):
            self._jobs.arm(published)
        change = Change("published", who, published.created_at, {"version": published.version, "ends": ends_inside})
        others = [self._workspaces.grow_generation(workspace), self._lifecycle.log(workspace, name, change)]
        try:
            self._index.write(
                workspace, live, published, lambda parts: self._automations.publish(published, *others, *parts)
            )
        except ConditionFailed as error:
            raise Conflict("automation_changed", "Somebody changed this automation at the same time.") from error
        return published, True

    def preview(self, workspace: str, name: str) -> dict[str, Any]:
        """What publishing would do: what changes, and who is inside by version. Raises NotFound, InvalidInput."""
        draft, live = self._automations.require_with_live(workspace, name)
        self._checked(workspace, draft.definition.as_dict())
        changed = live is None or live.definition != draft.definition
        before = 0 if live is None else live.version
        return {
            "automation": name,
            "version": before + changed,
            "changed": changed,
            "changes": _changes(None if live is None else live.definition, draft.definition),
            "inside": self.inside(workspace, name),
        }

    def inside(self, workspace: str, name: str) -> list[dict[str, Any]]:
        """How many are inside by version, the latest first, and by state: what was counted, in 16 queries."""
        rows = self._tallies.rows(workspace, name, None)
        told = [(version, by_state(rows[version])) for version in sorted(rows, reverse=True)]
        return [
            {"version": version, **{state.value: number for state, number in states.items()}}
            for version, states in told
            if any(states.values())
        ]

    def get(self, workspace: str, name: str) -> dict[str, Any]:
        """An automation's draft, where it stands, and its latest changes and jobs. Raises NotFound."""
        draft, live = self._automations.require_with_live(workspace, name)
        return {
            **_overview(draft, live),
            "draft": draft.definition.as_dict(),
            "jobs": [job.as_dict() for job in self._lifecycle.jobs(workspace, name)],
            "log": [change.as_dict() for change in self._lifecycle.changes(workspace, name)],
        }

    def page(self, workspace: str, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """Up to `limit` automations by name, with where each stands, and the cursor of the next page, empty at the end.

        Fewer where drafts are large: of those a page reads some megabytes. A query and a batched read. Raises
        InvalidInput for a bad cursor.
        """
        scope = (workspace, "automations")
        place = cursors.read(scope, cursor, str)
        drafts, more = self._automations.drafts_after(workspace, place[0] if place else "", limit)
        live = self._automations.live_of(workspace, [draft.name for draft in drafts])
        page = [_overview(draft, live.get(draft.name)) for draft in drafts]
        return page, cursors.write(scope, [drafts[-1].name]) if more else ""

    def versions(self, workspace: str, name: str, limit: int, cursor: str) -> tuple[list[Automation], str]:
        """Up to `limit` published versions, latest first, and the cursor of the next page, empty at the end.

        Fewer where they are large. Raises NotFound, and InvalidInput for a bad cursor.
        """
        scope = (workspace, "automation versions", name)
        place = cursors.read(scope, cursor, int)
        page, more = self._automations.versions_before(workspace, name, place[0] if place else LATEST + 1, limit)
        if not page:
            self.require(workspace, name)
        return page, cursors.write(scope, [page[-1].version]) if more else ""

    def require(self, workspace: str, name: str) -> None:
        """Raises NotFound unless there is such an automation."""
        self._automations.require(workspace, name)

    def _version(self, draft: Automation, live: Automation | None) -> Automation:
        version = 1 if live is None else live.version + 1
        machine = self._machines.of_version(draft.workspace, draft.definition, version)
        # Those inside an earlier version wait for its events still, however many versions have come since.
        awaits = draft.definition.awaits | (frozenset() if live is None else live.awaits)
        lets_out = draft.definition.lets_out | (frozenset() if live is None else live.lets_out)
        return replace(
            draft,
            version=version,
            machine=machine,
            created_at=self._clock.now(),
            awaits=awaits,
            lets_out=lets_out,
            state=AutomationState.LIVE if live is None else live.state,
        )

    def _checked(self, workspace: str, body: Mapping[str, Any]) -> tuple[Definition, list[Problem]]:
        if len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
            raise InvalidInput("definition_too_large", f"A definition has at most {MAX_BYTES // 1024} KB of JSON.")
        definition, problems = check(body, partial(self._naming.of, workspace))
        errors = [problem for problem in problems if problem.level == "error"]
        if definition is None or errors:
            raise InvalidAutomation(problems)
        return definition, problems


def archived(name: str) -> Conflict:
    """That an automation is archived."""
    return Conflict("automation_archived", f"{name} is archived. Unarchive it first.", "automation")


def _overview(draft: Automation, live: Automation | None) -> dict[str, Any]:
    """An automation as lists show it, which leave out what it is made of."""
    changed = live is None or live.definition != draft.definition
    return {
        "automation": draft.name,
        "description": draft.definition.description,
        "state": live.state.value if live else None,
        "live_version": live.version if live else None,
        "published_at": live.created_at if live else None,
        "unpublished_changes": changed,
    }


def _changes(before: Definition | None, after: Definition) -> dict[str, list[str]]:
    """What a definition changes against another one: keys beside the components, and components by their names."""
    old = {} if before is None else before.as_dict()
    new = after.as_dict()
    had, has = old.pop("components", {}), new.pop("components")
    return {
        "keys": sorted(key for key in {*old, *new} if old.get(key) != new.get(key)),
        "added": [name for name in has if name not in had],
        "removed": [name for name in had if name not in has],
        "changed": [name for name in has if name in had and has[name] != had[name]],
    }
