"""`tidings conversation`, `tidings inbox` and `tidings category`: what they ask of the API, and what they print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.main import main

SHOWN: dict[str, Any] = {
    "conversation": "c1-x",
    "contact": "c1",
    "state": "ongoing",
    "inbox": "sales",
    "agent": "Eve",
    "channel": "sms",
    "reply": {"channel": "sms", "address": "+48600100200", "from": "+48732000111"},
    "opened_at": "2026-11-21T09:00:00.000000Z",
    "last_at": "2026-11-21T09:00:00.000000Z",
    "wakes_at": None,
    "resolution": None,
    "revision": 2,
}
ENTRY = {"at": "2026-11-21T09:00:00.000000Z", "direction": "in", "who": "+48600100200", "text": "Is it [bold]open[/]?"}
NONE = {"new": 1, "ongoing": 0, "on_hold": 0, "resolved": 3}


class Api:
    """An API that writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        self.asked.append(("GET", path, {name: value for name, value in query.items() if value}))
        if path == ("conversations", "counts"):
            return {"inboxes": {"sales": NONE}, "total": NONE}
        if path == ("inboxes",):
            return {"inboxes": [{"inbox": "sales", "title": "Sales", "addresses": ["+48732000111"], "channels": []}]}
        if path == ("categories",):
            return {"categories": [{"category": "hours", "title": "Hours"}]}
        if len(path) == 2:
            return {**SHOWN, "entries": [ENTRY], "cursor": "" if query.get("cursor") else "more"}
        return {"conversations": [SHOWN], "cursor": "" if query.get("cursor") else "more"}

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("POST", path, body))
        return SHOWN

    def put(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("PUT", path, body))
        return {}

    def delete(self, *path: str) -> dict[str, Any]:
        self.asked.append(("DELETE", path, {}))
        return {"deleted": True}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(connection, "connect", lambda args: made)
    return made


def test_conversations_are_listed_over_all_pages(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conversation", "list", "--inbox", "sales", "--agent", "Eve"]) == 0
    asked = {"inbox": "sales", "state": "open", "agent": "Eve"}
    assert api.asked == [
        ("GET", ("conversations",), {**asked, "limit": "50"}),
        ("GET", ("conversations",), {**asked, "limit": "49", "cursor": "more"}),
    ]
    assert capsys.readouterr().out.count("c1-x") == 2


def test_one_is_shown_with_all_that_stands_in_it_and_none_of_it_is_markup(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conversation", "show", "c1-x"]) == 0
    told = capsys.readouterr().out
    assert told.count("Is it [bold]open[/]?") == 2
    assert "Eve" in told
    assert main(["conversation", "show", "c1-x", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["entries"]) == 2


@pytest.mark.parametrize(
    ("given", "path", "body"),
    [
        (["take", "c1-x"], "take", {}),
        (["take", "c1-x", "--agent", "Eve", "--revision", "3"], "take", {"agent": "Eve", "revision": 3}),
        (["transfer", "c1-x", "--inbox", "sales", "--note", "Hi"], "transfer", {"inbox": "sales", "note": "Hi"}),
        (["hold", "c1-x", "--until", "2026-12-01T09:00:00Z"], "hold", {"until": "2026-12-01T09:00:00Z"}),
        (["resume", "c1-x"], "resume", {}),
        (
            ["resolve", "c1-x", "--type", "task", "--key-message", "Done."],
            "resolve",
            {"type": "task", "category": "general", "key_message": "Done."},
        ),
    ],
)
def test_a_change_asks_for_what_was_given(
    api: Api, capsys: pytest.CaptureFixture[str], given: list[str], path: str, body: dict[str, Any]
) -> None:
    assert main(["conversation", *given]) == 0
    assert api.asked == [("POST", ("conversations", "c1-x", path), body)]
    assert "ongoing" in capsys.readouterr().out


def test_a_note_has_a_key_of_its_own(api: Api) -> None:
    assert main(["conversation", "note", "c1-x", "Angry."]) == 0
    ((_, path, body),) = api.asked
    assert (path, body["text"]) == (("conversations", "c1-x", "notes"), "Angry.")
    assert body["idempotency_key"]


def test_counts_are_a_table(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conversation", "counts"]) == 0
    assert capsys.readouterr().out.split() == ["inbox", *NONE, "sales", "1", "0", "0", "3"]


def test_inboxes_and_categories_are_defined_listed_and_forgotten(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inbox", "define", "sales", "--title", "Sales", "--address", "+48732000111", "--channel", "sms"]) == 0
    assert main(["category", "define", "hours", "--title", "Hours"]) == 0
    assert main(["inbox", "list"]) == main(["category", "list"]) == 0
    assert main(["inbox", "delete", "sales"]) == main(["category", "delete", "hours"]) == 0
    sales = {"title": "Sales", "addresses": ["+48732000111"], "channels": ["sms"]}
    assert api.asked == [
        ("PUT", ("inboxes", "sales"), sales),
        ("PUT", ("categories", "hours"), {"title": "Hours"}),
        ("GET", ("inboxes",), {}),
        ("GET", ("categories",), {}),
        ("DELETE", ("inboxes", "sales"), {}),
        ("DELETE", ("categories", "hours"), {}),
    ]
    assert "Sales" in capsys.readouterr().out
