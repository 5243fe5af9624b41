"""What the real system still knows, and still does, after it was stopped and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.local_system import LocalSystem, eventually, start

TEMPLATE = {
    "subject": "Hello {{ contact.first_name }}",
    "text": "A day has passed.",
    "html": "<p>A day has passed.</p>",
}
AUTOMATION = {
    "automation": "a-day-later",
    "trigger": {"event": "Signed Up"},
    "start": "pause",
    "components": {
        "pause": {"type": "wait", "for": "1 day", "next": "hello"},
        "hello": {"type": "send_email", "template": "hello"},
    },
}


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., LocalSystem]]:
    """Starts on the same folder again and again; whatever still runs at the end is stopped."""
    systems: list[LocalSystem] = []

    def start_again(*options: str) -> LocalSystem:
        systems.append(start(tmp_path, *options))
        return systems[-1]

    yield start_again
    for system in systems:
        if system.process.poll() is None:
            assert system.stop() == 0


def enrolments(system: LocalSystem) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = system.call("GET", "/v1/automations/a-day-later/enrolments").json["enrolments"]
    return found


def mails(system: LocalSystem) -> list[tuple[str, str]]:
    return [(mail["to"][0], mail["subject"]) for mail in system.call("GET", "/outbox/api/mails", key="").json]


def test_an_enrolment_that_waited_at_the_stop_goes_on_after_the_start(begin: Callable[..., LocalSystem]) -> None:
    first = begin()
    assert first.call("PUT", "/v1/templates/hello", {"template": "hello", **TEMPLATE}).status == 200
    assert first.call("PUT", "/v1/automations/a-day-later", AUTOMATION).status == 200
    assert first.call("POST", "/v1/automations/a-day-later/publish").status == 200
    traits = {"email": "ada@example.com", "firstName": "Ada"}
    assert first.call("POST", "/v1/identify", {"userId": "ada", "traits": traits}, key="write").status == 200
    assert first.call("POST", "/v1/track", {"userId": "ada", "event": "Signed Up"}, key="write").status == 200
    eventually(lambda: enrolments(first))
    (contact,) = first.call("GET", "/v1/contacts?user_id=ada").json["contacts"]
    assert mails(first) == []
    assert first.stop() == 0

    second = begin("--wait-scale", "0")
    assert second.line["resumed"] == 1
    (resumed,) = second.call("GET", "/v1/contacts?user_id=ada").json["contacts"]
    assert resumed["contact"] == contact["contact"]
    eventually(lambda: mails(second) == [("ada@example.com", "Hello Ada")])
    eventually(lambda: enrolments(second)[0]["state"] != "live")
    assert second.stop() == 0

    third = begin()
    assert third.line["resumed"] == 0
    assert mails(third) == [("ada@example.com", "Hello Ada")]
