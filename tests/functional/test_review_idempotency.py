"""An idempotency key holds for an address, whichever of those who share it answers for it by then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.world import World

ADA = "ada@people.example"


def order(world: World) -> tuple[int, dict[str, Any]]:
    body = {"to": {"email": ADA}, "template": "tips", "idempotency_key": "k-1"}
    return world.call("send_email", "POST /v1/emails", body)


def test_a_repeat_after_an_older_contact_got_the_address_is_the_same_message(world: World) -> None:
    world.template("tips")
    world.identify("older")
    world.now += timedelta(seconds=1)
    status, first = order(world)
    assert status == 202
    world.identify("older", email=ADA)
    assert world.contact(email=ADA) == world.contact(user_id="older")
    status, again = order(world)
    assert (status, again["message"], again["contact"]) == (202, first["message"], first["contact"])
    assert len(world.ses.accepted) == 1
