"""What all components have: where each of their outcomes leads."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from tidings.conditions.model import Condition, Model


class Link(NamedTuple):
    """Where an outcome leads: `target` is a component's id, "" where the way ends. `key` is where the file says so."""

    outcome: str
    target: str
    key: str


class Asks(NamedTuple):
    """A condition of a component, and where it stands in the file. `of_event` says that it looks at one event only."""

    key: str
    condition: Condition
    of_event: bool


class Component(Model):
    """Base of all components."""

    # Which function carries it out; empty where a state of the machine does so by itself, or none is needed.
    function: ClassVar[str] = ""

    @property
    def acts(self) -> bool:
        """Whether a Task carries it out, which leaves a step behind."""
        return bool(self.function)

    def links(self) -> list[Link]:
        """Where each outcome leads. A branch that is not yet checked may have two arms with the same name."""
        return []

    def conditions(self) -> list[Asks]:
        """The conditions that it asks, in the order of the file."""
        return []


def to(outcome: str, key: str, target: str | None) -> Link:
    """The link that a key of the file says; one that is not written ends the way."""
    return Link(outcome, target or "", key)
