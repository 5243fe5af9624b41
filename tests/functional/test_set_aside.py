"""A record that can never be served is set aside whole, and those behind it are served."""

from __future__ import annotations

from tests.support.world import World


def test_a_contact_that_outgrows_what_an_item_holds_does_not_block_the_stream(world: World) -> None:
    for number in range(14):
        world.ingest(
            "identify", {"userId": "ada", "traits": {f"trait{number}": "x" * 30_000}, "messageId": f"m-{number}"}
        )
        world.pump()
    world.ingest("identify", {"userId": "bob", "traits": {"email": "bob@people.example"}, "messageId": "m-99"})
    world.pump()
    aside = world.messages_in("aside")
    assert aside
    assert all(record["dynamodb"]["Keys"]["pk"]["S"] == "acme#user#ada" for record in aside)
    assert world.contact(user_id="bob")["traits"] == {"email": "bob@people.example"}
    assert "trait0" in world.contact(user_id="ada")["traits"]
