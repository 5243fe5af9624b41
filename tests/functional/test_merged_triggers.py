"""Product rule 1.4: events that come with a merge start nothing, but automations that ask for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_merges import automation, merge, moved, names, say, shown, undo, who
from tests.support.recorder import Call
from tests.support.world import World

from tidings.core.clock import to_text

TEAM = {"trait": "plan", "is": "team"}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace with the template that the automations send."""
    world.template("tips")
    return world


def publish(world: World, name: str, **more: Any) -> None:
    world.now += timedelta(seconds=1)
    reentry = {"reentry": more.pop("reentry")} if "reentry" in more else {}
    world.automation({**automation(name, "Asked", **more), **reentry})


def entered(world: World, contact: str) -> list[str]:
    """The automations that a contact entered, in order."""
    found = world.of_contact(contact, "enrolments")
    return [one["automation"] for one in sorted(found, key=lambda one: one["started_at"])]


def ada_and_device(world: World) -> tuple[str, str]:
    say(world, userId="ada", traits={"plan": "team"})
    say(world, "Asked", anonymousId="a-1")
    return who(world, user_id="ada"), who(world, anonymous_id="a-1")


def test_a_merge_starts_nothing_by_itself(acme: World) -> None:
    publish(acme, "silent", where=TEAM)
    publish(acme, "plain")
    ada, device = ada_and_device(acme)
    assert entered(acme, device) == ["plain"]
    merge(acme, device, ada)
    assert names(acme, ada) == ["", "Asked"]
    assert entered(acme, ada) == ["plain"]
    assert len(acme.executions) == 1


def test_an_automation_that_asks_is_offered_them_the_oldest_first_as_of_now(acme: World) -> None:
    say(acme, "Asked", anonymousId="a-1")
    publish(acme, "asking", where=TEAM, merged=True)
    first, second = (say(acme, "Asked", anonymousId="a-1", messageId=name) for name in ("z-1", "a-2"))
    publish(acme, "asking", where=TEAM, merged=True)
    say(acme, userId="ada", traits={"plan": "team"})
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    assert entered(acme, device) == []
    merge(acme, device, ada)
    found = acme.of_contact(ada, "enrolments")
    assert sorted(one["caused_by"] for one in found) == sorted([first, second])
    assert {one["started_at"] for one in found} == {to_text(acme.now)}, "waits are counted from the merge"
    assert {one["contact"] for one in found} == {ada}
    assert len(acme.started) == 2


def test_the_oldest_decides_where_a_person_enters_once(acme: World) -> None:
    publish(acme, "asking", where=TEAM, merged=True, reentry="once")
    say(acme, userId="ada", traits={"plan": "team"})
    first = say(acme, "Asked", anonymousId="a-1", messageId="z")
    say(acme, "Asked", anonymousId="a-1", messageId="a")
    ada = who(acme, user_id="ada")
    merge(acme, who(acme, anonymous_id="a-1"), ada)
    (enrolment,) = acme.of_contact(ada, "enrolments")
    assert enrolment["caused_by"] == first


def test_where_still_decides_and_other_events_are_not_offered(acme: World) -> None:
    publish(acme, "asking", where={"all": [TEAM, {"property": "of", "is": "us"}]}, merged=True)
    say(acme, userId="ada", traits={"plan": "team"})
    say(acme, "Asked", anonymousId="a-1", properties={"of": "them"})
    say(acme, "Viewed", anonymousId="a-1", properties={"of": "us"})
    ada = who(acme, user_id="ada")
    merge(acme, who(acme, anonymous_id="a-1"), ada)
    assert entered(acme, ada) == []


def test_what_the_absorbed_contact_entered_by_the_same_event_counts_as_had(acme: World) -> None:
    publish(acme, "asking", merged=True)
    ada, device = ada_and_device(acme)
    assert entered(acme, device) == ["asking"]
    acme.run()
    merge(acme, device, ada)
    assert [one["contact"] for one in acme.of_contact(ada, "enrolments")] == [device]
    assert len(acme.executions) == 1


def test_a_repeat_of_the_merge_s_event_enrols_once(acme: World) -> None:
    publish(acme, "asking", where=TEAM, merged=True)
    ada, device = ada_and_device(acme)
    merge(acme, device, ada)
    records = [acme.record(item) for item in acme.items("TABLE_EVENTS") if item.get("name", {}).get("S") != "Asked"]
    for _ in range(2):
        assert acme.invoke("react", {"Records": records}) == {"batchItemFailures": []}
    assert entered(acme, ada) == ["asking"]
    assert len(acme.executions) == 1


def test_what_has_left_again_is_not_offered(acme: World) -> None:
    publish(acme, "asking", where=TEAM, merged=True)
    ada, device = ada_and_device(acme)
    body = {"contact": device, "into": ada, "idempotency_key": "k"}
    _, record = acme.call("merges", "POST /v1/merges", body)
    late = acme.new_records()
    undo(acme, record)
    assert acme.invoke("react", {"Records": late}) == {"batchItemFailures": []}
    assert entered(acme, ada) == entered(acme, device) == []


def test_a_device_that_moves_to_another_user_brings_what_it_did(acme: World) -> None:
    publish(acme, "asking", where=TEAM, merged=True)
    say(acme, "Asked", anonymousId="a-1")
    ada, bob, _ = moved(acme)
    assert shown(acme, ada)["traits"]["plan"] == "team"
    assert (entered(acme, ada), entered(acme, bob)) == (["asking"], [])


def test_a_merge_costs_a_read_of_the_contact_where_nobody_asks(acme: World) -> None:
    publish(acme, "silent", where=TEAM)
    ada, device = ada_and_device(acme)
    acme.call("merges", "POST /v1/merges", {"contact": device, "into": ada, "idempotency_key": "k"})
    calls: list[Call] = []
    acme.recorder.before = calls.append
    assert acme.invoke("react", {"Records": acme.new_records()}) == {"batchItemFailures": []}
    # The batch's own read, and of the contact, whose rating may be another now; it was not, so nothing is written.
    assert [call.operation for call in calls if call.service == "dynamodb" and call.operation != "Scan"] == [
        "BatchGetItem",
        "BatchGetItem",
    ]
