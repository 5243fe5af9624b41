"""The page behind the link of a confirmation mail: looking at it confirms nothing, its button does, once, in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.letters import Reader
from tests.support.tour import one_of_each
from tests.support.world import World


@pytest.fixture
def address(world: World) -> str:
    return f"https://mail.acme.example/confirm/{one_of_each(world)['confirm']}"


def beta(world: World) -> str:
    (item,) = [item for item in world.items("TABLE_CONSENTS") if "beta" in item.get("topics", {}).get("S", "")]
    return str(item["topics"]["S"])


def test_looking_at_it_confirms_nothing(world: World, address: str) -> None:
    before = world.items("TABLE_CONSENTS")
    assert "Yes, subscribe me" in Reader(world).get(address).text
    assert Reader(world).head(address).status_code == 200
    assert world.items("TABLE_CONSENTS") == before


def test_its_button_confirms_once(world: World, address: str) -> None:
    assert "You are subscribed" in Reader(world).press(address, "confirm").text
    confirmed = beta(world)
    assert '"subscribed"' in confirmed
    assert "confirmation page" in confirmed
    assert Reader(world).press(address, "confirm").status_code == 200
    assert beta(world) == confirmed


def test_it_is_too_late_after_thirty_days(world: World, address: str) -> None:
    world.now += timedelta(days=31)
    answer = Reader(world).press(address, "confirm")
    assert answer.status_code == 409
    assert "not valid any more" in answer.text
    assert '"subscribed"' not in beta(world)
