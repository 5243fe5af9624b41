"""Whoever was in an automation when their contact became part of another goes on, however many merges that took."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_merges import merge, say, who
from tests.functional.test_waits import BOOKING, machine, reported, subjects
from tests.support.world import World

WAITING: dict[str, Any] = {
    **BOOKING,
    "start": "answer",
    "components": {name: one for name, one in BOOKING["components"].items() if name != "ask"},
}
ADDRESS = "ada@people.example"
MERGES = 3


@pytest.fixture
def merged(world: World) -> World:
    """A visitor of device d-0 waits in an automation, and became part of another, that of a third, and so on: Ada."""
    for template in ("thanks", "reminder"):
        world.template(template)
    world.automation(WAITING)
    say(world, "Booking Requested", anonymousId="d-0")
    world.run()
    assert machine(world).token
    world.now += timedelta(hours=1)
    for number in range(1, MERGES):
        say(world, "Seen", anonymousId=f"d-{number}")
        absorbed, into = (who(world, anonymous_id=f"d-{one}") for one in (number - 1, number))
        merge(world, absorbed, into, f"k-{number}")
    world.identify("ada", email=ADDRESS)
    say(world, userId="ada", anonymousId=f"d-{MERGES - 1}", traits={"email": ADDRESS})
    return world


def test_what_follows_a_wait_is_sent_to_who_they_are_by_then(merged: World) -> None:
    merged.run(timedelta(days=3))
    assert subjects(merged) == ["reminder"]
    assert merged.ses.accepted[0]["Destination"]["ToAddresses"] == [ADDRESS]


def test_an_answer_that_nobody_has_reacted_to_is_found_when_the_time_is_over(merged: World) -> None:
    merged.now += timedelta(hours=1)
    reported(merged, meaning="confirm")
    merged.now += timedelta(days=2)
    for _ in range(2):
        machine(merged).step(merged.task, merged.now)
    (enrolment,) = merged.of_contact(merged.contact(user_id="ada")["contact"], "enrolments")
    assert [(one["component"], one["outcome"]) for one in enrolment["path"]][:1] == [("answer", "Confirmed")]


def test_the_chain_of_causes_shows_who_they_are_by_now(merged: World) -> None:
    merged.run(timedelta(days=3))
    ada = merged.contact(user_id="ada")["contact"]
    (message,) = merged.of_contact(ada, "messages")
    status, answer = merged.call("chain", "GET /v1/chain", query={"node": f"message:{message['message']}"})
    assert status == 200, answer
    assert {one["contact"] for one in nodes(answer) if one.get("contact")} == {ada}


def nodes(tree: Any) -> list[dict[str, Any]]:
    """Every object in an answer."""
    if isinstance(tree, list):
        return [one for inner in tree for one in nodes(inner)]
    if not isinstance(tree, dict):
        return []
    return [tree, *(one for inner in tree.values() for one in nodes(inner))]
