"""How the local system lets go on what its last stop cut short, against an API that is told what to answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.servers import Server, answered, server

from tidings_cli.errors import CommandFailed
from tidings_cli.local.resume import FEWEST, PAGE, resume_enrolments


def told(**body: Any) -> bytes:
    return answered(200, json.dumps(body).encode(), content_type="application/json", connection="close")


def listed(*names: str, cursor: str = "") -> bytes:
    return told(automations=[{"automation": name, "live_version": 1} for name in names], cursor=cursor)


SLOW = answered(504, b'{"message": "Endpoint request timed out"}', connection="close")


def orders(api: Server) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in api.asked if asked.line.startswith("POST")]


def resumed(api: Server) -> int:
    return resume_enrolments(api.url.removesuffix("/hook"), "sk_key")


def test_everybody_is_resumed_page_by_page() -> None:
    with server(listed("tour"), told(resumed=100, cursor="next"), told(resumed=7, cursor="")) as api:
        assert resumed(api) == 107
        order = {"lost": True, "starting": True, "limit": PAGE}
        assert orders(api) == [order, {**order, "cursor": "next"}]


def test_every_automation_is_resumed_on_whichever_page_it_stands() -> None:
    some, rest = told(resumed=1, cursor=""), told(resumed=2, cursor="")
    with server(listed("a", cursor="next"), some, listed("b", "c"), rest, rest) as api:
        assert resumed(api) == 5
        asked = [asked.line.split(" ")[1] for asked in api.asked]
    assert asked == [
        "/v1/automations?limit=200", "/v1/automations/a/resume",
        "/v1/automations?limit=200&cursor=next", "/v1/automations/b/resume", "/v1/automations/c/resume",
    ]  # fmt: skip


def test_an_automation_that_was_never_published_has_nobody_to_resume() -> None:
    with server(told(automations=[{"automation": "draft", "live_version": None}])) as api:
        assert resumed(api) == 0
        assert orders(api) == []


def test_a_page_that_takes_too_long_is_asked_for_again_for_half_as_many() -> None:
    """Fewer from then on; those whom the call that came to nothing had resumed are not counted."""
    with server(listed("tour"), told(resumed=9, cursor="next"), SLOW, told(resumed=4, cursor="")) as api:
        assert resumed(api) == 13
        assert [(order["limit"], order.get("cursor", "")) for order in orders(api)] == [
            (PAGE, ""), (PAGE, "next"), (PAGE // 2, "next"),
        ]  # fmt: skip


def test_what_fails_for_a_few_as_well_fails() -> None:
    with server(listed("tour"), SLOW) as api, pytest.raises(CommandFailed, match="504"):
        resumed(api)
    assert min(order["limit"] for order in orders(api)) >= FEWEST
