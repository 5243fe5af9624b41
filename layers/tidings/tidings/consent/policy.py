"""What a workspace's marketers decide by name, kept with the workspace: topics and suppression rules.

A send reads the workspace anyway, so what it decides by costs nothing more. A change is written only over what it was
made from; each counts the policy's version up, which decisions keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.store import ConditionFailed

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class Definition(BaseModel):
    """Something that is defined by name."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PolicyDesk:
    """Defines and forgets things of one section of a workspace's policy; `most` of them at a time."""

    def __init__(self, workspaces: DynamoWorkspaceStore, section: str, noun: str, most: int, code: str) -> None:
        self._workspaces = workspaces
        self._section = section
        self._noun = noun
        self._most = most
        self._code = code

    def workspace(self, workspace: str) -> Workspace:
        """The workspace as it is now: one read. Raises NotFound."""
        found = self._workspaces.get(workspace, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found

    def define(self, workspace: str, name: str, definition: Mapping[str, Any]) -> Workspace:
        """Define something or change it: one read and one write, none if it is so already.

        Raises InvalidInput for a bad name or one too many, Conflict if the policy changed meanwhile.
        """
        if not NAME.fullmatch(name):
            told = f"The name of a {self._noun} is 1 to 63 lower-case letters, digits and hyphens."
            raise InvalidInput("invalid_name", told, self._field)
        before = self.workspace(workspace)
        defined = dict(before.policy.get(self._section, {}))
        if defined.get(name) == definition:
            return before
        if name not in defined and len(defined) >= self._most:
            told = f"A workspace has at most {self._most} definitions of a {self._noun}."
            raise InvalidInput("too_many_definitions", told, self._field)
        return self._change(before, {**defined, name: dict(definition)})

    def forget(self, workspace: str, name: str) -> Workspace:
        """Forget something. Raises NotFound, and Conflict if the policy changed meanwhile."""
        before = self.workspace(workspace)
        defined = dict(before.policy.get(self._section, {}))
        if name not in defined:
            raise unknown(self._code, self._noun, name)
        del defined[name]
        return self._change(before, defined)

    @property
    def _field(self) -> str:
        return self._noun.replace(" ", "_")

    def _change(self, before: Workspace, defined: Mapping[str, Any]) -> Workspace:
        try:
            return self._workspaces.change_policy(before, {**before.policy, self._section: dict(defined)})
        except ConditionFailed as error:
            raise Conflict("policy_changed", "Somebody else changed the policy; look at it and try again.") from error


def unknown(code: str, noun: str, name: str) -> NotFound:
    """There is no definition of a name."""
    return NotFound(code, f"There is no {noun} named {name}.", field_of(noun))


def field_of(noun: str) -> str:
    """The field that names a definition: of a suppression rule it is `rule`."""
    return noun.rpartition(" ")[2]


def read_definition(model: type[Definition], body: Mapping[str, Any]) -> dict[str, Any]:
    """What a body defines, as it is kept. Raises InvalidInput that names what is wrong."""
    try:
        read = model.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_request", f"{field}: {first['msg']}.", field) from error
    return read.model_dump(mode="json", exclude_defaults=True)
