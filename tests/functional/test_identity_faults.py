"""A fault before or after any AWS call of react, and the repeat: who people are comes out as without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tests.support.recorder import Call
from tests.support.world import WORKSPACE, World

from tidings.activity.store import DynamoEventStore
from tidings.contacts.companies import DynamoCompanyStore
from tidings.contacts.merge_store import DynamoMergeStore
from tidings.contacts.model import Identity
from tidings.contacts.store import DynamoContactStore

MODES = ("before", "lost")
MOST_CALLS = 60

Scene = list[dict[str, Any]]

SCENES: dict[str, Scene] = {
    "a new person with everything": [
        {"type": "identify", "userId": "ada", "anonymousId": "a1", "traits": {"email": "ada@x.example", "name": "Ada"}},
    ],
    "a visitor who becomes known": [
        {"type": "track", "event": "Viewed", "anonymousId": "a1"},
        {"type": "identify", "userId": "ada", "anonymousId": "a1", "traits": {"email": "ada@x.example"}},
    ],
    "a device that joins a known person, with what it did": [
        {"type": "identify", "userId": "ada", "traits": {"email": "ada@x.example", "plan": "team"}},
        {"type": "identify", "anonymousId": "a1", "traits": {"email": "home@x.example", "colour": "red"}},
        {"type": "group", "anonymousId": "a1", "groupId": "acme", "traits": {"plan": "large"}},
        {"type": "track", "event": "Signed In", "userId": "ada", "anonymousId": "a1"},
    ],
    "a device that was another's before": [
        {"type": "identify", "userId": "bob", "anonymousId": "a1", "minute": 5, "traits": {"plan": "solo"}},
        {"type": "identify", "anonymousId": "a1", "minute": 1, "traits": {"colour": "red"}},
        {"type": "identify", "userId": "ada", "anonymousId": "a1", "minute": 2},
    ],
    "aliases, one of them refused": [
        {"type": "track", "event": "Viewed", "anonymousId": "a1"},
        {"type": "identify", "userId": "bob"},
        {"type": "alias", "userId": "ada", "previousId": "a1"},
        {"type": "alias", "userId": "ada", "previousId": "bob"},
    ],
    "an address that a browser may not change": [
        {"type": "identify", "userId": "ada", "traits": {"email": "ada@x.example"}},
        {"type": "identify", "userId": "ada", "key": "publishable", "traits": {"email": "eve@x.example", "plan": "x"}},
    ],
    "companies": [
        {"type": "group", "userId": "ada", "groupId": "acme", "traits": {"plan": "team"}},
        {"type": "ungroup", "userId": "ada", "groupId": "acme"},
        {"type": "group", "userId": "bob", "groupId": "acme", "traits": {"plan": None, "seats": 4}},
    ],
}


@dataclass
class Fault:
    """Strikes once, at the `number`th call that react makes."""

    number: int
    mode: str
    made: int = -1
    name: str = ""

    def hook(self, when: str) -> Callable[[Call], None]:
        """What the recorder calls before or after each call."""

        def strike(call: Call) -> None:
            if when == "before":
                self.made += 1
            early = self.mode == "before"
            if self.made != self.number or self.name or early != (when == "before"):
                return
            self.name = call.name
            if self.mode == "lost":
                raise ReadTimeoutError(endpoint_url="https://dynamodb")
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, call.operation)

        return strike


def play(world: World, name: str, scene: Scene, fault: Fault | None) -> None:
    """Let a scene happen to people of its own, each call in a batch of its own; what failed is repeated."""
    for number, said in enumerate(scene):
        world.now += timedelta(seconds=1)
        fields = {**said}
        key, kind = fields.pop("key", "write"), fields.pop("type")
        minute = fields.pop("minute", 30 + number)
        for field in ("userId", "anonymousId", "previousId", "groupId"):
            if field in fields:
                fields[field] = f"{name}.{fields[field]}"
        body = {**fields, "messageId": f"m-{number}", "timestamp": f"2026-11-21T08:{minute:02}:00Z"}
        assert world.ingest(kind, body, key)[0] == 200
        deliver(world, fault)
    deliver(world, fault)


def deliver(world: World, fault: Fault | None) -> None:
    """Give new records to react until it takes them, and those that it writes."""
    while records := world.new_records():
        for _ in range(5):
            if fault is not None:
                world.recorder.before, world.recorder.after = fault.hook("before"), fault.hook("after")
            try:
                done = world.invoke("react", {"Records": records}) == {"batchItemFailures": []}
            except Exception:  # noqa: BLE001 - the process died: Lambda repeats the batch in a new one
                done = False
            world.recorder.before = world.recorder.after = lambda call: None
            if done:
                break
            world.cold("react")
        else:
            pytest.fail("react never took the batch")


def outcome(world: World, name: str, counted: dict[str, int]) -> Any:
    """Everything that is known of a scene's people, without the names and ids that differ from play to play."""
    contacts, events = DynamoContactStore(world.database), DynamoEventStore(world.database)
    merges, companies = DynamoMergeStore(world.database), DynamoCompanyStore(world.database)
    people = []
    with world.recorder.unseen():
        for text in ("user#ada", "user#bob", "anon#a1"):
            lead = contacts.lead(WORKSPACE, Identity.parse(text.replace("#", f"#{name}.")))
            contact = contacts.get(WORKSPACE, lead.contact) if lead else None
            if lead is None or contact is None:
                continue
            told = [event for identity in contact.event_identities for event in events.all_of(WORKSPACE, identity)]
            people.append(
                {
                    "by": (text, lead.owner.removeprefix(f"{name}.")),
                    "traits": contact.values,
                    "identities": sorted(str(identity).replace(f"{name}.", "") for identity in contact.identities),
                    "companies": [company.removeprefix(f"{name}.") for company in contact.joined],
                    "absorbed": len(contact.absorbed),
                    "events": sorted(f"{e.type} {e.name} {e.properties.get('code', '')}" for e in told),
                    "merges": [(m.rule, len(m.identities)) for m in merges.of_contacts(WORKSPACE, contact.every_id)],
                }
            )
        counts = contacts.people(WORKSPACE).as_dict()
        company = companies.get(WORKSPACE, f"{name}.acme")
    more = {what: number - counted.get(what, 0) for what, number in counts.items()}
    counted.update(counts)
    return people, more, company and company.as_dict()["traits"]


@pytest.mark.parametrize("scene", SCENES)
def test_who_people_are_comes_out_as_without_the_fault(world: World, scene: str) -> None:
    counted: dict[str, int] = {}
    play(world, "plain", SCENES[scene], None)
    plain = outcome(world, "plain", counted)
    struck = 0
    for mode in MODES:
        for number in range(MOST_CALLS):
            fault, name = Fault(number, mode), f"{mode}{number}"
            play(world, name, SCENES[scene], fault)
            assert outcome(world, name, counted) == plain, (number, fault.name, mode)
            if not fault.name:
                break  # the scene makes no more calls
            struck += 1
        else:
            pytest.fail(f"more than {MOST_CALLS} calls")
    assert struck >= 2 * len(SCENES[scene])
