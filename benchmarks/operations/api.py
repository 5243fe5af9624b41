"""Calls of programs: may this address be written to, send, look at people, change them."""

from __future__ import annotations

from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.preparing import TEMPLATE, at, automated, known, must, tell
from benchmarks.samples import from_browser


def suppress(world: World, address: str) -> dict[str, Any]:
    """Put an address on the suppression list by hand."""
    path = {"channel": "email", "address": address}
    body: dict[str, Any] = must(world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path))
    return body


def _warm(step: Step) -> Step:
    step()
    return step


@operation("API", "check_suppression")
def check_api(world: World) -> Step:
    """May this address be written to?"""
    body = {"channel": "email", "address": "ada@people.example"}
    return _warm(lambda: must(world.call("check_suppression", "POST /v1/suppressions/check", body)))


@operation("API", "send an e-mail")
def send_api(world: World) -> Step:
    """A transactional mail to a known contact."""
    automated(world)
    contact = known(world, "ada")

    def step(key: str = "order-1") -> None:
        body = {"to": {"contact": contact}, "template": TEMPLATE, "idempotency_key": key, "kind": "transactional"}
        must(world.call("send_email", "POST /v1/emails", body))

    step("warm")
    return step


@operation("API", "suppress an address")
def suppress_api(world: World) -> Step:
    """By hand; somebody has the address, so that it stands on a timeline."""
    known(world, "ada")
    suppress(world, "warm@people.example")
    return lambda: suppress(world, "ada@people.example")


def read(route: str, **query: str) -> Preparation:
    """A question about a contact with some history: two identities, four events, one mail, one enrolment."""

    def prepare(world: World) -> Step:
        at(world, "tips")()
        for number in range(2):
            tell(world, from_browser("track", "ada", number, event="Viewed"))
        contact = world.contact(user_id="ada")["contact"]
        path = {"contact": contact} if "{contact}" in route else {}
        return _warm(lambda: must(world.call("contacts", route, path=path, query=query)))

    return prepare


operation("API", "contact by user id")(read("GET /v1/contacts", user_id="ada"))
operation("API", "contact by e-mail")(read("GET /v1/contacts", email="ada@people.example"))
operation("API", "contacts by a name")(read("GET /v1/contacts", name="ada"))
operation("API", "contacts, the first page of few")(read("GET /v1/contacts"))
operation("API", "people counted")(read("GET /v1/contacts/counts"))
operation("API", "timeline")(read("GET /v1/contacts/{contact}/timeline"))
operation("API", "messages of a contact")(read("GET /v1/contacts/{contact}/messages"))
operation("API", "enrolments of a contact")(read("GET /v1/contacts/{contact}/enrolments"))


@operation("API", "edit a contact")
def edit_api(world: World) -> Step:
    """A trait that messages do not go to."""
    path = {"contact": known(world, "ada")}

    def step(seats: int = 2) -> None:
        body = {"traits": {"seats": seats}}
        must(world.call("change_contacts", "PATCH /v1/contacts/{contact}", body, path=path))

    step(1)
    return step
