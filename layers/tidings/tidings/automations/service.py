"""Automations as their writers handle them: apply, publish, list, look at, resume."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.enrol import start
from tidings.automations.enrolments import Enrolment, EnrolmentState
from tidings.automations.gateway import Start, StepFunctionsGateway
from tidings.automations.machines import Machines
from tidings.automations.model import Definition
from tidings.automations.rules import Problem, check
from tidings.automations.source import MAX_BYTES
from tidings.automations.store import Automation, DynamoAutomationStore, DynamoEnrolmentStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound, Throttled
from tidings.core.store import ConditionFailed
from tidings.messages.template_store import DynamoTemplateStore


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
        templates: DynamoTemplateStore,
        workspaces: DynamoWorkspaceStore,
        machines: Machines,
        clock: Clock,
    ) -> None:
        self._automations = automations
        self._templates = templates
        self._workspaces = workspaces
        self._machines = machines
        self._clock = clock

    def apply(self, workspace: str, body: Mapping[str, Any]) -> tuple[Automation, list[Problem]]:
        """Check a definition and keep it as the draft; the draft and its warnings.

        Raises InvalidInput with the first error's code, message and component.
        """
        definition, warnings = self._checked(workspace, body)
        draft = Automation(workspace, definition, 0, "", self._clock.now())
        self._automations.save_draft(draft)
        return draft, warnings

    def publish(self, workspace: str, name: str) -> tuple[Automation, bool]:
        """Make the draft a version with a machine of its own, which from now on enrols people.

        Returns the live version and whether it is new: publishing the same again changes nothing. Those inside an
        earlier version finish on it. Raises NotFound, InvalidInput, Conflict if two publish at once, Unavailable.
        """
        draft = self._automations.draft(workspace, name)
        if draft is None:
            raise _unknown(name)
        self._checked(workspace, draft.definition.as_dict())
        live = self._automations.live(workspace, name)
        if live is not None and live.definition == draft.definition:
            return live, False
        version = 1 if live is None else live.version + 1
        machine = self._machines.of_version(workspace, draft.definition, version)
        # Those inside an earlier version wait for its events still, however many versions have come since.
        awaits = draft.definition.awaits | (frozenset() if live is None else live.awaits)
        published = replace(draft, version=version, machine=machine, created_at=self._clock.now(), awaits=awaits)
        try:
            self._automations.publish(published, self._workspaces.grow_generation(workspace))
        except ConditionFailed as error:
            raise Conflict("automation_changed", "Somebody published this automation at the same time.") from error
        return published, True

    def get(self, workspace: str, name: str) -> dict[str, Any]:
        """An automation's draft and live version. Raises NotFound."""
        draft = self._automations.draft(workspace, name)
        if draft is None:
            raise _unknown(name)
        return _overview(draft, self._automations.live(workspace, name))

    def all(self, workspace: str) -> list[dict[str, Any]]:
        """All automations, with draft and live version."""
        live = {automation.name: automation for automation in self._automations.all_live(workspace)}
        return [_overview(draft, live.get(draft.name)) for draft in self._automations.all_drafts(workspace)]

    def versions(self, workspace: str, name: str) -> list[Automation]:
        """The published versions, latest first. Raises NotFound."""
        found = self._automations.versions(workspace, name)
        if not found and self._automations.draft(workspace, name) is None:
            raise _unknown(name)
        return found

    def _checked(self, workspace: str, body: Mapping[str, Any]) -> tuple[Definition, list[Problem]]:
        if len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
            raise InvalidInput("definition_too_large", f"A definition has at most {MAX_BYTES // 1024} KB of JSON.")
        templates = {template.name for template in self._templates.all_live(workspace)}
        definition, problems = check(body, templates)
        errors = [problem for problem in problems if problem.level == "error"]
        if definition is None or errors:
            raise InvalidAutomation(problems)
        return definition, problems


class Resuming:
    """Gives enrolments whose execution was lost a new run, from the component they had come to."""

    def __init__(
        self,
        automations: DynamoAutomationStore,
        enrolments: DynamoEnrolmentStore,
        machines: Machines,
        executions: StepFunctionsGateway,
        clock: Clock,
    ) -> None:
        self._automations = automations
        self._enrolments = enrolments
        self._machines = machines
        self._executions = executions
        self._clock = clock

    def resume(self, workspace: str, name: str) -> int:
        """Resume every enrolment of an automation that is live or failed and has no running execution; how many.

        What a message id or a recorded step says was done is not done again. Raises NotFound, Unavailable, and
        Throttled where Step Functions has no room: a repeat goes on from there.
        """
        versions = {version.version: version for version in self._automations.versions(workspace, name)}
        if not versions:
            raise _unknown(name)
        resumable = (EnrolmentState.LIVE, EnrolmentState.FAILED)
        enrolments = [e for e in self._enrolments.of_automation(workspace, name) if e.state in resumable]
        return sum(self._resume(enrolment, versions[enrolment.version]) for enrolment in enrolments)

    def _resume(self, enrolment: Enrolment, automation: Automation) -> bool:
        status = self._executions.status(enrolment.execution_arn)
        if status == "RUNNING":
            return False
        if status == "SUCCEEDED" or not enrolment.component:  # nothing follows the last step that was recorded
            self._enrolments.finish(enrolment, EnrolmentState.COMPLETED, self._clock.now())
            return False
        if status == "ABORTED":  # somebody stopped it, of which the event is still on its way
            self._enrolments.finish(enrolment, EnrolmentState.STOPPED, self._clock.now(), status)
            return False
        machine = self._machines.from_component(automation, enrolment.component)
        again = replace(enrolment, state=EnrolmentState.LIVE, machine=machine, runs=enrolment.runs + 1, error="")
        if not self._enrolments.run_again(enrolment, again):
            return False
        if start(self._executions, again) is Start.THROTTLED:
            raise Throttled("start_throttled", "Step Functions starts no more executions right now.")
        return True


class Executions:
    """What Step Functions reports about executions."""

    def __init__(self, enrolments: DynamoEnrolmentStore, clock: Clock) -> None:
        self._enrolments = enrolments
        self._clock = clock

    def settle(self, named: Mapping[str, Any], execution: str, status: str, error: str) -> bool:
        """End the enrolment of an execution that ended; False if it had ended, or runs in another execution."""
        state = {
            "SUCCEEDED": EnrolmentState.COMPLETED,
            "FAILED": EnrolmentState.FAILED,
            "TIMED_OUT": EnrolmentState.FAILED,
            "ABORTED": EnrolmentState.STOPPED,
        }.get(status)
        enrolment = self._enrolments.get(
            str(named["workspace"]), str(named["contact"]), str(named["automation"]), str(named["entry"])
        )
        if state is None or enrolment is None or enrolment.execution_arn != execution:
            return False
        reason = "" if state is EnrolmentState.COMPLETED else error or status
        return self._enrolments.finish(enrolment, state, self._clock.now(), reason)


def _overview(draft: Automation, live: Automation | None) -> dict[str, Any]:
    changed = live is None or live.definition != draft.definition
    return {
        "automation": draft.name,
        "description": draft.definition.description,
        "live_version": live.version if live else None,
        "published_at": live.created_at if live else None,
        "unpublished_changes": changed,
        "draft": draft.definition.as_dict(),
    }


def _unknown(name: str) -> NotFound:
    return NotFound("unknown_automation", f"There is no automation named {name}.", "automation")
