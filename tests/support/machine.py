"""A small interpreter of the ASL that our compiler emits, for tests that own time and call the handlers themselves.

The local engine runs the same machines end to end; here a test can stop between states, repeat a Task and count states.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass
class Execution:
    """One run of a machine; `states` are the states it entered."""

    definition: dict[str, Any]
    data: dict[str, Any]
    state: str = ""
    states: list[str] = field(default_factory=list)
    waits: list[datetime] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return not self.state

    @classmethod
    def begin(cls, definition: str | dict[str, Any], execution_input: str) -> Execution:
        """A run at its first state."""
        asl = json.loads(definition) if isinstance(definition, str) else definition
        execution = cls(asl, json.loads(execution_input))
        execution._enter(asl["StartAt"])
        return execution

    def wait(self) -> datetime | None:
        """Until when the current state waits; None if it is no Wait."""
        state = self.definition["States"].get(self.state, {})
        return datetime.fromisoformat(_path(self.data, state["TimestampPath"])) if state.get("Type") == "Wait" else None

    def step(self, invoke: Invoke) -> None:
        """Leave the current state: call the Task, take the Choice, or let the Wait be over."""
        state = self.definition["States"][self.state]
        if state["Type"] == "Task":
            self._task(state, invoke)
        if state["Type"] == "Choice":
            answer = _path(self.data, state["Choices"][0]["Variable"])
            self._enter(next(c["Next"] for c in state["Choices"] if c["StringEquals"] == answer))
        elif state.get("End") or state["Type"] == "Succeed":
            self.state = ""
        else:
            self._enter(state["Next"])

    def _task(self, state: dict[str, Any], invoke: Invoke) -> None:
        parameters = _filled(state["Parameters"], self.data)
        answer = {"Payload": json.loads(json.dumps(invoke(parameters["FunctionName"], parameters["Payload"])))}
        if state["ResultPath"] is None:
            return
        assert state["ResultPath"] == "$.at"
        self.data = {**self.data, "at": _filled(state["ResultSelector"], answer)}

    def _enter(self, state: str) -> None:
        self.state = state
        self.states.append(state)


def _filled(template: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, value in template.items():
        if name.endswith(".$"):
            filled[name.removesuffix(".$")] = _path(data, value)
        else:
            filled[name] = _filled(value, data) if isinstance(value, dict) else value
    return filled


def _path(data: Any, path: str) -> Any:
    for part in path.removeprefix("$.").split("."):
        data = data[part]
    return data
