"""`tidings domain`: what is asked of the API, and what is said of the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.main import main


def record(purpose: str, kind: str, found: bool | None) -> dict[str, Any]:
    return {"purpose": purpose, "type": kind, "name": f"{purpose}.acme.example", "value": f"for {kind}", "found": found}


PENDING: dict[str, Any] = {
    "identity": "acme.example",
    "kind": "domain",
    "verified": False,
    "status": "pending",
    "added_at": "2026-11-21T09:00:00Z",
    "checked_at": "2026-11-21T09:00:01Z",
    "dkim": {"status": "pending", "tokens": ["t1"]},
    "mail_from": {"domain": "mail.acme.example", "status": "pending"},
    "dmarc": {"status": "missing", "found": "", "policy": ""},
    "records": [record("dkim", "CNAME", False), record("mail_from", "MX", True), record("spf", "TXT", None)],
    "warnings": [{"code": "dmarc_missing", "message": "Mailboxes want [DMARC]."}],
}
GOOD = {
    **PENDING,
    "verified": True,
    "status": "success",
    "warnings": [],
    "dmarc": {"status": "found", "found": "_dmarc.acme.example", "policy": "reject"},
}
ADDRESS = {**PENDING, "identity": "hello@acme.example", "kind": "address", "mail_from": None, "records": []}


class Api:
    """Answers with one sender."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.sender = PENDING

    def get(self, *path: str) -> dict[str, Any]:
        self.asked.append(("GET", *path))
        return self.sender if len(path) > 1 else {"senders": [self.sender]}

    def put(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("PUT", *path, body))
        return self.sender

    def delete(self, *path: str, **query: str) -> dict[str, Any]:
        self.asked.append(("DELETE", *path, query))
        return {"removed": True}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(connection, "connect", lambda args: made)
    return made


def said(capsys: pytest.CaptureFixture[str], *words: str, ends: int = 0) -> str:
    assert main(["domain", *words]) == ends
    return capsys.readouterr().out


def test_adding_says_what_to_set_and_what_comes_next(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "add", "acme.example", "--mail-from", "b.acme.example")
    assert api.asked == [("PUT", "senders", "acme.example", {"mail_from": "b.acme.example"})]
    assert "Set these records in the DNS of acme.example." in told
    assert "tidings domain check acme.example" in told
    assert "Mailboxes want [DMARC]." in told


def test_each_record_is_a_line_with_whether_it_was_found(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lines = {
        line.split()[0]: line.split() for line in said(capsys, "show", "acme.example").splitlines() if "for " in line
    }
    assert lines["✗"] == ["✗", "DKIM", "CNAME", "dkim.acme.example", "for", "CNAME"]
    assert lines["✓"] == ["✓", "MAIL", "FROM", "MX", "mail_from.acme.example", "for", "MX"]
    assert lines["?"] == ["?", "SPF", "TXT", "spf.acme.example", "for", "TXT"]


def test_one_that_is_verified_needs_nothing_more(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.sender = GOOD
    told = said(capsys, "add", "acme.example")
    assert api.asked == [("PUT", "senders", "acme.example", {})]
    assert "acme.example is verified" in told
    assert "tidings domain check" not in told
    assert "p=reject at _dmarc.acme.example" in said(capsys, "show", "acme.example")


def test_an_address_is_told_of_the_mail_from_ses(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.sender = ADDRESS
    told = said(capsys, "add", "hello@acme.example")
    assert "SES wrote a mail to hello@acme.example" in told
    assert "CNAME" not in told


@pytest.mark.parametrize(("sender", "ends"), [(PENDING, 1), (GOOD, 0)])
def test_a_check_ends_with_whether_mails_may_leave(
    api: Api, capsys: pytest.CaptureFixture[str], sender: dict[str, Any], ends: int
) -> None:
    api.sender = sender
    assert "acme.example is" in said(capsys, "check", "acme.example", ends=ends)
    assert json.loads(said(capsys, "check", "acme.example", "--json", ends=ends)) == sender


def test_all_are_listed_with_their_states(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "list")
    assert api.asked == [("GET", "senders")]
    for word in ("acme.example", "pending", "missing", "2026-11-21 09:00:01 UTC"):
        assert word in told
    api.sender = GOOD
    assert "verified" in said(capsys, "list")
    assert json.loads(said(capsys, "list", "--json")) == [GOOD]


def test_ses_keeps_it_unless_told_otherwise(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert "SES keeps the identity" in said(capsys, "remove", "acme.example")
    assert "SES keeps" not in said(capsys, "remove", "acme.example", "--delete-identity")
    assert [query for *_, query in api.asked] == [{"identity": ""}, {"identity": "delete"}]


@pytest.mark.parametrize("words", [("add", "acme.example"), ("show", "acme.example"), ("remove", "acme.example")])
def test_scripts_get_json(api: Api, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert json.loads(said(capsys, *words, "--json"))
