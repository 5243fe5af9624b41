"""Automations at random, without errors; everything a user may write in words begins with `Zz`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from tests.unit.conditions.strategies import DATES, DURATIONS

from tidings.automations.components import COMPONENT_TYPES, Sends, Webhook
from tidings.automations.definition.model import Definition
from tidings.automations.definition.rules import lint
from tidings.automations.machines.graph import links, reachable

Written = dict[str, Any]

TIMES = st.sampled_from(["09:00", "00:00", "23:59"])
DAYS = st.sampled_from(["monday", "sunday", ["tuesday", "friday"]])
OFFSETS = st.sampled_from(["-2 days", "+1 hour", "0 seconds"])
LONG = st.one_of(DURATIONS, st.sampled_from(["299 days", "300 days", "301 days", "3650 days"]))
_OF_DATES = {"offset": OFFSETS, "at": TIMES}
UNTIL = st.one_of(
    DATES,
    st.fixed_dictionaries({"trait": st.just("ZzEnds")}, optional=_OF_DATES),
    st.fixed_dictionaries({"property": st.just("ZzStarts")}, optional=_OF_DATES),
    st.fixed_dictionaries({"weekday": DAYS}, optional={"at": TIMES}),
    st.fixed_dictionaries({"at": TIMES}),
)
_TRAIT = {"trait": "ZzTrait", "is": "ZzValue"}
WHERES = st.sampled_from([{"property": "ZzSize", "at_least": 2}, _TRAIT, {"any": [_TRAIT]}])
CONDITIONS = st.sampled_from(
    [
        {"did": "ZzEvent", "since": "enrolment"},
        {"all": [_TRAIT, {"property": "ZzProperty", "in": ["ZzValue", 5]}]},
        {"none": [{"did_not": "ZzEvent", "within": "2 days", "where": {"property": "ZzSize", "at_least": 2}}]},
    ]
)
MATCH = st.sampled_from(["ZzOrder", ["ZzOrder", "ZzShop"]])
VALUES = st.dictionaries(
    st.sampled_from(["ZzOne", "ZzTwo"]),
    st.sampled_from(["ZzText", 5, ["ZzText"], {"property": "ZzP"}, {"trait": "ZzT"}, {"add": -1.5}, {"now": True}]),
    min_size=1,
)
TRIGGERS = st.one_of(
    st.fixed_dictionaries({"event": st.just("ZzTrigger")}, optional={"where": WHERES, "merged": st.booleans()}),
    st.fixed_dictionaries({"inbound": st.sampled_from(["any", ["sms"], ["email", "sms"]])}, optional={"where": WHERES}),
    st.fixed_dictionaries({"api": st.just(True)}, optional={"where": WHERES}),
    st.fixed_dictionaries(
        {
            "date": st.fixed_dictionaries(
                {"trait": st.just("ZzBorn")},
                optional={"every": st.sampled_from(["year", "once"]), "at": TIMES, "offset": OFFSETS},
            )
        }
    ),
)
REENTRIES = st.one_of(
    st.sampled_from(["once", "every_time"]),
    st.fixed_dictionaries(
        {"per": st.just("ZzOrder")},
        optional={"parallel": st.integers(1, 100), "at_most": st.integers(1, 5), "interval": DURATIONS},
    ),
)
EXITS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"event": st.just("ZzExit")}, optional={"where": WHERES, "match": MATCH}),
        st.fixed_dictionaries({"when": st.sampled_from([_TRAIT, {"did": "ZzExit", "since": "enrolment"}])}),
    ),
    max_size=2,
).map(lambda exits: [{"name": f"ZzExit{n}", **one} for n, one in enumerate(exits)])
GOALS = st.fixed_dictionaries(
    {"event": st.just("ZzGoal")}, optional={"where": WHERES, "match": MATCH, "within": DURATIONS}
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Graphs of up to eight components. Links lead onward, those of a wait `for` a length of time also back."""
    count = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8]))
    components = {_name(number): _component(draw, number, count) for number in range(count)}
    written: Written = {
        "automation": "zz-name",
        "description": "ZzDescription",
        "trigger": draw(TRIGGERS),
        "reentry": draw(REENTRIES),
        "exits": draw(EXITS),
        "start": _name(0),
        "components": components,
    }
    if draw(st.booleans()):
        written["goal"] = draw(GOALS)
    definition = Definition.model_validate(written)
    kept = reachable(definition, [definition.start])
    written["components"] = {name: component for name, component in components.items() if name in kept}
    _look_back(draw, Definition.model_validate(written), written["components"])
    definition = Definition.model_validate(written)
    assume(not [problem for problem in lint(definition) if problem.level == "error"])
    return definition


def _name(number: int) -> str:
    return f"c{number}"


def _filled(written: Written) -> Written:
    return {key: value for key, value in written.items() if value is not None}


def _component(draw: st.DrawFn, number: int, count: int) -> Written:
    onward = st.sampled_from([*(_name(later) for later in range(number + 1, min(number + 4, count))), None])
    kind = draw(st.sampled_from([*COMPONENT_TYPES] if number else [name for name in COMPONENT_TYPES if name != "end"]))
    made: Written = {"type": kind}
    back = st.sampled_from([_name(earlier) for earlier in range(number)]) if number else onward
    if kind == "wait":
        if draw(st.booleans()):
            made |= {"for": draw(LONG), "next": draw(st.one_of(onward, back))}
        else:
            made |= {"until": draw(UNTIL), "if_past": draw(st.sampled_from([None, "go_on", "leave"]))}
    made |= _SAID[kind](draw, onward) if kind in _SAID else {}
    for key in _LINKS.get(kind, ["next"]):
        made.setdefault(key, draw(onward))
    return _filled(made)


_LINKS = {
    "wait_for": ["on_timeout"],
    "inbound_message": ["next", "on_timeout"],
    "filter": ["next", "otherwise"],
    "branch": ["otherwise"],
    "split": [],
    "send_email": ["next", "on_skipped"],
    "send_sms": ["next", "on_skipped"],
    "check_suppression": ["clear", "suppressed"],
    "assign_conversation": ["next", "on_none"],
    "webhook": ["next", "on_failed"],
    "update_contact": ["next", "on_refused"],
    "end": [],
}


Onward = st.SearchStrategy[str | None]


def _wait_for(draw: st.DrawFn, onward: Onward) -> Written:
    arms = [
        _filled(
            {
                "name": f"ZzArm{n}",
                "event": "ZzEvent",
                "where": draw(st.none() | WHERES),
                "match": draw(st.none() | MATCH),
                "next": draw(onward),
            }
        )
        for n in range(draw(st.integers(1, 3)))
    ]
    return {"arms": arms, "timeout": draw(LONG)}


def _inbound(draw: st.DrawFn, onward: Onward) -> Written:
    channels = draw(st.sampled_from(["any", ["sms"], ["email", "sms"], None]))
    return {"channels": channels, "where": draw(st.none() | WHERES), "timeout": draw(LONG)}


def _branch(draw: st.DrawFn, onward: Onward) -> Written:
    names = [f"ZzArm{number}" for number in range(draw(st.integers(1, 3)))]
    return {"arms": [_filled({"name": name, "when": draw(CONDITIONS), "next": draw(onward)}) for name in names]}


def _split(draw: st.DrawFn, onward: Onward) -> Written:
    percents, holdout = draw(st.sampled_from([([100], None), ([33.33, 66.67], None), ([50, 25.5], 24.5), ([99], 1)]))
    arms = [_filled({"name": f"ZzArm{n}", "percent": p, "next": draw(onward)}) for n, p in enumerate(percents)]
    return {"arms": arms, "holdout": holdout, "on_holdout": None if holdout is None else draw(onward)}


def _sends(draw: st.DrawFn, onward: Onward) -> Written:
    return {
        "template": "zz-mail",
        "topic": draw(st.sampled_from([None, "zz-topic"])),
        "conversation": draw(st.sampled_from([None, "new", "follow_up"])),
    }


def _webhook(draw: st.DrawFn, onward: Onward) -> Written:
    return {
        "url": "https://zz.example/ZzPath?ZzKey=ZzValue",
        "method": draw(st.sampled_from([None, "POST", "PUT"])),
        "headers": draw(st.none() | st.just({"Zz-Header": "ZzSecret"})),
        "body": draw(st.none() | st.just({"ZzKey": ["Zz {{ contact.ZzName }}", {"ZzInner": None}]})),
    }


_SAID: dict[str, Any] = {
    "wait_for": _wait_for,
    "inbound_message": _inbound,
    "filter": lambda draw, onward: {"when": draw(CONDITIONS)},
    "branch": _branch,
    "split": _split,
    "send_email": _sends,
    "send_sms": lambda draw, onward: {**_sends(draw, onward), "sender": draw(st.sampled_from([None, "ZzShop"]))},
    "check_suppression": lambda draw, onward: {"channel": draw(st.sampled_from(["email", "sms"]))},
    "assign_conversation": lambda draw, onward: {
        "inbox": "zz-inbox", "agent": draw(st.sampled_from([None, "zz@zz.example"]))
    },
    "webhook": _webhook,
    "update_contact": lambda draw, onward: {
        "set": draw(VALUES), "unset": draw(st.sampled_from([None, ["ZzThree"]]))
    },
    "start_automation": lambda draw, onward: {"automation": "zz-other", "properties": draw(st.none() | VALUES)},
    "goal": lambda draw, onward: {"name": draw(st.sampled_from([None, "ZzGoal"]))},
}  # fmt: skip


def _look_back(draw: st.DrawFn, definition: Definition, components: dict[str, Written]) -> None:
    """Let some components ask what became of those before them, where there are any."""
    ahead = {one: reachable(definition, links(component).values()) for one, component in definition.components.items()}
    for name, made in components.items():
        before = [one for one in components if name in ahead[one]]
        sent = [one for one in before if isinstance(definition.components[one], Sends)]
        called = [one for one in before if isinstance(definition.components[one], Webhook)]
        if sent and made["type"] == "inbound_message":
            made |= _filled({"of": draw(st.sampled_from([None, *sent]))})
        if sent and made["type"] == "wait_for":
            made["arms"][0] |= _filled({"of": draw(st.sampled_from([None, *sent]))})
        if sent and made["type"] == "filter" and draw(st.booleans()):
            made["when"] = {"engaged": draw(st.sampled_from(sent)), "by": ["opened", "clicked"]}
        if called and made["type"] == "branch" and draw(st.booleans()):
            made["arms"][0]["when"] = {"answer": f"{draw(st.sampled_from(called))}.body.ZzTier", "is": "ZzGold"}
        if called and made["type"] == "update_contact":
            made["set"]["ZzTier"] = {"answer": f"{draw(st.sampled_from(called))}.body.ZzTier"}


def many_definitions(count: int) -> list[Definition]:
    """Different automations, the same in every process."""
    found: dict[str, Definition] = {}

    @settings(
        max_examples=5 * count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions())
    def collect(definition: Definition) -> None:
        if len(found) < count:
            found.setdefault(json.dumps(definition.as_dict()), definition)

    collect()
    return list(found.values())
