"""Until when waits last, and where outcomes lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidings.automations.definition.model import Definition
from tidings.automations.machines.following import Following
from tidings.automations.machines.graph import Moment, follow, links

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def automation(**components: dict[str, Any]) -> Definition:
    return Definition.model_validate(
        {"automation": "a", "trigger": {"event": "E"}, "start": next(iter(components)), "components": components}
    )


def wait(**written: Any) -> dict[str, Any]:
    return {"type": "wait", **written}


MAIL = {"type": "send_email", "template": "t"}


def test_a_component_that_acts_is_entered_at_once() -> None:
    assert follow(automation(mail=MAIL), "mail", Moment(NOW)) == Following("mail", {})


@pytest.mark.parametrize("reached", ["done", "", "nowhere"])
def test_the_way_ends_at_an_end_and_where_there_is_nothing(reached: str) -> None:
    assert follow(automation(mail=MAIL, done={"type": "end"}), reached, Moment(NOW)) == Following("", {})


def test_each_wait_begins_when_the_one_before_ends() -> None:
    definition = automation(
        first=wait(**{"for": "2 days", "next": "second"}),
        second=wait(until="2026-06-16", next="third"),
        third=wait(**{"for": "1 hour", "next": "mail"}),
        mail={**MAIL, "next": "later"},
        later=wait(**{"for": "1 day"}),
    )
    assert follow(definition, "first", Moment(NOW)) == Following(
        "first", {"first": NOW + 2 * DAY, "second": NOW + 2 * DAY, "third": NOW + 2 * DAY + timedelta(hours=1)}
    )
    assert follow(definition, "second", Moment(NOW)).next == "second"
    assert follow(definition, "later", Moment(NOW)) == Following("later", {"later": NOW + DAY})


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("2026-06-20T08:00:00+02:00", datetime(2026, 6, 20, 6, tzinfo=UTC)),
        ("2026-06-20", datetime(2026, 6, 20, tzinfo=UTC)),
        ("2020-01-01", NOW),
        ({"trait": "ends"}, datetime(2026, 6, 30, 9, tzinfo=UTC)),
        ({"trait": "ends", "offset": "-2 days"}, datetime(2026, 6, 28, 9, tzinfo=UTC)),
        ({"trait": "ends", "offset": "1 hour 30 minutes"}, datetime(2026, 6, 30, 10, 30, tzinfo=UTC)),
        ({"trait": "ends", "offset": "-30 days"}, NOW),
        ({"trait": "trial.ends"}, datetime(2026, 7, 1, tzinfo=UTC)),
        ({"trait": "missing"}, NOW),
        ({"trait": "seats", "offset": "5 days"}, NOW),
        ({"trait": "soon"}, NOW),
        ({"trait": "starts"}, NOW),
        ({"property": "starts"}, datetime(2026, 6, 18, tzinfo=UTC)),
        ({"property": "ends"}, NOW),
        ({"trait": "last", "offset": "2 days"}, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ({"trait": "first", "offset": "-2 days"}, NOW),
    ],
)
def test_a_wait_lasts_until_its_date_or_not_at_all(until: Any, end: datetime) -> None:
    traits = {
        "ends": "2026-06-30T09:00:00Z", "trial": {"ends": "2026-07-01"}, "seats": 5, "soon": "soon",
        "last": "9999-12-31T12:00:00Z", "first": "0001-01-01",
    }  # fmt: skip
    moment = Moment(NOW, traits=traits, properties={"starts": "2026-06-18"})
    assert follow(automation(pause=wait(until=until)), "pause", moment).until == {"pause": end}


def test_a_loop_of_waits_is_walked_once() -> None:
    definition = automation(a=wait(**{"for": "1 day", "next": "b"}), b=wait(**{"for": "1 day", "next": "a"}))
    assert follow(definition, "a", Moment(NOW)).until == {"a": NOW + DAY, "b": NOW + 2 * DAY}


def test_outcomes_lead_where_the_definition_says() -> None:
    definition = automation(
        ask={
            "type": "branch",
            "arms": [
                {"name": "yes", "when": {"did": "X"}, "next": "mail"},
                {"name": "no", "when": {"did_not": "X"}},
            ],
            "otherwise": "guard",
        },
        mail={**MAIL, "next": "guard", "on_skipped": "pause"},
        plain={**MAIL, "next": "guard"},
        guard={"type": "check_suppression", "channel": "email", "clear": "mail"},
        pause=wait(**{"for": "1 day"}),
        done={"type": "end"},
    )
    ways = {component_id: links(component) for component_id, component in definition.components.items()}
    assert ways == {
        "ask": {"yes": "mail", "no": "", "otherwise": "guard"},
        "mail": {"accepted": "guard", "skipped": "pause", "unknown": "guard"},
        "plain": {"accepted": "guard", "skipped": "guard", "unknown": "guard"},
        "guard": {"clear": "mail", "suppressed": ""},
        "pause": {"waited": ""},
        "done": {},
    }


WAIT_FOR = {"type": "wait_for", "arms": [{"name": "Paid", "event": "Paid", "next": "mail"}], "timeout": "3 days"}


def test_a_wait_for_an_event_lasts_at_most_from_when_it_is_reached() -> None:
    definition = automation(
        day=wait(**{"for": "1 day", "next": "paid"}), paid={**WAIT_FOR, "on_timeout": "day"}, mail=MAIL
    )
    assert follow(definition, "day", Moment(NOW)) == Following("day", {"day": NOW + DAY, "paid": NOW + 4 * DAY})
    assert follow(definition, "paid", Moment(NOW)) == Following("paid", {"paid": NOW + 3 * DAY})
    assert links(definition.components["paid"]) == {"Paid": "mail", "timeout": "day"}
