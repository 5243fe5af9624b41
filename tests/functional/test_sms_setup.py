"""What an owner says of text messages: plan, countries, price, lifetime, short links, how long requests wait."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.world import OUR_NUMBER, World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.sms.model import Setup

AL = {"sender_id": "registration", "two_way": True, "source": "our carrier", "date": "2026-11-20"}


def put(world: World, body: Any, key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("sender_ids", "PUT /v1/sms/setup", body, key)


def show(world: World) -> dict[str, Any]:
    status, answer = world.call("sender_ids", "GET /v1/sms/setup")
    assert status == 200, answer
    return answer


def test_a_new_setup_has_what_came_there_by_itself_and_the_usual_waits(world: World) -> None:
    assert show(world) == {
        "plan": {},
        "countries": {},
        "max_price": None,
        "lifetime": None,
        "short_url": None,
        "review": {"remind_every": "3 days", "expires_after": "14 days"},
        "sender_ids": {"ACME": {"PL": "active"}},
        "numbers": [OUR_NUMBER],
    }


def test_what_is_said_stands_in_the_workspace_where_sends_read_it(world: World) -> None:
    said = {
        "plan": {"PL": {"marketing": "ACME"}, "*": {"*": OUR_NUMBER}},
        "countries": {"AL": AL},
        "max_price": "0.05",
        "lifetime": 3600,
        "short_url": "https://go.acme.example/",
        "review": {"remind_every": "1 day"},
    }
    status, answer = put(world, said)
    assert status == 200, answer
    assert answer == show(world)
    assert answer["review"] == {"remind_every": "1 day", "expires_after": "14 days"}
    workspace = DynamoWorkspaceStore(world.database).get("acme", consistent=True)
    assert workspace
    setup = Setup.of(workspace)
    assert (setup.plan, setup.countries) == (said["plan"], said["countries"])
    assert (setup.max_price, setup.lifetime, setup.short_url) == ("0.05", 3600, "https://go.acme.example")
    assert OUR_NUMBER in setup.numbers  # what it does not name stays


def test_what_is_left_out_stays_and_null_takes_away(world: World) -> None:
    put(world, {"max_price": "0.05", "lifetime": 60})
    _, answer = put(world, {"max_price": None})
    assert (answer["max_price"], answer["lifetime"]) == (None, 60)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sender_ids": {}}, "unknown_setting"),
        ({"numbers": {}}, "unknown_setting"),
        ({"plan": []}, "invalid_type"),
        ({"plan": {"PL": "ACME"}}, "invalid_type"),
        ({"plan": {"pl": {"*": "ACME"}}}, "invalid_country"),
        ({"plan": {"Poland": {"*": "ACME"}}}, "invalid_country"),
        ({"plan": {"PL": {"news": "ACME"}}}, "invalid_plan"),
        ({"plan": {"PL": {"*": "NOBODY"}}}, "invalid_plan"),
        ({"plan": {"PL": {"*": 1}}}, "invalid_plan"),
        ({"countries": {"*": AL}}, "invalid_country"),
        ({"countries": {"AL": {**AL, "sender_id": "maybe"}}}, "invalid_country_rule"),
        ({"countries": {"AL": {**AL, "source": " "}}}, "invalid_country_rule"),
        ({"countries": {"AL": {**AL, "date": "yesterday"}}}, "invalid_country_rule"),
        ({"countries": {"AL": {"two_way": True}}}, "invalid_country_rule"),
        ({"countries": {"AL": {**AL, "two_way": "yes"}}}, "invalid_type"),
        ({"countries": {"AL": {**AL, "more": 1}}}, "unknown_field"),
        ({"max_price": 0.05}, "invalid_price"),
        ({"max_price": "5"}, "invalid_price"),
        ({"max_price": "100.00"}, "invalid_price"),
        ({"lifetime": 4}, "invalid_lifetime"),
        ({"lifetime": 259_201}, "invalid_lifetime"),
        ({"lifetime": True}, "invalid_lifetime"),
        ({"short_url": "http://go.acme.example"}, "invalid_short_url"),
        ({"short_url": "https://go.acme.example/?a=b"}, "invalid_short_url"),
        ({"review": {"remind_every": "now"}}, "invalid_review"),
        ({"review": {"expires_after": "91 days"}}, "invalid_review"),
        ({"review": {"remind_every": "1 minute"}}, "invalid_review"),
        ({"review": {"more": "1 day"}}, "unknown_field"),
    ],
)
def test_what_no_setup_can_say_is_refused_and_nothing_is_changed(world: World, body: dict[str, Any], code: str) -> None:
    before = show(world)
    status, answer = put(world, {"max_price": "0.07", **body} if "max_price" not in body else body)
    assert (status, answer["code"]) == (400, code)
    assert show(world) == before


@pytest.mark.parametrize("lifetime", [5, 259_200])
def test_a_lifetime_is_5_seconds_to_3_days(world: World, lifetime: int) -> None:
    assert put(world, {"lifetime": lifetime})[0] == 200


def test_a_country_shows_the_owners_word_and_whose_it_is(world: World) -> None:
    put(world, {"countries": {"AL": AL}})
    _, answer = world.call("sender_ids", "GET /v1/sms/countries")
    shown = {one["country"]: one for one in answer["countries"]}
    assert (shown["AL"]["sender_id"], shown["AL"]["own"], shown["AL"]["source"]) == (
        "registration",
        True,
        "our carrier",
    )
    assert (shown["PL"]["sender_id"], shown["PL"]["own"]) == ("free", False)


def test_a_setup_that_changes_meanwhile_is_changed_upon_what_it_is_then(world: World) -> None:
    def change_first(call: Any) -> None:
        if call.operation == "UpdateItem" and world.running == "sender_ids":
            world.recorder.before = None
            with world.recorder.unseen():
                assert put(world, {"lifetime": 60})[0] == 200

    world.recorder.before = change_first
    _, answer = put(world, {"max_price": "0.05"})
    assert (answer["max_price"], answer["lifetime"]) == ("0.05", 60)


@pytest.mark.parametrize("key", ["write", "publishable"])
def test_only_secret_keys_see_and_change_it(world: World, key: str) -> None:
    assert put(world, {}, key)[0] == 403
    assert world.call("sender_ids", "GET /v1/sms/setup", key=key)[0] == 403
