"""`tidings automation` and `tidings template`: with files, and against an API that is told what to answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from tidings_cli import automations, templates
from tidings_cli.client import ApiError, Client
from tidings_cli.main import main

ROOT = Path(__file__).parents[3]
WELCOME = ROOT / "examples" / "automations" / "welcome.yaml"
BROKEN = """
automation: broken
trigger: {event: X}
start: nowhere
components:
  a: {type: send_email, template: missing, next: b}
  b: {type: wait, for: 1 day}
"""


class Api:
    """Answers by method and path, or raises; keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, ...]] = []

    def put(self, *path: str, body: Any) -> Any:
        return self._answer("put", path)

    def post(self, *path: str, body: Any = None) -> Any:
        return self._answer("post", path)

    def get(self, *path: str, **query: str) -> Any:
        return self._answer("get", path)

    def _answer(self, method: str, path: tuple[str, ...]) -> Any:
        self.asked.append((method, *path))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(**answers: Any) -> Client:
    return cast(Client, Api(**answers))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN)
    return path


def test_lint_lists_every_problem_with_component_and_code(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(ROOT / "examples" / "templates")
    assert main(["automation", "lint", str(WELCOME), str(broken), "--templates", folder]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"✓ {WELCOME}: no problems"
    assert lines[1] == f"✗ {broken}: 2 errors, 1 warning"
    assert '  error unknown_start there is no component "nowhere" at start' in lines
    assert '  error unknown_template a: there is no template "missing" at components.a.template' in lines
    assert any(line.startswith("  warning nothing_follows_wait b: ") for line in lines)


def test_lint_can_be_read_by_scripts(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "lint", str(broken), "--json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert told["file"] == str(broken)
    assert {problem["code"] for problem in told["problems"]} == {"unknown_start", "nothing_follows_wait"}


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(BROKEN.replace("nowhere", "a"))
    assert main(["automation", "lint", str(path)]) == 0


@pytest.mark.parametrize("text", ["a: [", "- a list", "a: &x 1"])
def test_text_that_is_no_definition_is_a_problem_and_not_a_traceback(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert main(["automation", "lint", str(path)]) == 1
    assert "1 error" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "lint", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml cannot be read: No such file or directory." in capsys.readouterr().err


def test_compile_prints_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "compile", str(WELCOME), "--version", "3"]) == 0
    machine = json.loads(capsys.readouterr().out)
    assert (machine["Comment"], machine["StartAt"]) == ("version 3", "first_day")


def test_compile_refuses_what_has_errors(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "compile", str(broken)]) == 1
    assert "unknown_start" in capsys.readouterr().out


def test_a_refused_file_shows_its_problems_and_the_others_are_applied(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {"code": "unknown_start", "message": "start: x", "component": "", "level": "error", "place": "start"}
    refusal = ApiError(400, {"code": "unknown_start", "message": "start: x", "problems": [problem]})
    assert automations.apply(client(put=refusal), [broken], and_publish=True, as_json=False) == 1
    told = capsys.readouterr().out
    assert "broken.yaml was not applied: 1 error" in told
    assert "error unknown_start x at start" in told


def test_apply_keeps_a_draft_and_says_how_to_publish(capsys: pytest.CaptureFixture[str]) -> None:
    assert automations.apply(client(put={"problems": []}), [WELCOME], and_publish=False, as_json=False) == 0
    assert "Publish it with: tidings automation publish welcome" in capsys.readouterr().out


def test_a_refusal_that_is_not_about_the_file_ends_the_command() -> None:
    refusal = ApiError(401, {"code": "invalid_api_key", "message": "no"})
    with pytest.raises(ApiError):
        automations.apply(client(put=refusal), [WELCOME], and_publish=False, as_json=False)
    with pytest.raises(ApiError):
        templates.apply(client(put=refusal), [ROOT / "examples" / "templates" / "welcome-tips.yaml"], as_json=False)


def test_history_says_what_each_version_changed(capsys: pytest.CaptureFixture[str]) -> None:
    first = {"start": "a", "components": {"a": {"type": "end"}}}
    second = {"start": "a", "components": {"a": {"type": "end"}, "b": {"type": "end"}}}
    versions = [
        {"version": 2, "created_at": "2026-11-22T09:00:00Z", "definition": second},
        {"version": 1, "created_at": "2026-11-21T09:00:00Z", "definition": first},
    ]
    assert automations.history(client(get={"versions": versions}), "x", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["changes"] for one in told] == [["added b (end)"], ["first version"]]


class Pages:
    """Answers a listing page by page, and keeps by which cursors it was asked."""

    def __init__(self, what: str, *pages: list[Any]) -> None:
        self.what, self.pages = what, pages
        self.asked: list[tuple[tuple[str, ...], str, str]] = []

    def get(self, *path: str, **query: str) -> Any:
        cursor = query.get("cursor", "")
        self.asked.append((path, query["limit"], cursor))
        number = int(cursor or 0)
        return {self.what: self.pages[number], "cursor": str(number + 1) if number + 1 < len(self.pages) else ""}


def test_all_pages_of_automations_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    stands = {"description": "", "state": None, "live_version": None, "published_at": None, "unpublished_changes": True}
    api = Pages("automations", *([{"automation": name, **stands}] for name in ("a", "b", "c")))
    assert automations.list_all(cast(Client, api), as_json=True) == 0
    assert [one["automation"] for one in json.loads(capsys.readouterr().out)] == ["a", "b", "c"]
    assert api.asked == [(("automations",), "200", cursor) for cursor in ("", "1", "2")]
    assert automations.list_all(cast(Client, api), as_json=False) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[-3:]] == ["a", "b", "c"]


def test_a_history_over_several_pages_compares_the_last_of_one_with_the_first_of_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    components: dict[str, Any] = {"a": {"type": "end"}}
    versions = []
    for version in (1, 2, 3):
        definition = {"start": "a", "components": dict(components)}
        versions.insert(0, {"version": version, "created_at": "2026-11-22T09:00:00Z", "definition": definition})
        components[f"b{version}"] = {"type": "end"}
    api = Pages("versions", versions[:1], versions[1:])
    assert automations.history(cast(Client, api), "x", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["changes"] for one in told] == [["added b2 (end)"], ["added b1 (end)"], ["first version"]]


def test_a_template_file_must_name_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("subject: x")
    arguments = ["template", "apply", str(path), "--url", "http://127.0.0.1:9", "--key", "sk_x"]
    assert main(arguments) == 1
    assert 't.yaml: the key "template" with a name is missing.' in capsys.readouterr().err


def test_a_refused_template_is_told_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("template: t\nsubject: x\n")
    refusal = ApiError(400, {"code": "invalid_template", "message": "A template needs text or html."})
    assert templates.apply(client(put=refusal), [path], as_json=False) == 1
    assert "t.yaml was not applied: A template needs text or html. (invalid_template)" in capsys.readouterr().out
