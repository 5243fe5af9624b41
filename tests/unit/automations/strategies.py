"""Automations at random, without errors; everything a user may write in words begins with `Zz`."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from tests.unit.conditions.strategies import DATES, DURATIONS

from tidings.automations.graph import reachable
from tidings.automations.model import Definition
from tidings.automations.rules import lint

OFFSETS = st.sampled_from(["-2 days", "+1 hour", "0 seconds"])
UNTIL = st.one_of(
    DATES,
    st.fixed_dictionaries({"trait": st.just("ZzEnds")}, optional={"offset": OFFSETS}),
    st.fixed_dictionaries({"property": st.just("ZzStarts")}, optional={"offset": OFFSETS}),
)


WHERES = st.sampled_from([None, {"property": "ZzSize", "at_least": 2}, {"trait": "ZzTrait", "is": "ZzValue"}])
CONDITIONS = st.sampled_from(
    [
        {"did": "ZzEvent", "since": "enrolment"},
        {"all": [{"trait": "ZzTrait", "is": "ZzValue"}, {"property": "ZzProperty", "in": ["ZzValue", 5]}]},
        {"none": [{"did_not": "ZzEvent", "within": "2 days", "where": {"property": "ZzSize", "at_least": 2}}]},
    ]
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Graphs of up to eight components. Links lead onward, those of a wait `for` a length of time also back."""
    count = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8]))
    components = {_name(number): _component(draw, number, count) for number in range(count)}
    written = {
        "automation": "zz-name",
        "description": "ZzDescription",
        "trigger": {"event": "ZzTrigger", "where": {"property": "ZzPlan", "is": "ZzTeam"}},
        "start": _name(0),
        "components": components,
    }
    definition = Definition.model_validate(written)
    kept = reachable(definition, [definition.start])
    written["components"] = {name: component for name, component in components.items() if name in kept}
    definition = Definition.model_validate(written)
    assume(not [problem for problem in lint(definition) if problem.level == "error"])
    return definition


def _name(number: int) -> str:
    return f"c{number}"


def _component(draw: st.DrawFn, number: int, count: int) -> dict[str, Any]:
    onward = st.sampled_from([*(_name(later) for later in range(number + 1, min(number + 4, count))), None])
    kinds = ["wait", "until", "wait_for", "branch", "send_email", "send_sms", "check_suppression"]
    kinds += ["end"] * (number > 0)
    kind = draw(st.sampled_from(kinds))
    if kind == "wait":
        back = st.sampled_from([_name(earlier) for earlier in range(number)]) if number else onward
        return _filled({"type": "wait", "for": draw(DURATIONS), "next": draw(st.one_of(onward, back))})
    if kind == "until":
        return _filled({"type": "wait", "until": draw(UNTIL), "next": draw(onward)})
    if kind == "wait_for":
        arms = [_filled({"name": f"ZzArm{n}", "event": "ZzEvent", "where": draw(WHERES), "next": draw(onward)})
                for n in range(draw(st.integers(1, 3)))]  # fmt: skip
        return _filled({"type": kind, "arms": arms, "timeout": draw(DURATIONS), "on_timeout": draw(onward)})
    if kind == "branch":
        return _filled({"type": "branch", "arms": _arms(draw, onward), "otherwise": draw(onward)})
    if kind in ("send_email", "send_sms"):
        links = {"next": draw(onward), "on_skipped": draw(onward)}
        return _filled({"type": kind, "template": "zz-mail", **links})
    if kind == "check_suppression":
        return _filled({"type": kind, "channel": "email", "clear": draw(onward), "suppressed": draw(onward)})
    return {"type": "end"}


def _arms(draw: st.DrawFn, onward: st.SearchStrategy[str | None]) -> list[dict[str, Any]]:
    names = [f"ZzArm{number}" for number in range(draw(st.integers(1, 3)))]
    return [_filled({"name": name, "when": draw(CONDITIONS), "next": draw(onward)}) for name in names]


def _filled(written: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if value is not None}
