"""What a merge of contacts means for what their addresses said: a no at one holds for all, until it is undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_consents import PERSON, logged, of_topic, topic
from tests.functional.test_consents import say as told
from tests.functional.test_merges import ADA, OLD, merge, person_and_device, preview, say, suppress, undo, who
from tests.support.recorder import Call
from tests.support.world import World

TOPICS = ("tips", "offers", "*")


@pytest.fixture
def both(world: World) -> tuple[str, str]:
    """Ada and a device of hers, each with an address, in a workspace with two topics that need no yes."""
    for name in TOPICS[:2]:
        topic(world, name, consent="opt_out")
    return person_and_device(world)


def reply(world: World, address: str, name: str, said: str, **who: Any) -> Any:
    """A second later somebody says something about a topic for an address; the person themselves unless it is told."""
    world.now += timedelta(seconds=1)
    return told(world, name, said, address, **(who or PERSON))


def may_get(world: World, address: str) -> list[str]:
    """The topics about which a marketing mail may go to an address now."""
    body = {"channel": "email", "address": address, "kind": "marketing"}
    found = []
    for name in TOPICS[:2]:
        status, answer = world.call("check_suppression", "POST /v1/suppressions/check", {**body, "topic": name})
        assert status == 200, answer
        found += [] if answer["suppressed"] else [name]
    return found


def revisions(world: World) -> dict[str, tuple[Any, int]]:
    """What stands about each address, and how often that was changed."""
    items = [item for item in world.items("TABLE_CONSENTS") if item["sk"]["S"] == "email"]
    return {item["address"]["S"]: (item.get("topics"), int(item["revision"]["N"])) for item in items}


@pytest.mark.parametrize("names", [["tips"], ["*"], ["tips", "offers"]])
@pytest.mark.parametrize(("where", "there"), [(ADA, OLD), (OLD, ADA)])
def test_a_no_at_one_address_holds_for_the_others_of_a_merged_contact_and_goes_when_the_merge_is_undone(
    world: World, both: tuple[str, str], names: list[str], where: str, there: str
) -> None:
    ada, device = both
    for name in names:
        reply(world, where, name, "unsubscribed")
    left = may_get(world, where)
    shown = preview(world, contact=device, into=ada)
    assert shown["consents"] == [{"channel": "email", "address": there, "topic": name} for name in sorted(names)]
    assert may_get(world, there) == ["tips", "offers"], "a preview writes nothing"
    record = merge(world, device, ada)
    assert may_get(world, there) == may_get(world, where) == left
    undo(world, record)
    assert may_get(world, there) == ["tips", "offers"]
    assert may_get(world, where) == left


def test_what_was_carried_names_its_merge_and_stands_in_the_log(world: World, both: tuple[str, str]) -> None:
    reply(world, OLD, "tips", "unsubscribed")
    record = merge(world, both[1], both[0])
    source = f"merge {record['merge']}"
    proof = said_by_ada(world)["proof"]
    assert (proof["by"], proof["source"], proof["at"]) == ("person", source, record["at"])
    undo(world, record)
    log, _ = logged(world)
    assert [(one["what"], one["change"], one["source"], one["topics"]) for one in log] == [
        ("merge", "taken_back", source, ["tips"]),
        ("merge", "carried", source, ["tips"]),
    ]


def said_by_ada(world: World) -> dict[str, Any]:
    """What stands about tips at the address of the one that survives."""
    found: dict[str, Any] = of_topic(world, "tips")["said"]
    return found


@pytest.mark.parametrize("stood", ["subscribed", "unsubscribed"])
def test_what_stood_before_is_back_when_the_merge_is_undone(world: World, both: tuple[str, str], stood: str) -> None:
    reply(world, ADA, "tips", stood, by="operator", source="desk")
    before = revisions(world)[ADA]
    reply(world, OLD, "tips", "unsubscribed")
    record = merge(world, both[1], both[0])
    assert "tips" not in may_get(world, ADA)
    undo(world, record)
    after = revisions(world)[ADA]
    assert after == (before[0], before[1] + 2), "every change adds one"


def test_the_persons_later_yes_outlasts_a_no_that_was_carried(world: World, both: tuple[str, str]) -> None:
    reply(world, OLD, "*", "unsubscribed")
    record = merge(world, both[1], both[0])
    assert reply(world, ADA, "*", "subscribed", by="operator", source="desk")[1]["code"] == "own_no"
    assert may_get(world, ADA) == []
    reply(world, ADA, "tips", "subscribed")
    assert may_get(world, ADA) == ["tips"]
    undo(world, record)
    assert may_get(world, ADA) == ["tips", "offers"]
    assert may_get(world, OLD) == []


@pytest.mark.parametrize(
    "somebody", [PERSON, {**PERSON, "at": "2026-01-01T00:00:00Z"}, {"by": "operator", "source": "desk"}]
)
def test_a_no_that_is_said_meanwhile_stays_also_where_one_was_carried(
    world: World, both: tuple[str, str], somebody: dict[str, str]
) -> None:
    reply(world, OLD, "tips", "unsubscribed")
    record = merge(world, both[1], both[0])
    reply(world, ADA, "tips", "unsubscribed", **somebody)
    undo(world, record)
    assert may_get(world, ADA) == ["offers"]
    assert said_by_ada(world)["proof"]["source"] == somebody["source"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_no_stays_as_long_as_one_of_the_merges_that_carried_it(
    world: World, both: tuple[str, str], order: tuple[int, int]
) -> None:
    ada, first = both
    say(world, anonymousId="a-2", traits={"email": "third@people.example"})
    second = who(world, anonymous_id="a-2")
    for address in (OLD, "third@people.example"):
        reply(world, address, "tips", "unsubscribed")
    records = merge(world, first, ada, "1"), merge(world, second, ada, "2")
    undo(world, records[order[0]])
    assert may_get(world, ADA) == ["offers"]
    undo(world, records[order[1]])
    assert may_get(world, ADA) == ["tips", "offers"]


def test_a_no_is_carried_also_where_there_is_no_more_room_for_its_address(world: World, both: tuple[str, str]) -> None:
    with world.recorder.unseen():
        world.accounts.configure("acme", {"identifiers": {"email": {"limit": 1}}})
    new = "new@people.example"
    say(world, anonymousId="a-1", traits={"email": new})
    reply(world, ADA, "tips", "unsubscribed")
    suppress(world, ADA)
    record = merge(world, both[1], both[0])
    assert suppress(world, new, "GET") == 200
    suppress(world, new, "DELETE")
    assert may_get(world, new) == ["offers"]
    undo(world, record)
    assert may_get(world, new) == ["tips", "offers"]


def test_what_an_operator_or_an_import_said_and_what_a_later_yes_outlasted_stays_where_it_was(
    world: World, both: tuple[str, str]
) -> None:
    reply(world, OLD, "tips", "unsubscribed", by="operator", source="desk")
    reply(world, OLD, "offers", "unsubscribed")
    reply(world, OLD, "*", "subscribed")
    assert preview(world, contact=both[1], into=both[0])["consents"] == []
    merge(world, both[1], both[0])
    assert may_get(world, ADA) == ["tips", "offers"]


def test_a_suppression_and_a_no_come_along_in_one_write_and_go_in_one(world: World, both: tuple[str, str]) -> None:
    suppress(world, OLD)
    reply(world, OLD, "tips", "unsubscribed")
    record = merge(world, both[1], both[0])
    assert (suppress(world, ADA, "GET"), revisions(world)[ADA][1]) == (200, 1)
    undo(world, record)
    assert (suppress(world, ADA, "GET"), revisions(world)[ADA][1]) == (404, 2)
    assert may_get(world, ADA) == ["tips", "offers"]


def test_a_no_that_comes_in_while_a_merge_is_written_is_carried_by_it(world: World, both: tuple[str, str]) -> None:
    """What was decided by a record that changed since is decided anew, and nothing that was said in between is lost."""
    reply(world, OLD, "tips", "unsubscribed")

    def between(call: Call) -> None:
        if call.operation == "TransactWriteItems" and world.running == "merges":
            world.recorder.before = None
            reply(world, ADA, "offers", "unsubscribed")

    world.recorder.before = between
    merge(world, both[1], both[0])
    assert world.recorder.before is None
    assert (may_get(world, ADA), may_get(world, OLD)) == ([], [])
