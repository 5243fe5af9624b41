"""What answers look like on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tidings.core import http


def test_an_instant_is_answered_in_iso_8601_in_utc() -> None:
    answer = http.ok({"at": datetime(2026, 11, 21, 9, 0, 0, 5, tzinfo=UTC)})
    assert json.loads(answer["body"]) == {"at": "2026-11-21T09:00:00.000005Z"}
