"""`tidings conversation reply`: what it asks of the API, and what it prints."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.client import ApiError
from tidings_cli.main import main

STOPPED = {"check": "suppression", "passed": False, "found": "suppressed since [2026]: stop"}
SENT: dict[str, Any] = {
    "message": {"message": "c1-m", "channel": "sms", "state": "accepted", "address": "+48600100200", "error": ""},
    "conversation": {"conversation": "c1-x", "state": "on_hold", "agent": "Eve"},
}
SKIPPED: dict[str, Any] = {
    **SENT,
    "message": {
        **SENT["message"],
        "state": "skipped",
        "decision": {"send": False, "decided_by": "suppression", "checks": [STOPPED]},
    },
}
REFUSED: dict[str, Any] = {**SENT, "message": {**SENT["message"], "state": "refused", "error": "ValidationException"}}


class Api:
    """Answers with one reply, and writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer = SENT
        self.refuses = ""

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((path, body))
        if self.refuses:
            raise ApiError(409, {"code": self.refuses, "message": "It is over."})
        return self.answer


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(connection, "connect", lambda args: made)
    return made


def reply(*words: str) -> int:
    return main(["conversation", "reply", "c1-x", *words])


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (["Until {{ variables.hour }}.", "--var", "hour=18:00"],
         {"text": "Until {{ variables.hour }}.", "variables": {"hour": "18:00"}}),
        (["--template", "hours", "--var", "sum=1=1", "--var", "note="],
         {"template": "hours", "variables": {"sum": "1=1", "note": ""}}),
        (["Hello.", "--channel", "email", "--subject", "Your table"],
         {"text": "Hello.", "channel": "email", "subject": "Your table"}),
    ],
)  # fmt: skip
def test_a_reply_asks_for_what_was_given(api: Api, options: list[str], body: dict[str, Any]) -> None:
    assert reply(*options, "--idempotency-key", "k-1") == 0
    assert api.asked == [(("conversations", "c1-x", "replies"), {**body, "idempotency_key": "k-1"})]


def test_each_reply_has_a_key_of_its_own(api: Api) -> None:
    assert reply("Hello.") == reply("Hello.") == 0
    keys = [body["idempotency_key"] for _, body in api.asked]
    assert len({*keys, ""}) == 3


def test_files_go_with_their_names_types_and_bytes(api: Api, tmp_path: Path) -> None:
    for name in ("menu.pdf", "menu.unheard-of"):
        (tmp_path / name).write_bytes(b"\x00soup")
    assert reply("Here.", "--attach", str(tmp_path / "menu.pdf"), "--attach", str(tmp_path / "menu.unheard-of")) == 0
    content = base64.b64encode(b"\x00soup").decode()
    assert api.asked[0][1]["attachments"] == [
        {"name": "menu.pdf", "type": "application/pdf", "content": content},
        {"name": "menu.unheard-of", "type": "application/octet-stream", "content": content},
    ]


def test_where_it_went_and_how_the_conversation_stands_is_told(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert reply("Hello.") == 0
    told = capsys.readouterr().out
    assert "Sent to +48600100200 by sms" in told
    assert "the conversation is on hold." in told


@pytest.mark.parametrize("state", ["claimed", "unknown"])
def test_of_a_reply_that_may_have_been_sent_nothing_is_claimed(
    api: Api, capsys: pytest.CaptureFixture[str], state: str
) -> None:
    api.answer = {**SENT, "message": {**SENT["message"], "state": state}}
    assert reply("Hello.") == 0
    told = capsys.readouterr().out
    assert "Nobody knows yet whether it was sent to +48600100200 by sms" in told
    assert "Sent to" not in told


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            SKIPPED,
            ["the conversation is as it was.", "because of the suppression check", "suppressed since [2026]: stop"],
        ),
        (
            REFUSED,
            [
                "it stands in the conversation all the same, which is on hold.",
                "refused by the provider for good (ValidationException)",
            ],
        ),
    ],
    ids=["skipped", "refused"],
)
def test_a_reply_that_is_not_sent_fails_and_says_why(
    api: Api, capsys: pytest.CaptureFixture[str], answer: dict[str, Any], why: list[str]
) -> None:
    api.answer = answer
    assert reply("Hello.") == 1
    told = capsys.readouterr().out
    assert "Not sent" in told
    assert [words for words in why if words not in told] == []


@pytest.mark.parametrize(("answer", "ends"), [(SENT, 0), (SKIPPED, 1)], ids=["sent", "skipped"])
def test_the_answer_is_printed_for_scripts(
    api: Api, capsys: pytest.CaptureFixture[str], answer: dict[str, Any], ends: int
) -> None:
    api.answer = answer
    assert reply("Hello.", "--json") == ends
    assert json.loads(capsys.readouterr().out) == answer


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--var", "hour"], "hour is no variable: write it like name=value"),
        (["--var", "=18:00"], "=18:00 is no variable: write it like name=value"),
        (["--attach", "no-such-file.pdf"], "no-such-file.pdf cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_sent_is_asked_of_nobody(
    api: Api, capsys: pytest.CaptureFixture[str], options: list[str], why: str
) -> None:
    assert reply("Hello.", *options) == 1
    assert why in capsys.readouterr().err
    assert api.asked == []


def test_what_the_api_refuses_is_told_with_its_code(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.refuses = "conversation_changed"
    assert reply("Hello.") == 1
    told = capsys.readouterr()
    assert (told.out, "It is over. (conversation_changed)" in told.err) == ("", True)
