"""Woken by GET /v1/projects/{writeKey}/settings: what the browser SDK asks for before it starts."""

from __future__ import annotations

from typing import Any

from tidings.accounts.service import Doorkeeper
from tidings.activity.browser import admit_browser, sdk_settings
from tidings.core import http
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database

doorkeeper = Doorkeeper.over(Database(Settings.read()), SystemClock())


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Answer for a key that may stand in a page; browsers may keep the answer for a minute."""
    request = http.Request.of(event)
    key = request.path.get("writeKey", "")
    admit_browser(doorkeeper, key)
    answer = http.ok(sdk_settings(key, request.origin))
    answer["headers"]["cache-control"] = "public, max-age=60"
    return answer
