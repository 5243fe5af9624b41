"""What Segment's SDKs for mobile apps put on the wire, as their sources have it: they need a phone's system to run.

They join `/b` to `apiHost` and `/projects/{writeKey}/settings` to `cdnHost`, both of which hold the `/v1`; the key
stands in the body alone, which is called text/plain or JSON, and packed by analytics-kotlin.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from tests.e2e.local_system import LocalSystem
from tests.e2e.workspaces import believed, lived, open_workspace, person, settles

JSON = "application/json; charset=utf-8"
HEADERS = {
    "analytics-kotlin": {"content-type": "text/plain", "content-encoding": "gzip"},
    "analytics-ios": {"content-type": JSON},
    "analytics-react-native": {"content-type": "text/plain"},
}


@pytest.fixture(scope="module")
def own(local: LocalSystem) -> LocalSystem:
    return open_workspace(local, "sdk-mobile")


def told_by(sdk: str) -> list[dict[str, Any]]:
    """What somebody does in an app."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context = {
        "app": {"name": "Shop", "version": "1.2", "build": "7"},
        "device": {"manufacturer": "Acme", "model": "One", "type": "android"},
        "os": {"name": "Android", "version": "14"},
        "locale": "pl-PL",
        "library": {"name": sdk, "version": "1"},
    }
    common = {"anonymousId": f"{sdk}-anon", "timestamp": now, "context": context, "integrations": {}}
    calls = (
        {"type": "screen", "name": "Home", "properties": {}},
        {"type": "identify", "userId": sdk, "traits": {"email": f"{sdk}@example.com"}},
        {"type": "track", "userId": sdk, "event": "Signed Up", "properties": {"plan": "team"}},
    )
    return [{**common, "messageId": f"{sdk}-{number}", **call} for number, call in enumerate(calls)]


@pytest.mark.parametrize("sdk", HEADERS)
def test_what_an_app_reports_is_known(own: LocalSystem, sdk: str) -> None:
    key, host = own.keys["publishable"], f"{own.url}/v1"
    settings = urllib3.request("GET", f"{host}/projects/{key}/settings", retries=False).json()
    assert settings["integrations"]["Segment.io"]["apiHost"] == f"{urlsplit(own.url).netloc}/v1"
    sent = {"batch": told_by(sdk), "sentAt": datetime.now(UTC).isoformat(), "writeKey": key}
    body = json.dumps(sent).encode()
    packed = gzip.compress(body) if "content-encoding" in HEADERS[sdk] else body
    answer = urllib3.request("POST", f"{host}/b", body=packed, headers=HEADERS[sdk], retries=False)
    assert (answer.status, answer.json()) == (200, {"success": True})
    lived(own, ["Viewed Home Screen", "identify", "Signed Up"], user_id=sdk)
    settles(lambda: person(own, user_id=sdk)["traits"], {"email": f"{sdk}@example.com"})
    settles(lambda: "app" in believed(person(own, user_id=sdk)), True)
    fields = believed(person(own, user_id=sdk))
    assert (fields["language"], fields["os"][1], fields["app"][1]) == (("pl-PL", "sdk"), "sdk", "sdk")
