"""`tidings template`: lint without any system, and the rest against an API that is told what to answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from tidings_cli import templates
from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.main import main

GOOD = "template: good\nsubject: Hello\nkind: transactional\ntext: Hello {{ contact.first_name }}\n"
SHOWN = {"template": "good", "version": 2, "created_at": "2026-11-21T09:00:00Z", "subject": "Hello", "preheader": "",
         "from": "", "kind": "marketing", "topic": "", "variables": {}, "text": "Hello\n", "html": ""}  # fmt: skip
PREVIEW = {"version": 2, "subject": "Hello [b]", "preheader": "Soon", "text": "Hello Ada\n", "html": "<p>Hello Ada</p>",
           "missing": ["contact.last_name"], "bytes": 2048}  # fmt: skip


class Api:
    """Gives its answers in their order; keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def get(self, *path: str, **query: str) -> Any:
        self.asked.append((*path, query))
        return self.answers.pop(0)

    def put(self, *path: str, body: Any) -> Any:
        return self.post(*path, body=body)

    def post(self, *path: str, body: Any = None) -> Any:
        self.asked.append((*path, body))
        return self.answers.pop(0)


def client(api: Api) -> Client:
    return cast(Client, api)


def written(folder: Path, text: str, name: str = "t.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lint_needs_no_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "lint", str(written(tmp_path, GOOD))]) == 0
    assert "t.yaml is in order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "options", "code", "said"),
    [
        ("text: '{{ nobody }}'", [], 1, "✗ text: {{ nobody }} is unknown; there are "),
        ("html: '<a href=\"\">[b]x[/b]</a>'", [], 1, "✗ html: href of a (): it is empty. (broken_link)"),
        ("text: x", [], 0, "! text: There is no {{ unsubscribe_url }}"),
        ("text: x", ["--strict"], 1, "can be applied"),
        ("colour: 1\ntext: x", [], 1, "✗ colour: "),
    ],
)
def test_lint_tells_each_finding_and_fails_on_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str], code: int, said: str
) -> None:
    path = written(tmp_path, f"template: t\nsubject: x\n{text}\n")
    assert main(["template", "lint", str(path), *options]) == code
    assert said in capsys.readouterr().out


def test_lint_tries_somebody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    ada = written(tmp_path, '{"contact": {"first_name": "Ada"}}', "ada.json")
    nobody = written(tmp_path, '{"contact": {}}', "nobody.json")
    assert main(["template", "lint", str(path), "--data", str(ada), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"file": str(path), "findings": []}]
    assert main(["template", "lint", str(path), "--data", str(nobody)]) == 0
    assert "contact.first_name comes out as nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "is not JSON"), ("[]", "holds no JSON object"), ('{"contact": 1}', "data is an object")]
)
def test_data_of_another_form_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(CommandFailed, match=reason):
        templates.lint([written(tmp_path, GOOD)], written(tmp_path, text, "data.json"), strict=False, as_json=False)


def test_apply_tells_what_may_be_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warning = {"code": "long_subject", "severity": "warning", "field": "subject", "message": "Too long."}
    api = Api({"version": 1, "changed": True, "warnings": [warning]})
    assert templates.apply(client(api), [written(tmp_path, GOOD)], as_json=False) == 0
    out = capsys.readouterr().out
    assert "good version 1 is live" in out
    assert "! subject: Too long. (long_subject)" in out


def test_a_preview_is_shown_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    api, order = Api(PREVIEW, PREVIEW, PREVIEW), {"contact": None, "user_id": "ada", "email": None, "version": 2}
    data = written(tmp_path, '{"event": {"plan": "team"}, "contact": {}}', "data.json")
    assert templates.preview(client(api), "good", order, data, None, as_json=False) == 0
    assert api.asked == [("templates", "good", "preview", {"event": {"plan": "team"}, "user_id": "ada", "version": 2})]
    out = capsys.readouterr().out
    for said in ("Hello [b]", "Soon", "2.0 KB", "! contact.last_name comes out as nothing", "Hello Ada"):
        assert said in out
    page = tmp_path / "mail.html"
    assert templates.preview(client(api), "good", order, None, page, as_json=False) == 0
    assert page.read_text() == "<p>Hello Ada</p>"
    assert "Hello Ada" not in capsys.readouterr().out
    assert templates.preview(client(api), "good", order, None, None, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == PREVIEW


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be written"):
        templates.preview(client(Api(PREVIEW)), "good", {}, None, tmp_path, as_json=False)


def test_all_pages_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api({"templates": [SHOWN], "cursor": "next"}, {"templates": [{**SHOWN, "template": "other"}], "cursor": ""})
    assert templates.list_all(client(api), as_json=False) == 0
    out = capsys.readouterr().out
    assert "good" in out
    assert "other" in out
    assert [asked[-1]["cursor"] for asked in api.asked] == ["", "next"]


def test_versions_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api({"versions": [SHOWN, {**SHOWN, "version": 1}], "cursor": ""}, {**SHOWN, "version": 1}, SHOWN)
    assert templates.versions(client(api), "good", as_json=False) == 0
    assert templates.show(client(api), "good", as_json=False, version=1) == 0
    out = capsys.readouterr().out
    assert "1, made 2026-11-21 09:00:00 UTC" in out
    assert templates.show(client(api), "good", as_json=True) == 0
    assert [asked[:-1] for asked in api.asked] == [
        ("templates", "good", "versions"), ("templates", "good", "versions", "1"), ("templates", "good"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["preview", "good", "--email", "a@people.example", "--out", "x.html"],
        ["versions", "good"],
        ["show", "good", "--version", "1"],
        ["list"],
    ],
)
def test_each_action_asks_the_system(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", *arguments, "--url", "http://127.0.0.1:9", "--key", "sk_x"]) == 1
    assert "Nothing answers" in capsys.readouterr().err


def test_a_person_is_named_in_one_way() -> None:
    with pytest.raises(SystemExit):
        main(["template", "preview", "good", "--email", "a@people.example", "--contact", "c1"])
