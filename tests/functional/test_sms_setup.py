"""What an owner says of text messages: plan, countries, price, lifetime, short links, how long requests wait."""

from __future__ import annotations

import json
from datetime import timedelta
from string import ascii_uppercase
from typing import Any

import pytest
from tests.support.faults import MODES, Fault
from tests.support.recorder import Killed, Recorder
from tests.support.world import OUR_NUMBER, World

from tidings.accounts.model import KeyKind, Role
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.contacts.countries import continent_of
from tidings.core.clock import to_text
from tidings.sms import setup_store
from tidings.sms.model import Setup
from tidings.sms.setup import LOGGED_BYTES

AL = {"sender_id": "registration", "two_way": True, "source": "our carrier", "date": "2026-11-20"}
COUNTRIES_KNOWN = [one + other for one in ascii_uppercase for other in ascii_uppercase if continent_of(one + other)]
EACH: dict[str, Any] = {
    "plan": {"PL": {"marketing": "ACME"}, "*": {"*": OUR_NUMBER}},
    "countries": {"AL": AL},
    "max_price": "0.05",
    "lifetime": 60,
    "short_url": "https://go.acme.example",
    "review": {"remind_every": "1 day"},
}


def put(world: World, body: Any, key: str = "secret") -> tuple[int, dict[str, Any]]:
    return world.call("sender_ids", "PUT /v1/sms/setup", body, key)


def show(world: World) -> dict[str, Any]:
    status, answer = world.call("sender_ids", "GET /v1/sms/setup")
    assert status == 200, answer
    return answer


def page(world: World, **query: str) -> dict[str, Any]:
    status, answer = world.call("sender_ids", "GET /v1/sms/setup/log", query=query)
    assert status == 200, answer
    return answer


def log(world: World) -> list[dict[str, Any]]:
    with world.recorder.unseen():
        found: list[dict[str, Any]] = page(world)["log"]
    return found


def settings(entry: dict[str, Any]) -> list[str]:
    return [change["setting"] for change in entry["changes"]]


def entries(world: World) -> list[dict[str, Any]]:
    return [item for item in world.items("TABLE_SENDER_IDS") if item["pk"]["S"] == "acme#setup"]


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
        if call.operation == "TransactWriteItems" and world.running == "sender_ids":
            world.recorder.before = None
            with world.recorder.unseen():
                assert put(world, {"lifetime": 60})[0] == 200

    world.recorder.before = change_first
    _, answer = put(world, {"max_price": "0.05"})
    assert (answer["max_price"], answer["lifetime"]) == ("0.05", 60)
    assert [settings(entry) for entry in log(world)] == [["max_price"], ["lifetime"]]


def test_a_setup_that_keeps_changing_is_left_as_it_is_and_so_is_the_log(world: World) -> None:
    def change_first(call: Any) -> None:
        if call.operation == "TransactWriteItems" and world.running == "sender_ids":
            store = DynamoWorkspaceStore(world.database)
            with world.recorder.unseen():
                before = store.get("acme", consistent=True)
                assert before
                store.change_sms(before, {**before.sms, "keywords": [{"again": world.fresh()}]})

    world.recorder.before = change_first
    status, answer = put(world, {"max_price": "0.05"})
    assert (status, answer["code"]) == (503, "setup_contended")
    world.recorder.before = None
    assert log(world) == []


def test_the_log_says_who_changed_which_setting_and_what_it_was(world: World) -> None:
    with world.recorder.unseen():
        mia = world.accounts.create_key("acme", KeyKind.SECRET, "office", Role.ADMINISTRATOR, "mia@acme.example")
    put(world, {"plan": {"PL": {"*": "ACME"}}, "max_price": "0.05"})
    first = to_text(world.now)
    world.now += timedelta(minutes=1)
    put(world, {"plan": {"PL": {"*": OUR_NUMBER}}, "max_price": "0.05", "lifetime": 60}, mia)
    put(world, {"lifetime": None}, mia)  # in the same instant
    assert log(world) == [
        {
            "at": to_text(world.now),
            "who": "mia@acme.example",
            "changes": [{"setting": "lifetime", "before": 60, "after": None, "left_out": []}],
        },
        {
            "at": to_text(world.now),
            "who": "mia@acme.example",
            "changes": [
                {
                    "setting": "plan",
                    "before": {"PL": {"*": "ACME"}},
                    "after": {"PL": {"*": OUR_NUMBER}},
                    "left_out": [],
                },
                {"setting": "lifetime", "before": None, "after": 60, "left_out": []},
            ],
        },
        {
            "at": first,
            "who": "secret",
            "changes": [
                {"setting": "plan", "before": None, "after": {"PL": {"*": "ACME"}}, "left_out": []},
                {"setting": "max_price", "before": None, "after": "0.05", "left_out": []},
            ],
        },
    ]


@pytest.mark.parametrize(("setting", "value"), sorted(EACH.items()))
def test_every_setting_is_in_the_log_when_it_comes_and_when_it_goes(world: World, setting: str, value: Any) -> None:
    put(world, {setting: value})
    put(world, {setting: None})
    gone, come = (entry["changes"] for entry in log(world))
    assert come == [{"setting": setting, "before": None, "after": value, "left_out": []}]
    assert gone == [{"setting": setting, "before": value, "after": None, "left_out": []}]


@pytest.mark.parametrize(
    "body", [EACH, {"max_price": "0.05"}, {}, {"lifetime": 60, "plan": EACH["plan"]}], ids=["all", "one", "none", "two"]
)
def test_what_changes_nothing_writes_nothing(world: World, recorder: Recorder, body: dict[str, Any]) -> None:
    put(world, EACH)
    before = log(world)
    recorder.calls.clear()
    assert put(world, body) == (200, show(world))
    assert not [name for name in recorder.names() if "Write" in name or "Update" in name or "Put" in name]
    assert log(world) == before
    assert len(before) == 1


def test_taking_away_what_nobody_said_changes_nothing(world: World) -> None:
    put(world, {**dict.fromkeys(EACH), "plan": {}, "countries": {}})
    assert log(world) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_and_a_repeat_leave_the_change_with_one_entry(world: World, mode: str) -> None:
    put(world, {"lifetime": 60})
    fault = Fault(world, "sender_ids", 1, mode)  # after the read of the workspace; the key is known by now
    world.recorder.before, world.recorder.after = fault.before, fault.after
    try:
        status, answer = put(world, {"max_price": "0.05"})
        assert status in (429, 503), answer
    except Killed:
        world.cold("sender_ids")
    world.recorder.before = world.recorder.after = None
    assert fault.struck
    assert (show(world)["max_price"] == "0.05") is (len(log(world)) == 2)  # both, or none
    assert put(world, {"max_price": "0.05"})[1]["max_price"] == "0.05"
    assert [settings(entry) for entry in log(world)] == [["max_price"], ["lifetime"]]


def test_a_value_that_is_too_long_is_left_out_of_the_log_and_the_log_says_so(world: World) -> None:
    long = {country: {**AL, "source": "ą" * 200} for country in COUNTRIES_KNOWN[:120]}
    short = {"AL": AL}
    for said in (short, long, short):
        put(world, {"countries": said, "short_url": f"https://{len(said)}.acme.example/{'a' * 450}"})
    last, middle, _ = ([one for one in entry["changes"] if one["setting"] == "countries"] for entry in log(world))
    assert middle == [{"setting": "countries", "before": short, "after": None, "left_out": ["after"]}]
    assert last == [{"setting": "countries", "before": None, "after": short, "left_out": ["before"]}]


def test_an_entry_of_the_longest_values_is_below_100_kb(world: World) -> None:
    def most(text: str) -> dict[str, Any]:
        whole: dict[str, Any] = {}
        for country in COUNTRIES_KNOWN:
            added = {**whole, country: {**AL, "source": text * 200}}
            if len(json.dumps(added, ensure_ascii=False).encode()) > LOGGED_BYTES:
                break
            whole = added
        return whole

    def plan(sender: str) -> dict[str, Any]:
        return {country: dict.fromkeys(("*", "marketing", "transactional"), sender) for country in COUNTRIES_KNOWN}

    review = {"remind_every": "1 day", "expires_after": "14 days"}
    for text, sender in (("ą", "ACME"), ("ę", OUR_NUMBER)):
        put(world, {**EACH, "countries": most(text), "plan": plan(sender), "review": {**review}})
    entry = log(world)[0]
    assert [one["left_out"] for one in entry["changes"] if one["setting"] == "countries"] == [[]]
    sizes = [len(item["document"]["S"].encode()) for item in entries(world)]
    assert 40_000 < max(sizes) < 100_000


def test_the_log_comes_in_pages_the_latest_first(world: World) -> None:
    for lifetime in (60, 61, 62, 63, 64):
        put(world, {"lifetime": lifetime})
    first = page(world, limit="2")
    second = page(world, limit="2", cursor=first["cursor"])
    put(world, {"lifetime": 65})  # what comes meanwhile moves no page
    third = page(world, limit="2", cursor=second["cursor"])
    told = [one["changes"][0]["after"] for found in (first, second, third) for one in found["log"]]
    assert (told, third["cursor"]) == ([64, 63, 62, 61, 60], "")
    assert world.call("sender_ids", "GET /v1/sms/setup/log", query={"cursor": "x"})[0] == 400


def test_a_page_that_would_be_too_long_to_answer_ends_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for lifetime in (60, 61, 62):
        put(world, {"lifetime": lifetime})
    monkeypatch.setattr(setup_store, "PAGE_BYTES", 1)
    first = page(world)
    second = page(world, cursor=first["cursor"])
    last = page(world, cursor=second["cursor"])
    assert [len(found["log"]) for found in (first, second, last)] == [1, 1, 1]
    assert last["cursor"] == ""


def test_a_log_tells_of_its_own_workspace_alone(world: World) -> None:
    put(world, {"lifetime": 60})
    _, answer = world.call("sender_ids", "GET /v1/sms/setup/log", key=world.other_secret)
    assert answer == {"log": [], "cursor": ""}


def test_the_log_is_no_sender_id(world: World) -> None:
    put(world, {"lifetime": 60})
    assert world.call("sender_ids", "GET /v1/sender-ids")[1]["sender_ids"] == []
    (entry,) = entries(world)
    for name in ("setup", entry["sk"]["S"], "#setup", entry["pk"]["S"]):
        for tail in ("", "/log"):
            route = f"GET /v1/sender-ids/{{sender_id}}{tail}"
            assert world.call("sender_ids", route, path={"sender_id": name})[0] == 404
    assert "#" in entry["pk"]["S"]
    assert not entry["pk"]["S"].startswith("#")


@pytest.mark.parametrize("key", ["write", "publishable"])
def test_only_secret_keys_see_and_change_it(world: World, key: str) -> None:
    assert put(world, {}, key)[0] == 403
    for route in ("GET /v1/sms/setup", "GET /v1/sms/setup/log"):
        assert world.call("sender_ids", route, key=key)[0] == 403
