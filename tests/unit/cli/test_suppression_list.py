"""`tidings suppression list` reads all pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import suppressions


class Api:
    """Two pages of a list, the second of which asks for its cursor."""

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        assert (path, query.pop("channel")) == (("suppressions",), "email")
        address, cursor = ("bob@people.example", "") if query == {"cursor": "next"} else ("ada@people.example", "next")
        entry = {"address": address, "reason": "bounce", "created_at": "2026-11-21T09:00:00Z", "expires_at": None}
        return {"suppressions": [entry], "cursor": cursor}


def test_all_pages_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert suppressions.list_all(Api(), "email", as_json=True) == 0  # type: ignore[arg-type]
    listed = json.loads(capsys.readouterr().out)["suppressions"]
    assert [entry["address"] for entry in listed] == ["ada@people.example", "bob@people.example"]


def test_the_list_says_why_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    assert suppressions.list_all(Api(), "email", as_json=False) == 0  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert "ada@people.example" in shown
    assert "bounce" in shown
    assert "for good" in shown
