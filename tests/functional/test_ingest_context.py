"""What a call is given on its way in: by which key it came, from where, what led to it; and whom a workspace blocks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.calls import KINDS, PATHS, basic, message, request, stored
from tests.support.world import World

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.core.ids import message_id
from tidings.messages.links import in_text

MAIL = message_id("cabc", "k-1")


def send(world: World, kind: str, key: str, **fields: Any) -> Event:
    """Send a call from a browser at 203.0.113.9; the event that it became."""
    answer = world.invoke(kind, request(PATHS[kind][0], message(kind, **fields), basic(world.keys[key])))
    assert answer["statusCode"] == 200
    (event,) = stored(world)
    return event


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_by_a_publishable_key_says_so_and_from_which_device(world: World, kind: str) -> None:
    event = send(world, kind, "publishable", context={"locale": "pl-PL"})
    assert event.publishable is True
    assert event.context == {"locale": "pl-PL", "ip": "203.0.113.9", "userAgent": "Firefox"}


@pytest.mark.parametrize("key", ["write", "secret"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_server_sends_is_not_from_the_server_s_address(world: World, kind: str, key: str) -> None:
    event = send(world, kind, key, context={"locale": "pl-PL"})
    assert (event.publishable, event.context) == (False, {"locale": "pl-PL"})


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_page_says_of_itself_is_kept(world: World, kind: str) -> None:
    told = {"ip": "198.51.100.1", "userAgent": "Chromium"}
    assert send(world, kind, "publishable", context=told).context == told


def test_what_a_batch_says_of_all_comes_before_what_the_request_tells(world: World) -> None:
    items = [message("track", messageId="1"), message("track", messageId="2", context={"ip": "198.51.100.2"})]
    body = {"batch": items, "context": {"ip": "198.51.100.1", "app": {"name": "shop"}}}
    world.invoke("batch", request("/v1/b", body, basic(world.keys["publishable"])))
    assert [event.context for event in stored(world)] == [
        {"ip": ip, "app": {"name": "shop"}, "userAgent": "Firefox"} for ip in ("198.51.100.1", "198.51.100.2")
    ]


def test_an_item_s_own_context_wins_key_by_key_at_the_top_level(world: World) -> None:
    items = [message("track", context={"app": {"version": "2"}, "locale": None})]
    world.ingest("batch", {"batch": items, "context": {"app": {"name": "shop"}, "locale": "pl", "timezone": "UTC"}})
    (event,) = stored(world)
    assert event.context == {"app": {"version": "2"}, "locale": None, "timezone": "UTC"}


@pytest.mark.parametrize("key", ["publishable", "write"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_reached_by_a_mail_s_link_is_caused_by_the_mail(world: World, kind: str, key: str) -> None:
    page = {"url": f"https://acme.example/?tid={MAIL}", "search": f"?tid={MAIL}"}
    event = send(world, kind, key, context={"page": page})
    assert event.cause == Node.message(MAIL)
    assert str(event.root) != str(event.cause)


@pytest.mark.parametrize(
    "link", ["https://acme.example/docs", "https://acme.example/?x=1&y=%C5%BC#top", "http://acme.example"]
)
def test_the_links_that_mails_carry_lead_back_to_the_mail(world: World, link: str) -> None:
    url = in_text(f"See {link} today", MAIL).split()[1]
    assert url != link
    assert send(world, "page", "publishable", properties={"url": url}).cause == Node.message(MAIL)


def test_a_link_with_another_tid_causes_nothing_and_is_taken(world: World) -> None:
    assert send(world, "page", "publishable", context={"page": {"search": "?tid=" + "x" * 5000}}).cause is None


def block(world: World, **patterns: list[str]) -> None:
    identifiers = {kind: {"blocked": values} for kind, values in patterns.items()}
    world.accounts._workspaces.change_settings("acme", {"identifiers": identifiers})


def test_values_that_the_workspace_blocks_lead_to_nobody(world: World) -> None:
    block(world, user=["test-.*"], anon=["kiosk"])
    assert world.ingest("track", message("track", userId="test-1", anonymousId="a-9"))[0] == 200
    (event,) = stored(world)
    assert (str(event.identity), event.user_id) == ("anon#a-9", "")
    status, answer = world.ingest("track", message("track", userId="test-1", anonymousId="kiosk"))
    assert (status, answer["code"]) == (400, "no_user_anon_id")
    for previous in ("kiosk", "test-2"):
        status, answer = world.ingest("alias", message("alias", previousId=previous))
        assert (status, answer["code"]) == (400, "missing_previous_id")
    body = {"batch": [message("track", userId="test-1"), message("track", messageId="m-2")]}
    assert [one["code"] for one in world.ingest("batch", body)[1]["refused"]] == ["no_user_anon_id"]


def test_another_workspace_blocks_nothing_of_that(world: World) -> None:
    block(world, user=["test-.*"])
    world.ingest("track", message("track", userId="test-1"), world.other_secret)
    assert [str(event.identity) for event in stored(world)] == ["user#test-1"]
