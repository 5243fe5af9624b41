"""A small interpreter of the ASL that our compiler emits, for tests that own time and call the handlers themselves.

A Task that waits for its token goes on when it is answered, be it while its function still runs; a token is good for
one attempt, and only while that waits. What a function answers there goes nowhere, what it raises fails the attempt.

The local engine runs the same machines end to end; here a test can stop between states, repeat a Task and count states.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]
UNTIL_ANSWERED = "arn:aws:states:::lambda:invoke.waitForTaskToken"


@dataclass
class Execution:
    """One run of a machine; `states` are the states it entered, `failed` the error that ended it."""

    definition: dict[str, Any]
    data: dict[str, Any]
    state: str = ""
    states: list[str] = field(default_factory=list)
    waits: list[datetime] = field(default_factory=list)
    attempts: int = 0
    retries: int = 0
    name: str = ""
    token: str = ""
    times_out: datetime | None = None
    failed: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return not self.state

    @classmethod
    def begin(cls, definition: str | dict[str, Any], execution_input: str, name: str = "") -> Execution:
        """A run at its first state."""
        asl = json.loads(definition) if isinstance(definition, str) else definition
        execution = cls(asl, json.loads(execution_input), name=name)
        execution._enter(asl["StartAt"])
        return execution

    def wait(self) -> datetime | None:
        """Until when the current state waits; None if it is no Wait, and no Task that waits for its token."""
        state = self.definition["States"].get(self.state, {})
        if self.token:
            return self.times_out
        return datetime.fromisoformat(_path(self.data, state["TimestampPath"])) if state.get("Type") == "Wait" else None

    def step(self, invoke: Invoke, now: datetime | None = None) -> None:
        """Leave the current state: call the Task, take the Choice, or let the Wait be over.

        A Task that waits for a token begins to, or, if it does already, its time runs out.
        """
        state = self.definition["States"][self.state]
        if self.token:
            self._time_out(state)
            return
        if state.get("Resource") == UNTIL_ANSWERED:
            assert now is not None, "a wait for a token needs to know the time"
            self._ask(state, invoke, now)
            return
        if state["Type"] == "Task":
            self._task(state, invoke)
        if state["Type"] == "Choice":
            self._enter(self._chosen(state))
        elif state.get("End") or state["Type"] == "Succeed":
            self.state = ""
        else:
            self._enter(state["Next"])

    def answer(self, token: str, output: str) -> bool:
        """Let the Task that waits with a token go on; False if none does."""
        if not token or token != self.token:
            return False
        state, self.token = self.definition["States"][self.state], ""
        told = json.loads(output)
        told = _filled(state["ResultSelector"], told) if "ResultSelector" in state else told
        self.data = {**self.data, state["ResultPath"].removeprefix("$."): told}
        self.state = "" if state.get("End") else self.state
        if self.state:
            self._enter(state["Next"])
        return True

    def end(self) -> None:
        """Stop it where it is."""
        self.state = self.token = ""

    def _ask(self, state: dict[str, Any], invoke: Invoke, now: datetime) -> None:
        """Call the function with a new token; whoever is asked again after a fault gets another."""
        self.attempts += 1
        seconds = state.get("TimeoutSeconds") or _path(self.data, state["TimeoutSecondsPath"])
        assert isinstance(seconds, int)
        assert seconds > 0
        self.token = f"token-{id(self)}-{self.attempts}"
        self.times_out = now + timedelta(seconds=seconds)
        parameters = self._told(state)
        try:
            invoke(parameters["FunctionName"], json.loads(json.dumps(parameters["Payload"])))
        except BaseException:
            self.token = ""
            self.retries += 1
            raise

    def _time_out(self, state: dict[str, Any]) -> None:
        """The token is worth nothing from now on, and nobody tries again what has taken its time."""
        self.token = ""
        assert "States.Timeout" in state["Retry"][0]["ErrorEquals"]
        assert state["Retry"][0]["MaxAttempts"] == 0
        (caught,) = state["Catch"]
        assert caught["ErrorEquals"] == ["States.Timeout"]
        assert caught["ResultPath"] is None
        self._enter(caught["Next"])

    def _task(self, state: dict[str, Any], invoke: Invoke) -> None:
        parameters = self._told(state)
        try:
            answer = {"Payload": json.loads(json.dumps(invoke(parameters["FunctionName"], parameters["Payload"])))}
        except BaseException:
            self.retries += 1
            raise
        if state["ResultPath"] is None:
            return
        place = state["ResultPath"].removeprefix("$.")
        assert place in ("at", "left", "next")
        self.data = {**self.data, place: _filled(state["ResultSelector"], answer)}

    def _told(self, state: dict[str, Any]) -> dict[str, Any]:
        """What a Task is called with; the context object says which execution, attempt and token it is."""
        context = {
            "Task": {"Token": self.token},
            "Execution": {"Name": self.name},
            "State": {"RetryCount": self.retries},
        }
        return _filled(state["Parameters"], {**self.data, "$$": context})

    def _chosen(self, state: dict[str, Any]) -> str:
        """The first way that fits; an answer that leads nowhere fails the execution, as it does in AWS."""
        for choice in state["Choices"]:
            if _holds(choice, self.data):
                return str(choice["Next"])
        assert "Default" in state, f"States.NoChoiceMatched in {self.state}: {self.data}"
        return str(state["Default"])

    def _enter(self, state: str) -> None:
        self.state, self.retries = state, 0
        self.states.append(state)


def _holds(choice: dict[str, Any], data: dict[str, Any]) -> bool:
    if "And" in choice:
        return all(_holds(one, data) for one in choice["And"])
    if "IsPresent" in choice:
        return bool(choice["IsPresent"] == _is_present(data, choice["Variable"]))
    return bool(_path(data, choice["Variable"]) == choice["StringEquals"])


def _is_present(data: dict[str, Any], path: str) -> bool:
    try:
        _path(data, path)
    except KeyError:
        return False
    return True


def _filled(template: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, value in template.items():
        if name.endswith(".$"):
            filled[name.removesuffix(".$")] = _path(data, value)
        else:
            filled[name] = _filled(value, data) if isinstance(value, dict) else value
    return filled


def _path(data: Any, path: str) -> Any:
    if path.startswith("$$."):
        data, path = data["$$"], path.removeprefix("$")
    for part in path.removeprefix("$.").split("."):
        data = data[part]
    return data
