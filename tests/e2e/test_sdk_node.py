"""@segment/analytics-node, every call of it, and what becomes of it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.local_system import LocalSystem
from tests.e2e.sdks.installed import SDKS, environment
from tests.e2e.workspaces import believed, counts, identities, instant, lived, members, open_workspace, person, settles

ADA = (
    *("Viewed Docs Pricing Page", "Viewed Home Screen", "Downloaded", "identify", "identify", "group", "alias"),
    "Order Placed",
)
BOB = ("identify", "Order Placed", "group")


@pytest.fixture(scope="module", params=["1", "15"], ids=["one at a time", "in batches"])
def own(request: pytest.FixtureRequest, local: LocalSystem) -> LocalSystem:
    """Three people told by the SDK; and it saw no error."""
    workspace = open_workspace(local, f"sdk-node-{request.param}")
    told = {"TIDINGS_URL": local.url, "TIDINGS_WRITE_KEY": workspace.keys["write"], "FLUSH_AT": request.param}
    done = subprocess.run(
        ["node", "node.mjs"],
        cwd=SDKS,
        env=environment(told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"errors": [], "version": "3.1.0"}
    return workspace


def test_who_was_anonymous_is_the_person_who_signed_up(own: LocalSystem) -> None:
    events = lived(own, ADA, user_id="ada")
    contact = person(own, user_id="ada")
    assert identities(contact) == {
        ("user", "ada"),
        ("anon", "visitor-1"),
        ("anon", "visitor-2"),
        ("email", "ada@example.com"),
    }
    assert {event["context"]["library"]["name"] for event in events} == {"@segment/analytics-node"}


def test_all_that_was_told_of_a_person_is_known(own: LocalSystem) -> None:
    lived(own, ADA, user_id="ada")
    traits = {"email": "ada@example.com", "first_name": "Ada", "plan": "scale", "seats": 4}
    settles(lambda: person(own, user_id="ada")["traits"], traits | {"created_at": "2026-01-02T03:04:05.000Z"})
    fields = believed(person(own, user_id="ada"))
    assert fields["language"] == ("pl-PL", "sdk")
    assert fields["time_zone"] == ("Europe/Warsaw", "sdk")
    assert fields["page"][1] == "sdk"


def test_a_company_has_its_people_and_what_was_told_of_it(own: LocalSystem) -> None:
    lived(own, ADA, user_id="ada")
    lived(own, BOB, user_id="bob")
    known = {"name": "Acme", "employees": 12, "plan": "gold"}
    settles(lambda: own.call("GET", "/v1/companies/acme").json.get("traits"), known)
    settles(lambda: members(own, "acme"), ["ada", "bob"])


def test_a_repeat_counts_once_and_times_are_kept(own: LocalSystem) -> None:
    (order,) = [event for event in lived(own, ADA, user_id="ada") if event["event"] == "Order Placed"]
    assert order["message_id"] == "order-1"
    assert abs(instant(order["timestamp"]) - instant(order["received_at"])) < timedelta(seconds=30)
    assert order["original_timestamp"]
    assert order["sent_at"]
    first = lived(own, BOB, user_id="bob")[0]
    assert first["event"] == "Order Placed"
    assert abs(instant(first["timestamp"]) - (datetime.now(UTC) - timedelta(days=1))) < timedelta(minutes=5)


def test_three_people_are_counted(own: LocalSystem) -> None:
    lived(own, ["Looked Around"], anonymous_id="visitor-3")
    settles(lambda: counts(own), {"people": 3, "identified": 2, "anonymous": 1})
