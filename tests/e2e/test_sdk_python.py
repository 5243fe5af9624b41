"""segment-analytics-python and rudder-sdk-python, every call of each, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import pytest
import rudderstack.analytics as rudder
import segment.analytics as segment
from tests.e2e.local_system import LocalSystem
from tests.e2e.workspaces import believed, counts, identities, instant, lived, members, open_workspace, person, settles

VERSIONS = {"segment-analytics-python": "2.4.0", "rudder-sdk-python": "2.1.9"}


def test_these_are_the_published_versions() -> None:
    assert {name: version(name) for name in VERSIONS} == VERSIONS


@dataclass(frozen=True)
class Report:
    """What a program told with an SDK: to which workspace, between which times, and what went wrong."""

    own: LocalSystem
    began: datetime
    ended: datetime
    errors: list[Any]


def client_of_segment(own: LocalSystem, on_error: Callable[..., Any]) -> Any:
    return segment.Client(own.keys["write"], host=own.url, on_error=on_error)


def client_of_segment_that_packs(own: LocalSystem, on_error: Callable[..., Any]) -> Any:
    return segment.Client(own.keys["write"], host=own.url, on_error=on_error, gzip=True)


def client_of_segment_that_waits(own: LocalSystem, on_error: Callable[..., Any]) -> Any:
    return segment.Client(own.keys["write"], host=own.url, on_error=on_error, sync_mode=True)


def client_of_rudder(own: LocalSystem, on_error: Callable[..., Any]) -> Any:
    return rudder.Client(own.keys["write"], host=own.url, on_error=on_error)


CLIENTS = {
    "segment": client_of_segment,
    "segment-gzip": client_of_segment_that_packs,
    "segment-sync": client_of_segment_that_waits,
    "rudder": client_of_rudder,
}


@pytest.fixture(scope="module", params=CLIENTS)
def report(request: pytest.FixtureRequest, local: LocalSystem) -> Report:
    """Three people told by an SDK with every call that it has."""
    own = open_workspace(local, f"sdk-{request.param}")
    errors: list[Any] = []
    client = CLIENTS[request.param](own, lambda *args: errors.append(args))
    began = datetime.now(UTC)
    ada(client)
    bob(client, began)
    client.track(anonymous_id="visitor-3", event="Looked Around")
    if client.consumers is not None:
        client.flush()
        client.join()
    return Report(own, began, datetime.now(UTC), errors)


def ada(client: Any) -> None:
    """Somebody who looks around on two devices, signs up on the first and is told to be the same on the second."""
    browser = {"locale": "pl-PL", "timezone": "Europe/Warsaw", "campaign": {"source": "news", "name": "autumn"}}
    client.page(anonymous_id="visitor-1", category="Docs", name="Pricing", properties={"path": "/pricing"})
    client.screen(anonymous_id="visitor-1", name="Home")
    client.track(anonymous_id="visitor-2", event="Downloaded")
    traits = {"email": "Ada@Example.com", "firstName": "Ada", "plan": "team", "address": {"city": "Gdynia"}}
    client.identify(user_id="ada", anonymous_id="visitor-1", traits=traits, context=dict(browser))
    client.identify(user_id="ada", traits={"plan": "scale", "seats": 4})
    client.group(user_id="ada", group_id="acme", traits={"name": "Acme", "employees": 12})
    client.alias(previous_id="visitor-2", user_id="ada")
    for _ in range(2):
        client.track(user_id="ada", event="Order Placed", properties={"total": 12.5}, message_id="order-1")


def bob(client: Any, now: datetime) -> None:
    """Somebody whose app tells of yesterday."""
    client.identify(user_id="bob", traits={"name": "Bob", "phone": "+48 600 100 201"})
    client.track(user_id="bob", event="Order Placed", timestamp=now - timedelta(days=1))
    client.group(user_id="bob", group_id="acme", traits={"plan": "gold"})


ADA = (
    *("Viewed Docs Pricing Page", "Viewed Home Screen", "Downloaded", "identify", "identify", "group", "alias"),
    "Order Placed",
)
BOB = ("identify", "Order Placed", "group")


def test_nothing_went_wrong(report: Report) -> None:
    assert report.errors == []


def test_who_was_anonymous_is_the_person_who_signed_up(report: Report) -> None:
    lived(report.own, ADA, user_id="ada")
    contact = person(report.own, user_id="ada")
    assert identities(contact) == {
        ("user", "ada"),
        ("anon", "visitor-1"),
        ("anon", "visitor-2"),
        ("email", "ada@example.com"),
    }
    for visitor in ("visitor-1", "visitor-2"):
        assert person(report.own, anonymous_id=visitor)["contact"] == contact["contact"]


def test_all_that_was_told_of_a_person_is_known(report: Report) -> None:
    lived(report.own, ADA, user_id="ada")
    traits = {"email": "ada@example.com", "first_name": "Ada", "plan": "scale", "seats": 4}
    settles(lambda: person(report.own, user_id="ada")["traits"], traits | {"address": {"city": "Gdynia"}})
    settles(lambda: person(report.own, user_id="ada")["companies"], ["acme"])
    contact = person(report.own, user_id="ada")
    fields = believed(contact)
    assert fields["language"] == ("pl-PL", "sdk")
    assert fields["time_zone"] == ("Europe/Warsaw", "sdk")
    assert fields["city"] == ("Gdynia", "declared")
    assert fields["campaign"][0] == {"source": "news", "name": "autumn"}


def test_a_company_has_its_people_and_what_both_told_of_it(report: Report) -> None:
    lived(report.own, ADA, user_id="ada")
    lived(report.own, BOB, user_id="bob")
    known = {"name": "Acme", "employees": 12, "plan": "gold"}
    settles(lambda: report.own.call("GET", "/v1/companies/acme").json.get("traits"), known)
    settles(lambda: members(report.own, "acme"), ["ada", "bob"])


def test_events_carry_what_was_sent_and_all_four_times(report: Report) -> None:
    (order,) = [event for event in lived(report.own, ADA, user_id="ada") if event["event"] == "Order Placed"]
    assert (order["message_id"], order["properties"]) == ("order-1", {"total": 12.5})
    assert order["context"]["library"]["name"] == "analytics-python"
    assert report.began <= instant(order["timestamp"]) <= report.ended
    for time in ("original_timestamp", "sent_at", "received_at"):
        assert abs(instant(order[time]) - report.began) < timedelta(minutes=1)


def test_what_happened_yesterday_happened_yesterday(report: Report) -> None:
    first = lived(report.own, BOB, user_id="bob")[0]
    assert first["event"] == "Order Placed"
    assert abs(instant(first["timestamp"]) - (report.began - timedelta(days=1))) < timedelta(seconds=30)
    settles(lambda: person(report.own, user_id="bob")["traits"], {"name": "Bob", "phone": "+48600100201"})
    assert ("phone", "+48600100201") in identities(person(report.own, user_id="bob"))


def test_three_people_are_counted(report: Report) -> None:
    lived(report.own, ["Looked Around"], anonymous_id="visitor-3")
    settles(lambda: counts(report.own), {"people": 3, "identified": 2, "anonymous": 1})
