"""What a workspace defines by name, such as topics and suppression rules, as the API shows, takes and forgets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent import screening, topics
from tidings.consent.policy import PolicyDesk, field_of, read_definition, unknown


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a workspace's policy: its `name`, what one definition in it is called, and `most` how many.

    `read` checks what a body says and gives what is kept of it, `shown` is every definition as the API shows it. `code`
    is that of a name which nothing has.
    """

    name: str
    noun: str
    most: int
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    shown: Callable[[Workspace], dict[str, dict[str, Any]]]
    code: str


class PolicyBook:
    """What a workspace defines by name in the sections of its policy."""

    def __init__(self, workspaces: DynamoWorkspaceStore, *sections: Section) -> None:
        self._sections = {section.name: section for section in (*SECTIONS, *sections)}
        self._desks = {
            name: PolicyDesk(workspaces, name, one.noun, one.most, one.code) for name, one in self._sections.items()
        }

    def all(self, workspace: str, section: str) -> list[dict[str, Any]]:
        """Everything in a section, by name."""
        return list(self._sections[section].shown(self._desks[section].workspace(workspace)).values())

    def show(self, workspace: str, section: str, name: str) -> dict[str, Any]:
        """One definition. Raises NotFound."""
        found = self._sections[section].shown(self._desks[section].workspace(workspace)).get(name)
        if found is None:
            raise unknown(self._sections[section].code, self._sections[section].noun, name)
        return found

    def define(self, workspace: str, section: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Define something or change it. Raises InvalidInput, and Conflict if the policy changed meanwhile."""
        one = self._sections[section]
        definition = one.read({field: value for field, value in body.items() if field != field_of(one.noun)})
        return one.shown(self._desks[section].define(workspace, name, definition))[name]

    def forget(self, workspace: str, section: str, name: str) -> None:
        """Forget a definition. Raises NotFound, and Conflict if the policy changed meanwhile."""
        self._desks[section].forget(workspace, name)


def _topics(workspace: Workspace) -> dict[str, dict[str, Any]]:
    return {name: topic.as_dict() for name, topic in topics.topics_of(workspace).items()}


def _read_topic(told: Mapping[str, Any]) -> dict[str, Any]:
    return read_definition(topics.TopicInput, told)


def _rules(workspace: Workspace) -> dict[str, dict[str, Any]]:
    told: Mapping[str, Any] = workspace.policy.get(screening.SECTION, {})
    usual = {"channel": "email", "description": "", "kinds": "all"}
    return {name: {"rule": name, **usual, **told[name]} for name in sorted(told)}


SECTIONS = (
    Section(topics.SECTION, "topic", topics.TOPICS, _read_topic, _topics, code="unknown_topic"),
    Section(
        screening.SECTION,
        "suppression rule",
        screening.RULES,
        screening.read_rule,
        _rules,
        code="unknown_suppression_rule",
    ),
)
