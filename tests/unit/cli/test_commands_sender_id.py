"""`tidings sender-id` and `tidings sms`: what is asked of the API, and what is said of the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.main import main

PLACE = {"state": "registering", "told": "fill in the form", "registration": "r-1", "look_at": "2026-11-21T10:00:00Z"}
WAITING: dict[str, Any] = {
    "name": "ACME",
    "state": "requested",
    "countries": {"PL": {"state": "wanted", "told": "", "registration": "", "look_at": None}},
    "purpose": "Visits",
    "sample": "Tomorrow.",
    "requested_at": "2026-11-21T09:00:00Z",
    "requested_by": "shop",
    "approvals": {},
    "reason": "",
    "waits_for": "verify",
    "reminded": 0,
    "expires_at": "2026-12-05T09:00:00Z",
}
ENDED = {"waits_for": "", "expires_at": None}
ACTIVE = {
    **WAITING,
    **ENDED,
    "state": "active",
    "countries": {"TR": PLACE},
    "approvals": {"verify": {"by": "Mia", "at": "2026-11-21T09:10:00Z"}},
}
REJECTED = {**WAITING, **ENDED, "state": "rejected", "reason": "Not yours."}
CHANGE = {"at": "2026-11-21T09:00:00Z", "what": "requested", "who": "shop", "country": "PL", "reason": ""}
SET = {
    "at": "2026-11-21T09:00:00Z",
    "who": "Mia",
    "changes": [
        {"setting": "max_price", "before": None, "after": "0.05", "left_out": []},
        {"setting": "countries", "before": None, "after": {}, "left_out": ["before"]},
    ],
}
SETUP: dict[str, Any] = {
    "plan": {"PL": {"marketing": "ACME", "*": "+48732100200"}},
    "countries": {"AL": {"two_way": True, "source": "us", "date": "2026-11-20"}},
    "max_price": "0.05",
    "lifetime": None,
    "short_url": None,
    "review": {"remind_every": "3 days", "expires_after": "14 days"},
    "sender_ids": {"ACME": {"PL": "active"}},
    "numbers": ["+48732100200"],
}
RULE = {
    "country": "PL",
    "sender_id": "free",
    "two_way": True,
    "source": "AWS",
    "date": "2023",
    "note": "",
    "own": False,
}


class Api:
    """Answers with one sender ID, two pages of each log, one setup and one country."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.sender = WAITING

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        self.asked.append(("GET", *path))
        if path == ("sms", "setup"):
            return SETUP
        if path == ("sms", "countries"):
            return {"countries": [RULE, {**RULE, "country": "US", "sender_id": "not_supported"}]}
        if path == ("sms", "setup", "log"):
            return {"log": [SET], "cursor": "" if query["cursor"] else "more"}
        if path[-1] == "log":
            return {"log": [CHANGE], "cursor": "" if query["cursor"] else "more"}
        return self.sender if len(path) > 1 else {"sender_ids": [self.sender]}

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("POST", *path, body))
        return self.sender

    def put(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("PUT", *path, body))
        return {**SETUP, **body}

    def delete(self, *path: str) -> dict[str, Any]:
        self.asked.append(("DELETE", *path))
        return self.sender


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(connection, "connect", lambda args: made)
    return made


def said(capsys: pytest.CaptureFixture[str], *words: str, ends: int = 0) -> str:
    assert main([*words]) == ends
    return capsys.readouterr().out


def test_a_request_says_whose_turn_it_is(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--country", "PL", "--country", "DE", "--purpose", "Visits", "--sample", "Tomorrow.")
    told = said(capsys, "sender-id", "request", "ACME", *words)
    body = {"name": "ACME", "countries": ["PL", "DE"], "purpose": "Visits", "sample": "Tomorrow."}
    assert api.asked == [("POST", "sender-ids", body)]
    assert "ACME waits for staff to verify it" in told


@pytest.mark.parametrize("decision", ["verify", "accept"])
def test_an_approval_may_have_a_reason(api: Api, capsys: pytest.CaptureFixture[str], decision: str) -> None:
    api.sender = ACTIVE
    assert "ACME is active" in said(capsys, "sender-id", decision, "ACME")
    said(capsys, "sender-id", decision, "ACME", "--reason", "Seen.")
    assert api.asked == [
        ("POST", "sender-ids", "ACME", decision, {}),
        ("POST", "sender-ids", "ACME", decision, {"reason": "Seen."}),
    ]


def test_a_rejection_has_one(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sender-id", "reject", "ACME"])
    api.sender = REJECTED
    assert "ACME is rejected: Not yours." in said(capsys, "sender-id", "reject", "ACME", "--reason", "Not yours.")


def test_retiring_is_a_delete(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.sender = {**REJECTED, "state": "retired", "reason": ""}
    assert "ACME is retired." in said(capsys, "sender-id", "retire", "ACME")
    assert api.asked == [("DELETE", "sender-ids", "ACME")]


def test_the_list_says_what_each_waits_for(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "sender-id", "list")
    assert "PL:wanted" in told
    assert "staff to verify it" in told
    assert json.loads(said(capsys, "sender-id", "list", "--json")) == [WAITING]


def test_one_is_shown_with_what_to_do_in_each_country(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert "waits for" in said(capsys, "sender-id", "show", "ACME")
    api.sender = ACTIVE
    told = said(capsys, "sender-id", "show", "ACME")
    for word in ("TR", "registering", "fill in the form", "r-1", "Mia"):
        assert word in told
    api.sender = REJECTED
    assert "Not yours." in said(capsys, "sender-id", "show", "ACME")
    assert json.loads(said(capsys, "sender-id", "show", "ACME", "--json")) == REJECTED


def test_the_log_is_read_to_its_end(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(said(capsys, "sender-id", "log", "ACME", "--json")) == [CHANGE, CHANGE]
    assert "requested" in said(capsys, "sender-id", "log", "ACME")


def test_the_setup_is_shown_and_changed(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "sms", "setup")
    for word in ("ACME (PL)", "+48732100200", "0.05 USD", "remind every 3 days"):
        assert word in told
    said(capsys, "sms", "setup", "--max-price", "", "--lifetime", "60", "--remind-every", "1 day")
    review = {"remind_every": "1 day", "expires_after": "14 days"}
    assert api.asked[-1] == ("PUT", "sms", "setup", {"max_price": None, "lifetime": 60, "review": review})
    assert json.loads(said(capsys, "sms", "setup", "--json")) == SETUP
    assert main(["sms", "setup", "--lifetime", "long"]) == 1


def test_the_log_of_the_setup_says_who_changed_what(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(said(capsys, "sms", "setup", "--log", "--json")) == [SET, SET]
    told = said(capsys, "sms", "setup", "--log")
    for word in ("2026-11-21 09:00:00", "Mia", "max price", '"0.05"', "(too long to be kept)"):
        assert word in told
    assert main(["sms", "setup", "--log", "--lifetime", "60"]) == 1
    assert not [call for call in api.asked if call[0] == "PUT"]


def test_a_plan_is_changed_for_one_country_and_kind(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert "marketing" in said(capsys, "sms", "plan")
    said(capsys, "sms", "plan", "PL", "BETA", "--kind", "marketing")
    assert api.asked[-1] == ("PUT", "sms", "setup", {"plan": {"PL": {"marketing": "BETA", "*": "+48732100200"}}})
    said(capsys, "sms", "plan", "PL", "")
    assert api.asked[-1] == ("PUT", "sms", "setup", {"plan": {"PL": {"marketing": "ACME"}}})
    assert json.loads(said(capsys, "sms", "plan", "*", "ACME", "--json"))["*"] == {"*": "ACME"}
    assert main(["sms", "plan", "PL"]) == 1


def test_countries_are_shown_and_known_better(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "sms", "countries", "US")
    assert "not supported" in told
    assert "PL" not in told
    assert len(json.loads(said(capsys, "sms", "countries", "--json"))) == 2
    said(capsys, "sms", "countries", "PL", "--two-way", "no", "--source", "us", "--date", "2026-11-20")
    rule = {"source": "us", "date": "2026-11-20", "two_way": False}
    changed = [call for call in api.asked if call[0] == "PUT"]
    assert changed == [("PUT", "sms", "setup", {"countries": {**SETUP["countries"], "PL": rule}})]
    said(capsys, "sms", "countries", "AL", "--forget")
    assert [call for call in api.asked if call[0] == "PUT"][-1] == ("PUT", "sms", "setup", {"countries": {}})
    assert main(["sms", "countries", "--forget"]) == 1
