"""The machines of automations: one for each published version, one for each place where somebody is resumed.

A machine's name says what is in it: Step Functions takes a name again only for the same machine, and a later release
may compile the same automation to another one.
"""

from __future__ import annotations

import json

from tidings.automations.compile import StepFunctions, machine_name, machine_tags, resumed
from tidings.automations.compile import compile as compile_machine
from tidings.automations.gateway import StepFunctionsGateway
from tidings.automations.model import Definition, definition_hash
from tidings.automations.store import Automation
from tidings.core.ids import digest


class Machines:
    """Makes machines; making one that is there changes nothing. Raises Unavailable."""

    def __init__(self, gateway: StepFunctionsGateway, functions: StepFunctions, prefix: str) -> None:
        self._gateway = gateway
        self._functions = functions
        self._prefix = prefix

    def of_version(self, workspace: str, definition: Definition, version: int) -> str:
        """The ARN of the machine that runs a version."""
        name = definition.automation
        asl = compile_machine(definition, version, self._functions)
        content = digest(definition_hash(definition), json.dumps(asl))
        return self._gateway.create_machine(
            machine_name(self._prefix, workspace, name, version, content),
            asl,
            machine_tags(workspace, name, version),
        )

    def from_component(self, automation: Automation, component: str) -> str:
        """The ARN of a machine that begins at a component; an ordinary run pays nothing for being resumable."""
        if component == automation.definition.start:
            return automation.machine
        whole = compile_machine(automation.definition, automation.version, self._functions)
        asl = resumed(whole, component)
        return self._gateway.create_machine(
            f"{self._prefix}{digest('resume', automation.machine, json.dumps(asl))}",
            asl,
            machine_tags(automation.workspace, automation.name, automation.version),
        )
