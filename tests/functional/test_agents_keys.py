"""An agent's key opens conversations, and the people whom they are with, and nothing else: every route is walked."""

from __future__ import annotations

import pytest
from tests.support.tour import CASES, call, one_of_each
from tests.support.world import World

from tidings.accounts.model import KeyKind, Role

# Of every other route the answer is role_required.
OPEN_TO_AGENTS = {
    "GET /v1/contacts",
    "GET /v1/contacts/counts",
    "GET /v1/contacts/{contact}",
    "GET /v1/contacts/{contact}/timeline",
    "GET /v1/contacts/{contact}/messages",
    "GET /v1/contacts/{contact}/enrolments",
    "GET /v1/contacts/{contact}/conversations",
    "GET /v1/messages",
    "GET /v1/messages/{message}",
    "GET /v1/inboxes",
    "GET /v1/categories",
}
IN_ORDER = sorted(CASES, key=lambda route: CASES[route].late)


@pytest.fixture
def known(world: World) -> dict[str, str]:
    """One of everything, and an agent's key."""
    found = one_of_each(world)
    with world.recorder.unseen():
        world.keys["eve"] = world.accounts.create_key("acme", KeyKind.SECRET, "eve", Role.AGENT, "Eve")
    return found


def test_an_agents_key_opens_what_agents_need_and_nothing_else(world: World, known: dict[str, str]) -> None:
    opened = set()
    for route in IN_ORDER:
        status, answer = call(world, route, known, "eve")
        if (status, answer.get("code")) != (403, "role_required"):
            assert 200 <= status < 300, (route, answer)
            opened.add(route)
    assert opened == OPEN_TO_AGENTS | {route for route in CASES if "/v1/conversations" in route}


def test_who_changed_a_conversation_is_the_person_behind_the_key(world: World, known: dict[str, str]) -> None:
    path = {"conversation": known["conversation"]}
    status, answer = world.call("conversations", "POST /v1/conversations/{conversation}/take", {}, "eve", path=path)
    assert (status, answer["agent"]) == (200, "Eve")
