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


# --- two automations -------------------------------------------------------------------------------------------------

ASK: dict[str, Any] = {"type": "start_automation", "automation": "count"}
COUNT: dict[str, Any] = {"type": "update_contact", "set": {"visits": {"add": 1}}}


def changed(then: str, **more: Any) -> dict[str, Any]:
    arms = [{"name": "Changed", "event": "Contact Updated", "next": then, **more}]
    return {"type": "wait_for", "arms": arms, "timeout": "2 days"}


def started_by_a_wait(world: World, **components: dict[str, Any]) -> None:
    """Ada waits for a change of hers, upon which an automation changes her; an app changes her once."""
    count = {"automation": "count", "trigger": {"api": True}, "start": "count", "components": {"count": COUNT}}
    world.automation(count)
    world.identify("ada", email="ada@people.example")
    world.now += HOUR
    begun(world, "changed", **components)
    world.run()
    world.identify("ada", plan="team")
    world.run()


def visits(world: World) -> float:
    return float(world.contact(user_id="ada")["traits"]["visits"])


def test_automations_that_wake_and_start_each_other_come_to_an_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(world, monkeypatch)
    started_by_a_wait(world, changed=changed("ask"), ask={**ASK, "next": "changed"})
    world.run(HOUR)
    assert visits(world) == 5, "a chain of ten: five waits ended and five times started"
    world.identify("ada", plan="solo")
    world.run(HOUR)
    assert visits(world) == 10, "what somebody did from outside begins anew"


def test_what_comes_of_itself_after_a_message_begins_no_chain_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(world, monkeypatch)
    arms = [{"name": "Delivered", "event": "Email Delivered", "of": "mail", "next": "ask"}]
    started_by_a_wait(
        world,
        changed=changed("mail"),
        mail={**MAIL, "next": "delivered"},
        delivered={"type": "wait_for", "arms": arms, "timeout": "1 day"},
        ask={**ASK, "next": "changed"},
    )
    for mails in range(1, 7):
        assert len(world.ses.accepted) == mails
        world.now += timedelta(minutes=1)
        world.feedback(world.ses.event("Delivery", world.ses.accepted[-1]))
        world.run()
    assert (visits(world), len(world.ses.accepted)) == (5, 6)


def test_automations_that_wait_for_each_other_come_to_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One waits for what the other one asks for, whoever is asked; the other one for what the first one changes."""
    bounded(world, monkeypatch)
    arms = [{"name": "Asked", "event": "Automation Requested", "next": "count"}]
    asked = {"type": "wait_for", "arms": arms, "timeout": "2 days"}
    components = {"asked": asked, "count": {**COUNT, "next": "asked"}}
    world.automation({"automation": "b", "trigger": {"event": "Signed Up"}, "start": "asked", "components": components})
    started_by_a_wait(world, changed=changed("ask"), ask={**ASK, "automation": "nobody", "next": "changed"})
    assert visits(world) == 5
    world.now += HOUR
    world.identify("ada", plan="solo")
    world.run()
    assert visits(world) == 10


def test_who_waited_in_vain_begins_a_chain_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(world, monkeypatch)
    started_by_a_wait(world, changed={**changed("ask"), "on_timeout": "ask"}, ask={**ASK, "next": "changed"})
    world.run(HOUR)
    assert visits(world) == 5
    world.run(2 * DAY)
    assert visits(world) == 10
