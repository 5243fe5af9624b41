"""Events for handlers and AWS's answers to them, taken from a world, to be replayed in a clean interpreter."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.support.recorder import Call
from tests.support.world import World

from benchmarks.operations.costs import Operation, worlds


def record(operation: Operation) -> tuple[str, dict[str, Any]]:
    """The function that an operation's step calls, and its event with the answers to a cold and to a warm call."""
    function, event, cold = _record(operation, cold=True)
    _, _, warm = _record(operation, cold=False)
    return function, {"event": event, "cold": cold, "warm": warm}


def _record(operation: Operation, cold: bool) -> tuple[str, Any, list[Any]]:
    with worlds() as fresh, fresh() as world:
        step = operation.prepare(world)
        invoked: list[tuple[str, Any]] = []
        invoke = world.invoke

        def noted(name: str, event: Any) -> Any:
            invoked.append((name, json.loads(json.dumps(event))))
            if cold:
                world.cold(name)
            world.recorder.clear()
            return invoke(name, event)

        vars(world)["invoke"] = noted
        step()
        ((function, event),) = invoked
        return function, event, [_answer(call) for call in _calls(world)]


def _calls(world: World) -> list[Call]:
    calls = world.recorder.calls
    assert all(call.answer is not None for call in calls), "a refused call cannot be replayed"
    return calls


def _answer(call: Call) -> Any:
    body = {name: value for name, value in (call.answer or {}).items() if name != "ResponseMetadata"}
    return json.loads(json.dumps(body, default=lambda value: base64.b64encode(value).decode()))
