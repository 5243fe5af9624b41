"""What starts automations and how often, by examples from the life of a shop."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_merges import who
from tests.functional.test_reentry import refused
from tests.functional.test_triggers import own
from tests.support.world import THEIR_NUMBER, World
from tests.unit.docs.blocks import ANYTHING, blocks

from tidings.automations.definition.source import read

START = "POST /v1/automations/{name}/start"


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with every template that the examples send, in which user-17 is known."""
    for name in ("team-tour", "cart-reminder", "welcome-tips"):
        world.template(name)
    world.template("price-list", channel="sms")
    world.identify("user-17", email="mia@people.example", phone=THEIR_NUMBER, plan="free")
    return world


def publish(world: World, trigger: dict[str, Any], template: str, **more: Any) -> None:
    """An automation that sends after four hours."""
    components = {
        "wait": {"type": "wait", "for": "4 hours", "next": "send"},
        "send": {"type": "send_sms" if template == "price-list" else "send_email", "template": template},
    }
    world.automation({"automation": "example", "trigger": trigger, "start": "wait", "components": components} | more)


def entered(world: World) -> int:
    return len(world.of_contact(who(world, user_id="user-17"), "enrolments"))


def test_a_word_in_a_text_message_begins_the_price_list(acme: World) -> None:
    publish(acme, {"inbound": ["sms"], "where": {"property": "meaning", "is": "info"}}, "price-list")
    contact = who(acme, user_id="user-17")
    own(acme, contact, "SMS Received", meaning="other")
    assert entered(acme) == 0
    own(acme, contact, "SMS Received", meaning="info")
    assert entered(acme) == 1


def test_whoever_moves_to_the_team_plan_is_greeted_once(acme: World) -> None:
    publish(acme, {"event": "Contact Updated", "where": {"trait": "plan", "is": "team"}}, "team-tour", reentry="once")
    for plan in ("solo", "team", "team"):
        acme.now += timedelta(seconds=1)
        acme.identify("user-17", plan=plan)
    assert entered(acme) == 1


def test_a_cart_is_rescued_twice_at_most_a_day_apart_and_one_at_a_time(acme: World) -> None:
    reentry = {"per": "cart_id", "parallel": 1, "at_most": 2, "interval": "1 day"}
    publish(acme, {"event": "Cart Left"}, "cart-reminder", reentry=reentry)
    rules: list[Any] = []
    for cart, hours in (("a", 0), ("b", 1), ("a", 5), ("b", 1), ("a", 25), ("a", 25)):
        acme.run(timedelta(hours=hours))
        before = len(refused(acme, who(acme, user_id="user-17")))
        acme.track("user-17", "Cart Left", cart_id=cart)
        found = refused(acme, who(acme, user_id="user-17"))
        rules.append(found[0].refused[0].why["rule"] if len(found) > before else "")
    assert rules == ["", "parallel", "interval", "", "", "at_most"]


def test_a_call_starts_the_onboarding_as_the_developers_guide_says(acme: World) -> None:
    (written,) = [block.text for block in blocks("yaml automation") if "automation: onboarding-call\n" in block.text]
    acme.automation(dict(read(written)))
    (asked,) = [json.loads(block.text) for block in blocks("json start")]
    (shown,) = [json.loads(block.text) for block in blocks("json started")]
    for _ in range(2):
        status, answer = acme.call("automations", START, asked, path={"name": "onboarding-call"})
        acme.pump()
        assert status == 202
        assert {name: answer[name] if value == ANYTHING else value for name, value in shown.items()} == answer
    assert entered(acme) == 1
