"""People at the edges: many devices, shared devices, addresses given up, and more said of one than an item holds."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.support.recorder import Call
from tests.support.world import World

from tidings.core.clock import to_text


def say(world: World, kind: str, key: str = "write", **message: Any) -> None:
    """A call that must be taken, and everything it sets off."""
    world.now += timedelta(seconds=1)
    status, answer = world.ingest(kind, {"messageId": world.fresh(), **message}, key)
    assert status == 200, answer
    world.pump()


def who(world: World, **query: str) -> str:
    return str(world.contact(**query)["contact"])


def work(world: World, body: dict[str, Any]) -> None:
    answer = world.invoke("erasures", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
    assert answer == {"batchItemFailures": []}, answer


def test_a_device_of_an_erased_person_is_somebody_new_also_while_the_erasure_goes_on(world: World) -> None:
    for number in range(130):
        body = {"userId": "ada", "anonymousId": f"device-{number:03}", "messageId": f"m-{number}"}
        assert world.ingest("identify", body)[0] == 200
    world.pump()
    world.now += timedelta(seconds=1)
    contact = who(world, user_id="ada")
    erase = {"path": {"contact": contact}}
    assert world.call("erase", "POST /v1/contacts/{contact}/erase", {"confirm": contact}, **erase)[0] == 202
    (first,) = world.messages_in("erasures")
    work(world, first)
    for number in range(130):
        say(world, "track", anonymousId=f"device-{number:03}", event="Came Back")
    new = who(world, anonymous_id="device-000")
    world.clear_erased()
    assert who(world, anonymous_id="device-000") == new
    found = [world.call("contacts", "GET /v1/contacts", query={"anonymous_id": f"device-{n:03}"}) for n in range(130)]
    assert all(len(answer["contacts"]) == 1 for _, answer in found)


def test_a_device_that_moves_takes_no_refusal_of_one_user_to_the_other(world: World) -> None:
    say(world, "identify", userId="bob", traits={"email": "bob@people.example"})
    say(world, "identify", userId="ada", traits={"email": "ada@people.example"})
    said = world.now
    address = {"channel": "email", "address": "bob@people.example"}
    route = "/v1/suppressions/{channel}/{address}"
    assert world.call("suppressions", f"PUT {route}", path=address)[0] == 200
    say(world, "identify", userId="bob", anonymousId="shared")
    early = {"timestamp": to_text(said), "sentAt": to_text(world.now + timedelta(seconds=1))}
    say(world, "identify", userId="ada", anonymousId="shared", **early)
    assert who(world, anonymous_id="shared") == who(world, user_id="ada")
    status, _ = world.call("suppressions", f"GET {route}", path={**address, "address": "ada@people.example"})
    assert status == 404


def test_a_no_said_on_a_device_goes_with_it_to_whose_it_is(world: World) -> None:
    say(world, "identify", userId="bob", traits={"plan": "solo"})
    say(world, "identify", userId="ada", traits={"email": "ada@people.example"})
    said = world.now
    say(world, "identify", anonymousId="shared", traits={"email": "a@people.example"}, timestamp="2020-01-01T00:00:00Z")
    route = "/v1/suppressions/{channel}/{address}"
    path = {"channel": "email", "address": "a@people.example"}
    assert world.call("suppressions", f"PUT {route}", path=path)[0] == 200
    say(world, "identify", userId="bob", anonymousId="shared")
    early = {"timestamp": to_text(said), "sentAt": to_text(world.now + timedelta(seconds=1))}
    say(world, "identify", userId="ada", anonymousId="shared", **early)
    assert world.call("suppressions", f"GET {route}", path={**path, "address": "ada@people.example"})[0] == 200


def test_a_visit_from_the_first_year_does_not_stop_an_event(world: World) -> None:
    world.template("tips")
    say(world, "identify", userId="ada", traits={"email": "ada@people.example"})
    status, mail = world.call(
        "send_email",
        "POST /v1/emails",
        {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": "k"},
    )
    assert status == 202, mail
    first, second = "0001-01-01T00:10:00Z", "0001-01-01T00:00:00Z"
    url = f"https://shop.example/?tid={mail['message']}"
    say(world, "page", userId="ada", timestamp=first, properties={"url": url})
    say(world, "track", userId="ada", timestamp=second, event="Bought")
    world.automation(
        {
            "automation": "listening",
            "trigger": {"event": "Bought"},
            "start": "end",
            "components": {"end": {"type": "send_email", "template": "tips"}},
        }
    )
    say(world, "track", userId="ada", timestamp=second, event="Bought")
    assert world.messages_in("aside") == []


def test_long_names_of_traits_count_as_much_as_their_values(world: World) -> None:
    for number in range(16):
        say(world, "identify", userId="ada", traits={f"{number}" + "n" * 30_000: 1})
    say(world, "identify", userId="ada", traits={"plan": "team"})
    assert world.messages_in("aside") == []
    refused = [one for one in world.of_contact(who(world, user_id="ada"), "events") if one["event"] == "Change Refused"]
    assert {one["properties"]["code"] for one in refused} == {"traits_too_large"}


def test_devices_full_of_traits_still_become_one_person(world: World) -> None:
    say(world, "identify", userId="ada")
    for device in range(4):
        for number in range(4):
            traits = {f"trait-{device}-{number}": "x" * 30_000}
            say(world, "identify", anonymousId=f"device-{device}", traits=traits)
        say(world, "identify", userId="ada", anonymousId=f"device-{device}")
    assert world.messages_in("aside") == []
    assert {who(world, anonymous_id=f"device-{n}") for n in range(4)} == {who(world, user_id="ada")}


def test_more_external_ids_than_one_write_holds_do_not_lose_the_message(world: World) -> None:
    many = [{"type": f"system-{number}", "id": str(number)} for number in range(1, 150)]
    say(world, "identify", userId="ada", traits={"plan": "team"}, context={"externalIds": many})
    assert world.messages_in("aside") == []
    assert world.contact(user_id="ada")["traits"] == {"plan": "team"}


def test_devices_with_long_ids_do_not_close_a_contact_to_news(world: World) -> None:
    for start in range(0, 420, 20):
        batch = [
            {"type": "identify", "userId": "ada", "anonymousId": f"{n:03}" + "x" * 1000, "messageId": f"m-{n}"}
            for n in range(start, start + 20)
        ]
        assert world.ingest("batch", {"batch": batch}, "publishable")[0] == 200
    world.pump()
    say(world, "identify", userId="ada", traits={"plan": "team"})
    assert world.messages_in("aside") == []
    assert world.contact(user_id="ada")["traits"] == {"plan": "team"}


def test_a_limit_of_devices_holds_whether_they_come_alone_first_or_not(world: World) -> None:
    world.accounts.configure("acme", {"identifiers": {"anon": {"limit": 1}}})
    say(world, "identify", userId="ada", anonymousId="first")
    say(world, "identify", userId="ada", anonymousId="second")
    say(world, "track", anonymousId="second", event="Seen")
    preview = world.call("merges", "POST /v1/merges/preview", {"user_id": "ada", "anonymous_id": "second"})[1]
    assert preview["refused"]["code"] == "too_many_identities"
    say(world, "identify", userId="ada", anonymousId="second")
    assert who(world, anonymous_id="second") != who(world, user_id="ada")


def test_companies_without_end_do_not_close_a_contact_to_news(world: World) -> None:
    for start in range(0, 400, 20):
        batch = [
            {"type": "group", "userId": "ada", "groupId": f"{number:03}" + "x" * 1000, "messageId": f"m-{number}"}
            for number in range(start, start + 20)
        ]
        assert world.ingest("batch", {"batch": batch}, "publishable")[0] == 200
    world.pump()
    say(world, "identify", userId="ada", traits={"plan": "team"})
    assert world.messages_in("aside") == []
    ada = world.contact(user_id="ada")
    assert ada["traits"] == {"plan": "team"}
    refused = [one for one in world.of_contact(ada["contact"], "events") if one["event"] == "Change Refused"]
    assert {one["properties"]["code"] for one in refused} == {"too_many_companies"}
    path = {"company": "y" * 1000, "contact": ada["contact"]}
    status, answer = world.call("companies", "PUT /v1/companies/{company}/contacts/{contact}", path=path)
    assert (status, answer["code"]) == (409, "too_many_companies")


def test_what_a_browser_may_not_change_is_told_also_when_it_met_a_server_at_the_contact(world: World) -> None:
    say(world, "identify", userId="ada", traits={"plan": "solo"})
    for key, email in (("write", "ada@people.example"), ("publishable", "eve@people.example")):
        world.now += timedelta(seconds=1)
        body = {"userId": "ada", "traits": {"email": email}, "messageId": key}
        assert world.ingest("identify", body, key)[0] == 200
    server, browser = world.new_records()
    happened = []

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems" and not happened:
            happened.append(call.name)
            mine = world._modules.pop("react")
            assert world.invoke("react", {"Records": [server]}) == {"batchItemFailures": []}
            world._modules["react"] = mine

    world.recorder.before = before
    assert world.invoke("react", {"Records": [browser]}) == {"batchItemFailures": []}
    assert happened
    world.pump()
    assert world.contact(user_id="ada")["traits"]["email"] == "ada@people.example"
    events = world.of_contact(who(world, user_id="ada"), "events")
    assert [one["properties"]["code"] for one in events if one["event"] == "Change Refused"] == [
        "publishable_key_may_not_change_email"
    ]


def test_an_address_that_came_with_the_user_id_is_there_again_after_an_undo(world: World) -> None:
    say(world, "identify", "publishable", anonymousId="phone", traits={"email": "typo@people.example"})
    say(world, "identify", "publishable", userId="ada", anonymousId="phone", traits={"email": "ada@people.example"})
    say(world, "track", anonymousId="tablet", event="Seen")
    assert world.contact(user_id="ada")["traits"] == {"email": "ada@people.example"}
    body = {"contact": who(world, anonymous_id="tablet"), "into": who(world, user_id="ada"), "idempotency_key": "k"}
    _, merge = world.call("merges", "POST /v1/merges", body)
    world.now += timedelta(seconds=1)
    assert world.call("merges", "POST /v1/merges/{merge}/undo", {}, path={"merge": merge["merge"]})[0] == 200
    assert world.contact(user_id="ada")["traits"] == {"email": "ada@people.example"}
