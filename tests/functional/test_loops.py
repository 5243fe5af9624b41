"""Ways that turn in a circle: how often they turn, whatever the clocks say, and that nobody turns without end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.world import World

from tidings.core.clock import SystemClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAIL: dict[str, Any] = {"type": "send_email", "template": "tips", "kind": "transactional"}
AT_TEN: dict[str, Any] = {"type": "wait", "until": {"at": "10:00"}, "next": "mail"}
BY_WEEKDAY: dict[str, Any] = {"type": "wait", "until": {"weekday": ["monday", "tuesday"], "at": "10:00"}}
MOST_TASKS = 60


def begun(world: World, start: str, **components: dict[str, Any]) -> None:
    """Ada in an automation that she may leave; it is Saturday, nine o'clock."""
    world.template("tips")
    definition: dict[str, Any] = {"automation": "loop", "trigger": {"event": "Signed Up"}, "start": start}
    world.automation({**definition, "exits": [{"name": "Out", "event": "Stop"}], "components": components})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Signed Up")


def bounded(world: World, monkeypatch: pytest.MonkeyPatch, lasting: timedelta = timedelta()) -> None:
    """Break off what never ends. Each Task takes a time."""
    real, left = world.task, [MOST_TASKS]

    def task(arn: str, payload: dict[str, Any]) -> Any:
        assert left[0], "it does not end"
        left[0] -= 1
        world.now += lasting
        return real(arn, payload)

    monkeypatch.setattr(world, "task", task)


@pytest.mark.parametrize("behind", [0, 0.5, 5])
@pytest.mark.parametrize(
    "components",
    [
        {"daily": AT_TEN, "mail": {**MAIL, "next": "daily"}},
        {"daily": AT_TEN, "mail": {**MAIL, "next": "count"}, "count": {**MAIL, "template": "tips", "next": "daily"}},
    ],
)
def test_a_loop_until_a_time_of_day_turns_once_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch, components: dict[str, Any], behind: float
) -> None:
    """Also where the clock of functions is behind that of Step Functions."""
    begun(world, "daily", **components)
    monkeypatch.setattr(SystemClock, "now", lambda _: world.now - timedelta(seconds=behind))
    bounded(world, monkeypatch)
    world.run(3 * DAY)
    assert len(world.ses.accepted) == 3 * (len(components) - 1)


def test_a_loop_until_weekdays_turns_once_on_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(world, "days", days={**BY_WEEKDAY, "next": "mail"}, mail={**MAIL, "next": "days"})
    bounded(world, monkeypatch, lasting=timedelta(seconds=0.1))
    world.run(14 * DAY)
    assert len(world.ses.accepted) == 4


def test_whoever_comes_at_that_very_time_does_not_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.now += HOUR
    begun(world, "daily", daily=AT_TEN, mail={**MAIL, "next": "daily"})
    bounded(world, monkeypatch)
    world.run(HOUR)
    assert len(world.ses.accepted) == 1
    world.run(DAY)
    assert len(world.ses.accepted) == 2


def test_what_is_waited_for_in_the_loop_does_not_bring_the_same_time_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(world, monkeypatch)
    arms = [{"name": "Said", "event": "Go", "next": "mail"}]
    said = {"type": "wait_for", "arms": arms, "timeout": "1 hour"}
    begun(world, "daily", daily={**AT_TEN, "next": "said"}, said=said, mail={**MAIL, "next": "daily"})
    world.run(HOUR)
    world.track("ada", "Go")
    world.run()
    (way,) = world.of_contact(world.contact(user_id="ada")["contact"], "enrolments")
    assert way["until"]["daily"] == "2026-11-22T10:00:00.000000Z"
