"""A small interpreter of the machines: enough ASL to walk them, strict about what it does not know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidings.automations.compile import Asl
from tidings.automations.graph import Moment, follow, links
from tidings.automations.model import Definition


@dataclass
class Walk:
    """What was entered, in order: states, and the components that stand behind them."""

    states: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    ended: bool = False


def enter(definition: Definition, moment: Moment) -> dict[str, Any]:
    """The part `at` of a machine's input, as enrolment makes it."""
    following = follow(definition, definition.start, moment)
    return {"n": 0, "next": following.next, "until": following.until}


def walk(definition: Definition, asl: Asl, moment: Moment, choose: Any, most: int = 60) -> Walk:
    """Walks the machine from its start; `choose(outcomes)` says how each component turns out."""
    at, state, done = enter(definition, moment), asl["StartAt"], Walk()
    while len(done.states) < most:
        step = asl["States"][state]
        done.states.append(state)
        if step["Type"] == "Succeed":
            done.ended = True
            return done
        if step["Type"] == "Choice":
            state = _chosen(step, at["next"])
            continue
        done.components.append(state)
        if step["Type"] == "Wait":
            assert step["TimestampPath"].removeprefix("$.at.until.") in at["until"], "nobody said until when"
        else:
            assert step["Type"] == "Task"
            if not step["Resource"].endswith("lambda:invoke"):
                assert state in at["until"], "nobody said until when"
            at = _carried_out(definition, step, state, at, moment, choose)
        if step.get("End"):
            done.ended = True
            return done
        state = step["Next"]
    return done


def _carried_out(
    definition: Definition, step: Asl, state: str, at: dict[str, Any], moment: Moment, choose: Any
) -> dict[str, Any]:
    assert step["Parameters"]["Payload"]["component"] == state
    ways = links(definition.components[state])
    following = follow(definition, ways[choose(sorted(ways))], moment)
    answer = {"outcome": "ours", "n": at["n"] + 1, "next": following.next, "until": following.until}
    until_answered = step["Resource"].endswith(".waitForTaskToken")
    begins = "$." if until_answered else "$.Payload."
    return {key.removesuffix(".$"): answer[path.removeprefix(begins)] for key, path in step["ResultSelector"].items()}


def _chosen(step: Asl, following: str) -> str:
    fitting = [choice["Next"] for choice in step["Choices"] if choice["StringEquals"] == following]
    assert len(fitting) == 1, f"no way, or several, for {following!r}"
    assert all(choice["Variable"] == "$.at.next" for choice in step["Choices"])
    return str(fitting[0])
