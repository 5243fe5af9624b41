"""Inboxes and categories: defined by name, like topics, and found for what comes in."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.inbound import mail, sms, take
from tests.support.world import World

from tidings.conversations.store import DynamoConversationStore


def put(world: World, what: str, name: str, **body: Any) -> tuple[int, dict[str, Any]]:
    one = {"inboxes": "inbox", "categories": "category"}[what]
    return world.call("policy", f"PUT /v1/{what}/{{{one}}}", body, path={one: name})


def inbox_of(world: World, conversation: str) -> str:
    found = DynamoConversationStore(world.database).get("acme", conversation)
    assert found is not None
    return found.inbox


def test_what_everybody_has_is_there_without_being_defined(world: World) -> None:
    assert [one["inbox"] for one in world.call("policy", "GET /v1/inboxes")[1]["inboxes"]] == ["default"]
    assert [one["category"] for one in world.call("policy", "GET /v1/categories")[1]["categories"]] == ["general"]


def test_what_is_defined_is_shown_until_it_is_forgotten(world: World) -> None:
    sales = {"title": "Sales", "addresses": ["+48732000111"], "channels": ["sms"]}
    expected = {"inbox": "sales", "description": "", **sales}
    assert put(world, "inboxes", "sales", **sales) == put(world, "inboxes", "sales", **sales) == (200, expected)
    assert world.call("policy", "GET /v1/inboxes")[1]["inboxes"][1] == expected
    assert world.call("policy", "DELETE /v1/inboxes/{inbox}", path={"inbox": "sales"}) == (200, {"deleted": True})
    status, answer = world.call("policy", "DELETE /v1/inboxes/{inbox}", path={"inbox": "sales"})
    assert (status, answer["code"], answer["field"]) == (404, "unknown_inbox", "inbox")
    status, answer = world.call("policy", "DELETE /v1/categories/{category}", path={"category": "none"})
    assert (status, answer["code"], answer["field"]) == (404, "unknown_category", "category")


@pytest.mark.parametrize(
    ("what", "name", "body", "code"),
    [
        ("inboxes", "Sales!", {}, "invalid_name"),
        ("inboxes", "sales", {"channels": ["fax"]}, "invalid_request"),
        ("inboxes", "sales", {"adresses": []}, "invalid_request"),
        ("inboxes", "sales", {"inbox": "other"}, "name_mismatch"),
        ("categories", "x", {"title": 7}, "invalid_request"),
    ],
)
def test_what_is_no_definition_is_refused(world: World, what: str, name: str, body: dict[str, Any], code: str) -> None:
    status, answer = put(world, what, name, **body)
    assert (status, answer["code"]) == (400, code)


def test_what_comes_in_goes_to_the_inbox_that_names_the_address_then_the_channel(world: World) -> None:
    put(world, "inboxes", "b-texts", channels=["sms"])
    put(world, "inboxes", "a-late", addresses=["Sales@Acme.example"])
    put(world, "inboxes", "sales", addresses=["+48732000111"])
    by_number = take(world, sms(world, "in-1", sender="+48600100501", to="+48732000111"))
    by_channel = take(world, sms(world, "in-2", sender="+48600100502", to="+48732000999"))
    by_mail = take(world, mail(world, "m-1", sender="a@people.example", to="sales@acme.example"))
    by_none = take(world, mail(world, "m-2", sender="b@people.example", to="other@acme.example"))
    found = [inbox_of(world, one.conversation) for one in (by_number, by_channel, by_mail, by_none)]
    assert found == ["sales", "b-texts", "a-late", "default"]


def test_a_conversation_stays_in_its_inbox_whatever_address_the_next_message_comes_in_at(world: World) -> None:
    put(world, "inboxes", "sales", addresses=["+48732000111"])
    first = take(world, sms(world, "in-1", to="+48732000999"))
    take(world, sms(world, "in-2", to="+48732000111"))
    assert inbox_of(world, first.conversation) == "default"
