"""Who is enrolled for a message that browsers send twice: before the person had a user id, and again after."""

from __future__ import annotations

import pytest
from tests.support.world import World

TOUR = {
    "automation": "tour",
    "trigger": {"event": "Signed Up"},
    "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}
BEFORE = {"anonymousId": "a-1", "event": "Signed Up", "messageId": "ajs-1"}
AFTER = {**BEFORE, "userId": "ada"}


@pytest.mark.parametrize("properties", [{}, {"plan": "team"}])
@pytest.mark.parametrize("order", [(BEFORE, AFTER), (AFTER, BEFORE)])
def test_a_message_under_two_ids_enrols_once_whichever_comes_first(
    world: World, order: tuple[dict[str, str], dict[str, str]], properties: dict[str, str]
) -> None:
    world.template("tips")
    world.automation(TOUR)
    world.identify("ada", email="ada@people.example")
    for message in order:
        assert world.ingest("track", {**message, "properties": properties})[0] == 200
        world.pump()
    world.run()
    contact = world.contact(user_id="ada")
    assert world.contact(anonymous_id="a-1") == contact
    assert len(world.of_contact(contact["contact"], "enrolments")) == 1
    assert len(world.ses.accepted) == 1
    assert world.messages_in("aside") == []
