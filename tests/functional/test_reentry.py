"""Product rule 5.10: who enters an automation again, and who does not; also across versions and merges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_merges import merge, say, undo, who
from tests.support.world import START, World

from tidings.automations.entering.refusals import Refusals, Refused
from tidings.automations.entering.refusals_store import DynamoRefusalStore
from tidings.core.clock import to_text

COMPONENTS = {
    "pause": {"type": "wait", "for": "2 days", "next": "asked"},
    "asked": {"type": "check_suppression", "channel": "email"},
}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace in which Ada is known."""
    world.identify("ada", email="ada@people.example")
    return world


def publish(world: World, reentry: Any, name: str = "tour", **more: Any) -> None:
    trigger = {"event": "Ordered"}
    definition = {"automation": name, "trigger": trigger, "start": "pause", "components": COMPONENTS}
    world.automation({**definition, "reentry": reentry, **more})


def entries(world: World, user: str = "ada", name: str = "tour") -> int:
    found = world.of_contact(who(world, user_id=user), "enrolments")
    return len([one for one in found if one["automation"] == name])


def refused(world: World, contact: str = "") -> list[Refusals]:
    """Why a contact did not enter, latest first."""
    store, contact = DynamoRefusalStore(world.database), contact or who(world, user_id="ada")
    with world.recorder.unseen():
        return list(store.latest("acme", contact, world.now, world.now))


def why(world: World) -> Refused:
    """Why the only automation did not take Ada in the last time."""
    (one,) = refused(world)[0].refused
    return one


def order(world: World, **properties: Any) -> str:
    """Ada orders something a second later; the message id."""
    world.now += timedelta(seconds=1)
    return world.track("ada", "Ordered", **properties)


# --- every time, and once --------------------------------------------------------------------------------------------


def test_every_time_is_every_time(acme: World) -> None:
    publish(acme, "every_time")
    for _ in range(3):
        order(acme)
    assert entries(acme) == 3
    assert refused(acme) == []


def test_once_is_once_for_good(acme: World) -> None:
    publish(acme, "once")
    order(acme)
    acme.run(timedelta(days=400))
    order(acme)
    assert entries(acme) == 1
    assert (why(acme).reason.value, why(acme).why["rule"]) == ("reentry", "once")
    assert why(acme).sentence == "they entered on 2026-11-21 09:00:01 UTC, and may enter only once"


def test_once_counts_entries_of_versions_that_took_everybody_in_every_time(acme: World) -> None:
    publish(acme, "every_time")
    order(acme)
    acme.run(timedelta(days=1))
    publish(acme, "once")
    order(acme)
    assert entries(acme) == 1
    assert why(acme).why["rule"] == "once"
    acme.identify("bob")
    acme.track("bob", "Ordered")
    acme.track("bob", "Ordered")
    assert entries(acme, "bob") == 1


def test_who_entered_once_enters_again_by_a_version_that_takes_them_every_time(acme: World) -> None:
    publish(acme, "once")
    order(acme)
    acme.run(timedelta(days=1))
    publish(acme, "every_time")
    order(acme)
    assert entries(acme) == 2


# --- counted ---------------------------------------------------------------------------------------------------------


def test_at_most_counts_all_entries_whatever_became_of_them(acme: World) -> None:
    publish(acme, {"at_most": 2})
    for _ in range(4):
        order(acme)
        acme.run(timedelta(days=3))
    assert entries(acme) == 2
    assert why(acme).why == {
        "rule": "at_most",
        "sentence": "they entered 2 times, and may enter 2 times",
        "at_most": 2,
        "entered": 2,
        "last": to_text(START + timedelta(days=3, seconds=2)),
    }


def test_an_interval_is_counted_from_entry_to_entry(acme: World) -> None:
    publish(acme, {"interval": "7 days"})
    order(acme)
    acme.run(timedelta(days=7) - timedelta(seconds=2))
    order(acme)
    assert entries(acme) == 1, "one second too early"
    assert why(acme).why["rule"] == "interval"
    order(acme)
    assert entries(acme) == 2
    order(acme)
    assert entries(acme) == 2, "what was refused does not count, what entered does"


def test_parallel_is_how_many_ways_are_under_way(acme: World) -> None:
    publish(acme, {"parallel": 2})
    for _ in range(3):
        order(acme)
    assert entries(acme) == 2
    assert why(acme).why == {
        "rule": "parallel",
        "sentence": "they are in it 2 times already, and may be 2 times",
        "parallel": 2,
        "under_way": 2,
    }
    acme.run(timedelta(days=2))
    order(acme)
    assert entries(acme) == 3, "those who finished have made room"


def test_each_value_of_a_property_enters_once(acme: World) -> None:
    publish(acme, {"per": "cart"})
    for cart in ("a", "b", "a", 1, 1.0, True, "1"):
        order(acme, cart=cart)
    assert entries(acme) == 5, "1 and 1.0 are the same; true and the text 1 are not"


def test_an_event_without_the_property_enters_nobody(acme: World) -> None:
    publish(acme, {"per": "cart.id"})
    for properties in ({}, {"cart": {}}, {"cart": {"id": None}}, {"cart": {"id": ""}}):
        order(acme, **properties)
        assert (why(acme).reason.value, why(acme).why["per"]) == ("no_key", "cart.id")
    assert why(acme).sentence == "the event has no cart.id, by which entries are told apart"
    order(acme, cart={"id": "c-1"})
    assert entries(acme) == 1


def test_a_cap_and_an_interval_hold_for_each_value_and_parallel_for_all(acme: World) -> None:
    publish(acme, {"per": "cart", "at_most": 2, "interval": "1 day", "parallel": 2})
    order(acme, cart="a")
    order(acme, cart="a")
    assert why(acme).why["rule"] == "interval"
    order(acme, cart="b")
    order(acme, cart="c")
    assert why(acme).why["rule"] == "parallel"
    assert entries(acme) == 2
    acme.run(timedelta(days=3))
    order(acme, cart="a")
    acme.run(timedelta(days=3))
    order(acme, cart="a")
    assert (why(acme).why["rule"], why(acme).why["per"]) == ("at_most", "cart")
    order(acme, cart="b")
    assert entries(acme) == 4


def test_an_interval_lets_each_value_in_again_after_it_as_often_as_there_is_one(acme: World) -> None:
    publish(acme, {"per": "cart", "interval": "1 day"})
    order(acme, cart="a")
    order(acme, cart="b")
    acme.run(timedelta(days=1) - timedelta(seconds=3))
    order(acme, cart="a")
    assert (entries(acme), why(acme).why["rule"]) == (2, "interval"), "a second too early"
    for _ in range(2):
        acme.run(timedelta(days=1))
        order(acme, cart="a")
    assert entries(acme) == 4
    order(acme)
    assert (entries(acme), why(acme).reason.value) == (4, "no_key")


def test_an_interval_counts_what_was_entered_while_each_value_entered_once(acme: World) -> None:
    publish(acme, {"per": "cart"})
    order(acme, cart="a")
    publish(acme, {"per": "cart", "interval": "1 day"})
    order(acme, cart="a")
    assert (entries(acme), why(acme).why["rule"]) == (1, "interval")
    acme.run(timedelta(days=1))
    order(acme, cart="a")
    assert entries(acme) == 2
    publish(acme, {"per": "cart"})
    acme.run(timedelta(days=2))
    order(acme, cart="a")
    assert (entries(acme), why(acme).why["rule"]) == (2, "at_most")


def test_a_rule_counts_what_was_entered_under_another_rule(acme: World) -> None:
    publish(acme, "every_time")
    for _ in range(2):
        order(acme, cart="a")
    order(acme, cart="b")
    acme.run(timedelta(days=1))
    publish(acme, {"per": "cart", "at_most": 3})
    for cart in ("a", "a", "b"):
        order(acme, cart=cart)
    assert entries(acme) == 5, "two and one of the first cart, one and one of the second"
    publish(acme, {"at_most": 6})
    acme.run(timedelta(minutes=5))
    order(acme)
    order(acme)
    assert entries(acme) == 6
    publish(acme, {"per": "cart"})
    acme.run(timedelta(minutes=5))
    order(acme, cart="a")
    order(acme, cart="c")
    assert entries(acme) == 7


def test_a_version_with_the_same_rule_goes_on_counting_without_reading_entries(acme: World) -> None:
    publish(acme, {"at_most": 2})
    order(acme)
    publish(acme, {"at_most": 3}, description="more")
    acme.recorder.clear()
    order(acme)
    assert [call for call in acme.recorder.of("dynamodb:Query") if "Enrolments" in str(call.arguments)] == []
    order(acme)
    order(acme)
    assert entries(acme) == 3


def test_people_count_by_themselves_and_so_do_automations(acme: World) -> None:
    publish(acme, {"at_most": 1})
    publish(acme, {"at_most": 1}, "other")
    acme.identify("bob")
    for user in ("ada", "bob", "ada"):
        acme.track(user, "Ordered")
    assert [entries(acme, user, name) for user in ("ada", "bob") for name in ("tour", "other")] == [1, 1, 1, 1]


# --- merges ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reentry", ["once", {"per": "cart"}, {"at_most": 1}, {"interval": "7 days"}, {"parallel": 1}])
def test_what_an_absorbed_contact_entered_counts(acme: World, reentry: Any) -> None:
    publish(acme, reentry)
    say(acme, "Ordered", anonymousId="a-1", properties={"cart": "a"})
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    order(acme, cart="a")
    assert entries(acme) == 1
    assert why(acme).reason.value == "reentry"


def test_entries_of_both_are_added_up(acme: World) -> None:
    publish(acme, {"at_most": 3})
    order(acme)
    say(acme, "Ordered", anonymousId="a-1")
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    order(acme)
    order(acme)
    assert entries(acme) == 3
    assert why(acme).why["entered"] == 3


def test_a_merge_that_was_taken_back_does_not_count_any_more(acme: World) -> None:
    publish(acme, {"at_most": 2})
    say(acme, "Ordered", anonymousId="a-1")
    say(acme, "Ordered", anonymousId="a-1")
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    record = merge(acme, device, ada)
    order(acme)
    assert why(acme).why["entered"] == 2
    undo(acme, record)
    order(acme)
    assert entries(acme) == 1
    say(acme, "Ordered", anonymousId="a-1")
    assert why_of(acme, device).why["entered"] == 2


def why_of(world: World, contact: str) -> Refused:
    (one,) = refused(world, contact)[0].refused
    return one
