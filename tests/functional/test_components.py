"""Components that decide: filters, splits and goals, with what their steps keep, and what a repeat changes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_feedback import ADA, CLICK
from tests.functional.test_merges import merge
from tests.support.world import World

from tidings.automations.steps.splitting import bucket_of

DAY = timedelta(days=1)
ENDS = {name: {"type": "send_email", "template": name} for name in ("tips", "offer")}


def automation(world: World, start: str, **components: dict[str, Any]) -> None:
    """An automation `plan` that begins when somebody signs up, of those components that something leads to."""
    for template in ("tips", "offer"):
        world.template(template)
    written = json.dumps(components)
    components = {name: one for name, one in components.items() if name == start or f': "{name}"' in written.replace(
        f'"template": "{name}"', "")}  # fmt: skip
    definition = {"automation": "plan", "trigger": {"event": "Signed Up"}, "start": start, "components": components}
    world.automation(definition)


def signed_up(world: World, user: str = "ada", **traits: Any) -> str:
    """Somebody signs up and goes as far as they come by themselves; their contact."""
    world.identify(user, email=f"{user}@people.example", **traits)
    world.track(user, "Signed Up", plan="team")
    world.now += timedelta(minutes=1)
    world.run()
    return str(world.contact(user_id=user)["contact"])


def enrolment(world: World, contact: str) -> dict[str, Any]:
    (found,) = world.of_contact(contact, "enrolments")
    return found


def path(world: World, contact: str) -> list[tuple[str, str]]:
    return [(step["component"], step["outcome"]) for step in enrolment(world, contact)["path"]]


def why(world: World, contact: str, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = enrolment(world, contact)["path"][number]["why"]
    return found


def repeated(world: World, function: str, component: str, n: int = 0) -> dict[str, Any]:
    """What a Task answers that is repeated after its step was taken."""
    payload = {**json.loads(list(world.started.values())[-1]), "n": n, "component": component}
    payload.pop("at")
    answer: dict[str, Any] = world.invoke(function, payload)
    return answer


# --- filter ----------------------------------------------------------------------------------------------------------

FILTER = {"type": "filter", "when": {"trait": "plan", "is": "team"}, "next": "tips"}


def test_a_filter_lets_those_go_on_for_whom_it_holds_and_the_others_leave(world: World) -> None:
    automation(world, "only", only=FILTER, **ENDS)
    ada, bob = signed_up(world, "ada", plan="team"), signed_up(world, "bob", plan="free")
    assert path(world, ada) == [("only", "passed"), ("tips", "accepted")]
    assert path(world, bob) == [("only", "otherwise")]
    assert enrolment(world, bob)["state"] == "completed"
    assert [len(world.ses.to(f"{name}@people.example")) for name in ("ada", "bob")] == [1, 0]


def test_a_filter_may_send_the_others_another_way(world: World) -> None:
    automation(world, "only", only={**FILTER, "otherwise": "offer"}, **ENDS)
    assert path(world, signed_up(world, plan="free")) == [("only", "otherwise"), ("offer", "accepted")]


def test_a_filter_keeps_its_table_with_the_step(world: World) -> None:
    automation(world, "only", only=FILTER, **ENDS)
    table = why(world, signed_up(world, plan="free"))["passed"]
    assert table["result"] is False
    assert table["sentence"] == 'Trait plan is "free", which is not "team".'


@pytest.mark.parametrize("clicked", [True, False])
def test_a_filter_may_ask_what_became_of_the_message_before_it(world: World, clicked: bool) -> None:
    engaged = {"type": "filter", "when": {"engaged": "tips", "by": ["clicked"]}, "next": "offer"}
    tips = {**ENDS["tips"], "next": "rest"}
    automation(world, "tips", tips=tips, rest={"type": "wait", "for": "1 day", "next": "only"}, only=engaged,
               offer=ENDS["offer"])  # fmt: skip
    ada = signed_up(world)
    if clicked:
        world.feedback(world.ses.event("Click", world.ses.accepted[0], **CLICK))
    world.run(DAY)
    expected = [("only", "passed"), ("offer", "accepted")] if clicked else [("only", "otherwise")]
    assert path(world, ada)[1:] == expected


# --- split -----------------------------------------------------------------------------------------------------------

ARMS = [{"name": "Tips", "percent": 30, "next": "tips"}, {"name": "Offer", "percent": 30, "next": "offer"}]
SPLIT: dict[str, Any] = {"type": "split", "arms": ARMS, "holdout": 40}


def side(contact: str, component: str = "fate") -> str:
    bucket = bucket_of("plan", component, contact)
    return "Tips" if bucket < 3000 else "Offer" if bucket < 6000 else "holdout"


def test_a_split_sends_everybody_where_they_stand_and_the_holdout_leaves(world: World) -> None:
    automation(world, "fate", fate=SPLIT, **ENDS)
    people = [signed_up(world, f"user-{number}") for number in range(12)]
    onward = {"Tips": [("tips", "accepted")], "Offer": [("offer", "accepted")], "holdout": []}
    assert {side(contact) for contact in people} == {"Tips", "Offer", "holdout"}
    for contact in people:
        assert path(world, contact) == [("fate", side(contact)), *onward[side(contact)]]


def test_a_split_keeps_the_bucket_and_the_shares_with_the_step(world: World) -> None:
    automation(world, "fate", fate=SPLIT, **ENDS)
    ada = signed_up(world)
    kept = why(world, ada)
    assert kept["bucket"] == bucket_of("plan", "fate", ada)
    assert kept["shares"] == {"Tips": [0, 3000], "Offer": [3000, 6000], "holdout": [6000, 10_000]}
    assert kept["found"].startswith(f"bucket {kept['bucket']} of 10000; {side(ada)} has those from ")


def test_publishing_again_moves_nobody(world: World) -> None:
    automation(world, "fate", fate=SPLIT, **ENDS)
    ada = signed_up(world)
    automation(world, "fate", fate=SPLIT, tips={**ENDS["tips"], "kind": "transactional"}, offer=ENDS["offer"])
    world.now += DAY
    world.track("ada", "Signed Up")
    world.run()
    first, second = world.of_contact(ada, "enrolments")
    assert {first["version"], second["version"]} == {1, 2}
    assert first["path"][0]["outcome"] == second["path"][0]["outcome"] == side(ada)


def test_after_a_merge_somebody_stands_where_they_entered(world: World) -> None:
    rest = {"type": "wait", "for": "1 day", "next": "fate"}
    automation(world, "rest", rest=rest, fate=SPLIT, **ENDS)
    world.identify("ada", email=ADA)
    ada = world.contact(user_id="ada")["contact"]
    world.ingest("track", {"anonymousId": "tablet", "event": "Signed Up", "messageId": world.fresh()})
    world.pump()
    tablet = world.contact(anonymous_id="tablet")["contact"]
    merge(world, tablet, ada)
    world.pump()
    world.run(DAY)
    (taken,) = [one for one in world.of_contact(ada, "enrolments") if one["contact"] == tablet]
    assert taken["path"][0]["outcome"] == side(tablet)
    assert taken["path"][0]["why"]["bucket"] == bucket_of("plan", "fate", tablet)


# --- goal ------------------------------------------------------------------------------------------------------------


def test_whoever_comes_to_a_goal_has_reached_it_and_goes_on(world: World) -> None:
    automation(world, "bought", bought={"type": "goal", "name": "Bought", "next": "tips"}, tips=ENDS["tips"])
    ada = signed_up(world)
    assert path(world, ada) == [("bought", "reached"), ("tips", "accepted")]
    assert why(world, ada) == {"check": "goal", "found": "Bought"}


# --- repeats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("component", [FILTER, SPLIT, {"type": "goal", "next": "tips"}])
def test_a_decision_that_is_repeated_stands_whatever_changed_since(world: World, component: dict[str, Any]) -> None:
    automation(world, "here", here=component, **ENDS)
    ada = signed_up(world, plan="team")
    before = enrolment(world, ada)["path"][0]
    world.identify("ada", plan="free")
    answer = repeated(world, "branch", "here")
    assert (answer["outcome"], answer["n"]) == (before["outcome"], 1)
    assert enrolment(world, ada)["path"][0] == before
    assert len(world.ses.accepted) <= 1
