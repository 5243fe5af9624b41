"""Events of browsers are packed in the table, and nobody who reads them notices."""

from __future__ import annotations

from datetime import timedelta

import pytest
from benchmarks.operations.preparing import WELCOME
from benchmarks.samples import PROPERTIES, TRAITS, from_browser
from tests.support.world import World


@pytest.mark.parametrize("batched", [False, True])
def test_a_packed_event_is_told_as_it_was_sent(world: World, batched: bool) -> None:
    message = from_browser("identify", "ada", traits={**TRAITS, "about": "Zażółć gęślą jaźń. " * 5})
    body, kind = ({"batch": [message]}, "batch") if batched else (message, "identify")
    assert world.ingest(kind, body)[0] == 200
    (item,) = world.items("TABLE_EVENTS")
    assert "packed" in item
    assert "body" not in item
    world.pump()
    contact = world.contact(user_id="ada")
    assert contact["traits"]["about"] == message["traits"]["about"]
    (event,) = world.of_contact(contact["contact"], "events")
    assert event["context"] == message["context"]
    assert event["traits"] == message["traits"]
    assert event["identity"] == {"kind": "user", "value": "ada"}


def test_a_packed_event_enrols(world: World) -> None:
    world.template("welcome-tips")
    world.automation(WELCOME)
    world.identify("ada", email="ada@people.example")
    properties = {**PROPERTIES, "comment": "a longer remark of the person who signed up"}
    assert world.ingest("track", from_browser("track", "ada", event="Signed Up", properties=properties))[0] == 200
    assert any("packed" in item for item in world.items("TABLE_EVENTS"))
    world.pump()
    world.run(timedelta(days=2))
    assert len(world.ses.to("ada@people.example")) == 2


def test_a_packed_event_that_is_broken_is_set_aside(world: World) -> None:
    assert world.ingest("identify", from_browser("identify", "ada", traits=TRAITS))[0] == 200
    (record,) = world.new_records()
    record["dynamodb"]["NewImage"]["packed"] = {"B": "bm90IHBhY2tlZA=="}
    assert world.invoke("react", {"Records": [record]}) == {"batchItemFailures": []}
    assert world.messages_in("aside") == [record]
