"""The packed index of automations: it answers what the definitions would, and reads no more than is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tidings.activity.own_events import DATE_REACHED, REQUESTED
from tidings.automations.automation_store import Automation
from tidings.automations.definition.model import parse_definition
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.listening.index import (
    ANYTHING,
    AWAITS,
    DATES,
    ENROLS,
    GOALS,
    LETS_OUT,
    MERGES,
    Piece,
    line_of,
    pack,
    path_of,
    unpack,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
COMPONENTS = {"start": "tips", "components": {"tips": {"type": "send_email", "template": "tips"}}}


def automation(name: str, trigger: dict[str, Any], version: int = 1, **more: Any) -> Automation:
    """A published automation."""
    written = {"automation": name, "trigger": trigger, **COMPONENTS, **more}
    definition = parse_definition(written)
    live = Automation("acme", definition, version, f"arn:{name}", NOW)
    return replace(live, awaits=definition.awaits, lets_out=definition.lets_out)


def packed(*automations: Automation) -> Piece:
    """The piece that holds these."""
    return unpack("acme", 1, pack({one.name: line_of(one, None) for one in automations}))


def test_an_automation_is_found_by_the_event_that_starts_it() -> None:
    piece = packed(automation("one", {"event": "Bought"}), automation("two", {"event": "Viewed"}))
    (found,) = piece.by_event(ENROLS, "Bought")
    assert (found.name, found.version, found.machine, found.published_at) == ("one", 1, "arn:one", NOW)
    assert found.state is AutomationState.LIVE
    assert piece.by_event(ENROLS, "Sold") == []


def test_what_was_written_comes_out_as_it_was_written() -> None:
    live = automation(
        "one",
        {"event": "Bought", "where": {"property": "plan", "is": "team"}, "merged": True},
        reentry={"per": "order", "interval": "7 days"},
    )
    (found,) = packed(live).by_event(ENROLS, "Bought")
    assert found.trigger == live.definition.trigger
    assert found.reentry == live.definition.reentry
    assert packed(live).of_kind(MERGES) == [found]


def test_an_automation_that_is_asked_for_by_its_name_is_found_by_that_only() -> None:
    piece = packed(automation("asked", {"api": True}), automation("dated", {"date": {"trait": "birthday"}}))
    assert piece.by_event(ENROLS, REQUESTED) == piece.by_event(ENROLS, DATE_REACHED) == []
    asked, dated = piece.named("asked"), piece.named("dated")
    assert asked is not None
    assert asked.trigger.events == (REQUESTED,)
    assert dated is not None
    assert dated.date is not None
    assert piece.of_kind(DATES) == [dated]
    assert piece.named("nobody") is None


def test_an_exit_is_found_by_its_event_and_by_anything() -> None:
    exits = [{"name": "Left", "event": "Account Closed"}, {"name": "Big", "when": {"trait": "plan", "is": "big"}}]
    piece = packed(automation("one", {"event": "Bought"}, exits=exits), automation("two", {"event": "Bought"}))
    for event in ("Account Closed", "*", ANYTHING):
        assert piece.names_by_event(LETS_OUT, event) == ["one"]


def test_goals_of_earlier_versions_count_on() -> None:
    first = automation("one", {"event": "Bought"}, goal={"event": "Paid"})
    second = automation("one", {"event": "Bought"}, version=2, goal={"event": "Praised"})
    line = line_of(second, line_of(first, None))
    piece = unpack("acme", 2, pack({"one": line}))
    assert piece.names_by_event(GOALS, "Paid") == piece.names_by_event(GOALS, "Praised") == ["one"]
    (found,) = piece.by_event(ENROLS, "Bought")
    assert found.first_published_at == NOW
    assert found.version == 2


def test_where_an_automation_stands_is_told() -> None:
    paused = replace(automation("one", {"event": "Bought"}), state=AutomationState.PAUSED)
    (found,) = packed(paused).by_event(ENROLS, "Bought")
    assert found.state is AutomationState.PAUSED


def test_no_condition_is_read_of_an_automation_that_an_event_does_not_concern() -> None:
    lines = {
        "right": line_of(automation("right", {"event": "Bought"}), None),
        "wrong": {**line_of(automation("wrong", {"event": "Viewed"}), None), "trigger": "no trigger at all"},
    }
    piece = unpack("acme", 1, pack(lines))
    (found,) = piece.by_event(ENROLS, "Bought")
    assert found.trigger.events == ("Bought",)


def test_a_condition_is_parsed_once() -> None:
    piece = packed(automation("one", {"event": "Bought", "where": {"property": "plan", "is": "team"}}))
    assert piece.by_event(ENROLS, "Bought")[0].trigger is piece.by_event(ENROLS, "Bought")[0].trigger


NAMES = st.from_regex("[a-z][a-z0-9-]{0,12}", fullmatch=True)
EVENTS = st.sampled_from(["Bought", "Viewed", "Über uns gelesen", "Line\nbreak", 'Quote"', "Separator\u2028"])


@given(st.dictionaries(NAMES, st.tuples(EVENTS, EVENTS, EVENTS, EVENTS), max_size=12))
def test_the_index_answers_what_the_definitions_would(written: dict[str, tuple[str, str, str, str]]) -> None:
    live = {
        name: automation(
            name,
            {"event": enrols},
            exits=[{"name": "Out", "event": out}],
            goal={"event": goal},
            start="wait",
            components={"wait": {"type": "wait_for", "arms": [{"name": "A", "event": waits}], "timeout": "1 day"}},
        )
        for name, (enrols, out, goal, waits) in written.items()
    }
    lines = {name: line_of(one, None) for name, one in live.items()}
    piece = unpack("acme", 1, pack(lines))
    for place, role in enumerate((ENROLS, LETS_OUT, GOALS, AWAITS)):
        for event in {told[place] for told in written.values()}:
            expected = sorted(name for name, told in written.items() if told[place] == event)
            assert piece.names_by_event(role, event) == expected
            assert [one.name for one in piece.by_event(role, event)] == expected
    assert piece.all_lines() == lines
    assert pack(dict(reversed(lines.items()))) == pack(lines), "the same lines must be the same bytes"


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_two_automations_part_at_some_depth(names: list[str]) -> None:
    first, second = map(path_of, names)
    assert len(first) == len(second) == 32
    assert first != second
