"""Topics and suppression rules as the API shows, takes and forgets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent import screening, topics
from tidings.consent.policy import PolicyDesk, read_definition, unknown


class PolicyBook:
    """What a workspace defines by name in the sections of its policy."""

    def __init__(self, workspaces: DynamoWorkspaceStore) -> None:
        self._desks = {
            topics.SECTION: PolicyDesk(workspaces, topics.SECTION, "topic", topics.TOPICS),
            screening.SECTION: PolicyDesk(workspaces, screening.SECTION, "suppression rule", screening.RULES),
        }

    def all(self, workspace: str, section: str) -> list[dict[str, Any]]:
        """Everything in a section, by name."""
        return list(_shown(self._desks[section].workspace(workspace), section).values())

    def show(self, workspace: str, section: str, name: str) -> dict[str, Any]:
        """One definition. Raises NotFound."""
        found = _shown(self._desks[section].workspace(workspace), section).get(name)
        if found is None:
            raise unknown("topic" if section == topics.SECTION else "suppression rule", name)
        return found

    def define(self, workspace: str, section: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Define something or change it. Raises InvalidInput, and Conflict if the policy changed meanwhile."""
        told = {field: value for field, value in body.items() if field not in ("topic", "rule")}
        if section == topics.SECTION:
            definition = read_definition(topics.TopicInput, told)
        else:
            definition = screening.read_rule(told)
        return _shown(self._desks[section].define(workspace, name, definition), section)[name]

    def forget(self, workspace: str, section: str, name: str) -> None:
        """Forget a definition. Raises NotFound, and Conflict if the policy changed meanwhile."""
        self._desks[section].forget(workspace, name)


def _shown(workspace: Workspace, section: str) -> dict[str, dict[str, Any]]:
    if section == topics.SECTION:
        return {name: topic.as_dict() for name, topic in topics.topics_of(workspace).items()}
    told: Mapping[str, Any] = workspace.policy.get(screening.SECTION, {})
    usual = {"channel": "email", "description": "", "kinds": "all"}
    return {name: {"rule": name, **usual, **told[name]} for name in sorted(told)}
