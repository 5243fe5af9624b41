"""`tidings contact`: what is asked of the API, and what is said of the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli.client import ApiError
from tidings_cli.main import main

ADA: dict[str, Any] = {
    "contact": "c1",
    "traits": {"email": "ada@people.example", "first_name": "Ada", "last_name": "L[i]", "plan": "team"},
    "context": {"country": {"value": "PL", "source": "declared", "at": "2026-11-21T09:00:00Z"}},
    "identities": [
        {"kind": "email", "value": "ada@people.example"},
        {"kind": "email", "value": "old@people.example", "former": True},
    ],
    "companies": ["initech"],
    "known": True,
    "created_at": "2026-11-21T09:00:00Z",
    "last_seen_at": "2026-11-21T09:00:00Z",
    "absorbed": [],
    "rating": {"stars": 4, "why": "19 of 20 replies within 2 hours", "next": "the next 8 replies within 30 minutes"},
}


class Api:
    """Answers as the API does, with pages of two."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []
        self.listed: list[dict[str, Any]] = [ADA]

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        self.asked.append(("GET", path, {name: value for name, value in query.items() if value}))
        if path == ("contacts", "counts"):
            return {"people": 1200, "identified": 1000, "anonymous": 200}
        if path == ("contacts", "c1"):
            return ADA
        what = {"contacts": "contacts", "timeline": "events"}.get(path[-1], path[-1])
        start = int(query.get("cursor") or 0)
        end = start + min(2, int(query["limit"]))
        return {what: self.listed[start:end], "cursor": str(end) if end < len(self.listed) else ""}

    def patch(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("PATCH", path, body))
        return {**ADA, "traits": {**ADA["traits"], **body["traits"]}}

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("POST", path, body))
        gone = {"deleted": False, "message": "There is no such contact."}
        return {"contacts": [{"contact": c, **({"deleted": True} if c == "c1" else gone)} for c in body["contacts"]]}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr("tidings_cli.connection.connect", lambda args: made)
    return made


def test_a_contact_is_the_first_that_an_identity_leads_to(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contact", "show", "--phone", "600 100 200"]) == 0
    assert api.asked == [("GET", ("contacts",), {"limit": "1", "phone": "600 100 200"})]
    said = capsys.readouterr().out
    for told in ("old@people.example (earlier)", "initech", "L[i]", '"PL"', "declared"):
        assert told in said


@pytest.mark.parametrize("value", ["nobody", ""])
def test_an_identity_that_leads_to_nobody_is_told_as_such(
    api: Api, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    api.listed = []
    assert main(["contact", "show", "--user-id", value]) == 1
    assert "No contact has this identity. (unknown_contact)" in capsys.readouterr().err
    assert len(api.asked) == (1 if value else 0)  # without an id the API would list everybody


def test_people_are_listed_page_after_page_up_to_the_limit(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.listed = [{**ADA, "contact": f"c{number}"} for number in range(7)]
    assert main(["contact", "list", "--channel", "email", "--kind", "identified", "--limit", "5", "--json"]) == 0
    assert [one["contact"] for one in json.loads(capsys.readouterr().out)] == ["c0", "c1", "c2", "c3", "c4"]
    filters = {"channel": "email", "kind": "identified"}
    assert [query for _, _, query in api.asked] == [
        {"limit": "5", **filters},
        {"limit": "3", "cursor": "2", **filters},
        {"limit": "1", "cursor": "4", **filters},
    ]


def test_people_are_searched_by_words(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contact", "search", "ada", "lov"]) == 0
    assert api.asked[0][2] == {"limit": "50", "name": "ada lov"}
    assert "Ada L[i]" in capsys.readouterr().out


def test_an_edit_sets_json_or_else_text_and_unsets(api: Api) -> None:
    given = ["--set", "seats=12", "--set", "plan=team=x", "--set", 'tags=["a"]', "--unset", "city"]
    assert main(["contact", "edit", "c1", *given, "--set-user-id", "ada", "--idempotency-key", "k"]) == 0
    traits = {"seats": 12, "plan": "team=x", "tags": ["a"], "city": None}
    assert api.asked[1] == ("PATCH", ("contacts", "c1"), {"traits": traits, "user_id": "ada", "idempotency_key": "k"})


@pytest.mark.parametrize("given", ["plan", "=team", ""])
def test_a_trait_given_wrongly_is_refused(api: Api, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["contact", "edit", "c1", "--set", given])
    assert ended.value.code == 2
    assert "write it like plan=team" in capsys.readouterr().err


def test_deleting_says_what_became_of_each(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contact", "delete", "c1"]) == 0
    assert main(["contact", "delete", "c1", "c2"]) == 1
    assert "There is no such contact." in capsys.readouterr().out
    assert main(["contact", "delete", *(["c1"] * 101)]) == 0
    assert [len(body["contacts"]) for method, _, body in api.asked if method == "POST"] == [1, 2, 100, 1]


def test_people_are_counted(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contact", "count"]) == 0
    assert capsys.readouterr().out.split() == ["people", "1,200", "identified", "1,000", "anonymous", "200"]


def test_a_timeline_is_filtered_by_the_api(api: Api) -> None:
    api.listed = []
    given = ["--type", "track,page", "--event", "Paid", "--channel", "sms", "--since", "2026-11-01", "--until", "2027"]
    assert main(["contact", "timeline", "c1", *given]) == 0
    filters = {"type": "track,page", "event": "Paid", "channel": "sms", "since": "2026-11-01", "until": "2027"}
    assert api.asked[1] == ("GET", ("contacts", "c1", "timeline"), {"limit": "50", **filters})


def test_all_messages_are_shown_however_many_pages_they_are(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.listed = [{"message": f"m{number}"} for number in range(5)]
    assert main(["contact", "messages", "c1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5


def test_what_the_api_refuses_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*path: str, **query: str) -> dict[str, Any]:
        raise ApiError(400, {"code": "query_too_short", "message": "Two letters at least."})

    monkeypatch.setattr(api, "get", refuse)
    assert main(["contact", "search", "a"]) == 1
    assert "Two letters at least. (query_too_short)" in capsys.readouterr().err
