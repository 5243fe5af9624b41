"""The machines of automations: one for each published version, one for each place where somebody is resumed.

A machine's name says what is in it: Step Functions takes a name again only for the same machine, and a later release
may compile the same automation to another one. Each is written down before it is made, so that it can be deleted when
nobody is left in it; one that is needed again is made again, with the same name.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any, Protocol

from tidings.automations.automation_store import Automation
from tidings.automations.components import Awaits
from tidings.automations.definition.model import Definition, definition_hash
from tidings.automations.machines.compile import StepFunctions, machine_name, machine_tags, resumed
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.machines.gateway import StepFunctionsGateway
from tidings.core.ids import digest
from tidings.core.settings import Settings


class Made(Protocol):
    """Where the machines are written down that were made."""

    def add_machine(self, workspace: str, automation: str, version: int, machine: str) -> None: ...


def functions_of(settings: Settings) -> StepFunctions:
    """The functions that carry out components, as the environment names them. Raises MissingSetting."""
    wanted = {field.name: f"FUNCTION_{field.name.upper()}_ARN" for field in fields(StepFunctions)}
    optional = {field.name for field in fields(StepFunctions) if field.default is not MISSING}
    known = {name: key for name, key in wanted.items() if name not in optional or key in settings.values}
    return StepFunctions(**{name: settings.require(key) for name, key in known.items()})


class Machines:
    """Makes machines; making one that is there changes nothing. Raises Throttled or Unavailable."""

    def __init__(self, gateway: StepFunctionsGateway, functions: StepFunctions, prefix: str, made: Made) -> None:
        self._gateway = gateway
        self._functions = functions
        self._prefix = prefix
        self._made = made
        self._arns: dict[str, str] = {}

    def of_version(self, workspace: str, definition: Definition, version: int) -> str:
        """The ARN of the machine that runs a version."""
        asl = compile_machine(definition, version, self._functions)
        content = digest(definition_hash(definition), json.dumps(asl))
        name = machine_name(self._prefix, workspace, definition.automation, version, content)
        return self._make(workspace, definition.automation, version, name, asl)

    def from_component(self, automation: Automation, component: str) -> str:
        """The ARN of a machine that begins at a component; an ordinary run pays nothing for being resumable."""
        if component == automation.definition.start and not _awaits(automation.definition, component):
            return self.of_version(automation.workspace, automation.definition, automation.version)
        whole = compile_machine(automation.definition, automation.version, self._functions)
        asl = resumed(whole, component)
        if asl == whole:  # it begins wherever its input says
            return self.of_version(automation.workspace, automation.definition, automation.version)
        name = f"{self._prefix}{digest('resume', automation.machine, json.dumps(asl))}"
        return self._make(automation.workspace, automation.name, automation.version, name, asl)

    def forget(self, arn: str) -> None:
        """Make a machine anew when it is asked for next: it is not there any more."""
        self._arns = {name: known for name, known in self._arns.items() if known != arn}

    def _make(self, workspace: str, automation: str, version: int, name: str, asl: dict[str, Any]) -> str:
        self._made.add_machine(workspace, automation, version, name)
        if name not in self._arns:
            tags = machine_tags(workspace, automation, version)
            self._arns[name] = self._gateway.create_machine(name, asl, tags)
        return self._arns[name]


def _awaits(definition: Definition, component: str) -> bool:
    """Whether somebody waits for an event there: who goes on there waits for as long as was left."""
    return isinstance(definition.components.get(component), Awaits)
