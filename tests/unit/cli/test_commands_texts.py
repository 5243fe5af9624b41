"""`tidings sms send` and `tidings sms preview`: what they ask of the API, and what they print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.client import ApiError
from tidings_cli.main import main

PASSED = {"check": "address", "passed": True, "found": "the contact has a phone number of PL"}
STOPPED = {"check": "suppression", "passed": False, "found": "suppressed since [2026]: stop"}
GOES = {"send": True, "decided_by": "", "checks": [PASSED], "versions": {}}
STAYS = {"send": False, "decided_by": "suppression", "checks": [PASSED, STOPPED], "versions": {}}
MESSAGE: dict[str, Any] = {
    "message": "c1-m",
    "node": "message:c1-m",
    "channel": "sms",
    "state": "accepted",
    "kind": "transactional",
    "template": "",
    "template_version": 0,
    "address": "+48600100200",
    "subject": "",
    "error": "",
    "cause": {"api": "k-1"},
    "decision": GOES,
    "history": {"accepted": "2026-11-21T09:00:00.000000Z"},
}
LENGTH = {"text": "Hi [b]Ola[/b]…", "encoding": "Unicode", "units": 14, "parts": 1, "sender": "ACME", "price": "0.03"}
TRIAL: dict[str, Any] = {**LENGTH, "dry_run": True, "decision": GOES, "provider": {"takes": True, "error": ""}}
SHOWN: dict[str, Any] = {
    **LENGTH,
    "too_long": False,
    "price": None,
    "missing": ["contact.first_name"],
    "forces_unicode": [{"character": "…", "at": 13, "by": "..."}, {"character": "…", "at": 20, "by": "..."}],
    "with_gsm7": {"text": "Hi Ola...", "encoding": "GSM", "units": 9, "parts": 1},
}


class Api:
    """Answers with one text, and writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer: dict[str, Any] = MESSAGE
        self.refuses = ""

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((path, body))
        if self.refuses:
            raise ApiError(404, {"code": self.refuses, "message": "Nobody has this number."})
        return self.answer


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(connection, "connect", lambda args: made)
    return made


def said(capsys: pytest.CaptureFixture[str], *words: str, ends: int = 0) -> str:
    assert main(["sms", *words]) == ends
    return capsys.readouterr().out


NOTHING_MORE: dict[str, Any] = {"variables": {}, "max_price": "", "two_way": False, "dry_run": False}


@pytest.mark.parametrize(
    ("options", "order"),
    [
        (["--text", "Hi", "--user-id", "ola"], {"text": "Hi", "to": {"user_id": "ola"}}),
        (["--template", "pin", "--contact", "c1"], {"template": "pin", "to": {"contact": "c1"}}),
        (
            ["--template", "pin", "--phone", "+48600100200", "--variables", '{"code": 7}', "--kind", "transactional",
             "--sender", "ACME", "--gsm7", "--max-price", "0.05", "--two-way"],
            {"template": "pin", "to": {"phone": "+48600100200"}, "variables": {"code": 7}, "kind": "transactional",
             "sender": "ACME", "gsm7": True, "max_price": "0.05", "two_way": True},
        ),
    ],
)  # fmt: skip
def test_a_text_is_ordered_with_what_was_said_of_it(api: Api, options: list[str], order: dict[str, Any]) -> None:
    assert main(["sms", "send", *options, "--idempotency-key", "k-1"]) == 0
    assert api.asked == [(("sms",), {**NOTHING_MORE, "idempotency_key": "k-1", **order})]


def test_each_order_has_a_key_of_its_own(api: Api) -> None:
    for _ in range(2):
        assert main(["sms", "send", "--text", "Hi", "--user-id", "ola"]) == 0
    keys = [body["idempotency_key"] for _, body in api.asked]
    assert len({*keys, ""}) == 3


def test_what_became_of_a_text_is_told(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "send", "--text", "Hi", "--user-id", "ola")
    for words in (
        "Text message\n",
        "message:c1-m",
        "+48600100200",
        "none, transactional",
        "API call k-1",
        "accepted by the provider",
    ):
        assert words in told
    assert "version 0" not in told
    api.answer = {**MESSAGE, "state": "skipped", "decision": STAYS}
    told = said(capsys, "send", "--text", "Hi", "--user-id", "ola")
    assert "not sent, because of the suppression check" in told
    assert json.loads(said(capsys, "send", "--text", "Hi", "--user-id", "ola", "--json")) == api.answer


def test_a_dry_run_says_what_would_become_of_a_text(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = TRIAL
    told = said(capsys, "send", "--text", "Hi", "--user-id", "ola", "--dry-run")
    assert api.asked[0][1]["dry_run"] is True
    for words in ("ACME", "Unicode", "0.03", "the provider would take it", "Hi [b]Ola[/b]…"):
        assert words in told
    api.answer = {**TRIAL, "provider": {"takes": False, "error": "ServiceQuotaExceededException"}}
    told = said(capsys, "send", "--text", "Hi", "--user-id", "ola", "--dry-run")
    assert "the provider says ServiceQuotaExceededException" in told


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_dry_run_fails_where_a_check_says_no(api: Api, capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    api.answer = {**TRIAL, "decision": STAYS}
    told = said(capsys, "send", "--text", "Hi", "--user-id", "ola", "--dry-run", *form, ends=1)
    assert "suppressed since [2026]: stop" in told


def test_a_preview_asks_for_no_more_than_was_said(api: Api) -> None:
    api.answer = SHOWN
    assert main(["sms", "preview", "--text", "Hi"]) == 0
    to_ola = ["--user-id", "ola", "--variables", '{"code": 7}', "--kind", "marketing", "--sender", "ACME", "--gsm7"]
    assert main(["sms", "preview", "--template", "pin", *to_ola]) == 0
    asked = {"template": "pin", "kind": "marketing", "sender": "ACME", "gsm7": True}
    assert api.asked == [
        (("sms", "preview"), {"text": "Hi"}),
        (("sms", "preview"), {**asked, "to": {"user_id": "ola"}, "data": {"variables": {"code": 7}}}),
    ]


def test_a_preview_shows_the_text_its_parts_and_what_costs_some(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = SHOWN
    told = said(capsys, "preview", "--text", "Hi")
    assert told.endswith("\nHi [b]Ola[/b]…\n")
    for words in ("contact.first_name comes out as nothing", "GSM lacks …\n", "with --gsm7 it has 1 of GSM"):
        assert words in told
    assert "price" not in told
    api.answer = {**SHOWN, "encoding": "GSM", "missing": [], "forces_unicode": []}
    told = said(capsys, "preview", "--text", "Hi")
    assert not {"comes", "lacks", "--gsm7", "longer"} & {*told.split()}
    assert json.loads(said(capsys, "preview", "--text", "Hi", "--json")) == api.answer


def test_a_preview_tells_of_a_text_that_would_not_be_taken(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = {**SHOWN, "too_long": True}
    assert "it is longer than the provider takes" in said(capsys, "preview", "--text", "Hi")


@pytest.mark.parametrize("variables", ["{", "[1]", '"code"'])
@pytest.mark.parametrize("action", ["send", "preview"])
def test_variables_are_an_object(api: Api, capsys: pytest.CaptureFixture[str], action: str, variables: str) -> None:
    assert main(["sms", action, "--text", "Hi", "--user-id", "ola", "--variables", variables]) == 1
    assert "--variables is a JSON object." in capsys.readouterr().err
    assert api.asked == []


def test_a_text_goes_to_somebody_and_a_preview_needs_nobody(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sms", "send", "--text", "Hi"]) == 1
    assert "Name one of --contact, --user-id, --phone." in capsys.readouterr().err
    assert api.asked == []


@pytest.mark.parametrize("options", [[], ["--text", "Hi", "--template", "pin"]])
def test_a_text_is_written_or_named_and_not_both(api: Api, options: list[str]) -> None:
    for action in ("send", "preview"):
        with pytest.raises(SystemExit) as ended:
            main(["sms", action, "--phone", "+48600100200", *options])
        assert ended.value.code == 2
    assert api.asked == []


@pytest.mark.parametrize("action", ["send", "preview"])
def test_what_the_api_refuses_is_told_with_its_code(api: Api, capsys: pytest.CaptureFixture[str], action: str) -> None:
    api.refuses = "unknown_contact"
    assert main(["sms", action, "--text", "Hi", "--phone", "+48600100200"]) == 1
    told = capsys.readouterr()
    assert (told.out, "Nobody has this number. (unknown_contact)" in told.err) == ("", True)
