"""`tidings automation draw`: a file without any system, or what a system has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.main import main

ROOT = Path(__file__).parents[3]
WELCOME = ROOT / "examples" / "automations" / "welcome.yaml"


def test_a_file_is_drawn_as_mermaid_or_svg_without_any_system(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "draw", str(WELCOME)]) == 0
    assert capsys.readouterr().out.startswith("flowchart TD\n")
    assert main(["automation", "draw", str(WELCOME), "--svg"]) == 0
    assert capsys.readouterr().out.startswith("<svg ")


def test_a_drawing_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "draw", str(WELCOME), "--svg", "-o", str(tmp_path / "welcome.svg")]) == 0
    assert (tmp_path / "welcome.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert "<svg" not in capsys.readouterr().out


def test_an_automation_of_a_system_is_drawn_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Api:
        def get(self, *path: str, at: str) -> Any:
            assert path == ("automations", "tour")
            components = {"mail": {"type": "send_email", "template": at or "tips"}}
            found = {"automation": "tour", "trigger": {"event": "E"}, "start": "mail", "components": components}
            return {"definition": None if at == "never" else found} if at else {"draft": found}

    monkeypatch.setattr(connection, "connect", lambda args: Api())
    assert main(["automation", "draw", "tour"]) == 0
    assert '["mail<br/>e-mail tips"]' in capsys.readouterr().out
    assert main(["automation", "draw", "tour", "--at", "then"]) == 0
    assert '["mail<br/>e-mail then"]' in capsys.readouterr().out
    assert main(["automation", "draw", "tour", "--at", "never"]) == 1
    assert "not published at that time" in capsys.readouterr().err
    assert main(["automation", "draw", str(WELCOME), "--at", "then"]) == 1
    assert "A file is drawn as it is" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "told"), [("{", "cannot be drawn"), (None, "nowhere.yaml")])
def test_what_cannot_be_drawn_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, told: str
) -> None:
    file = tmp_path / "nowhere.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert main(["automation", "draw", str(file)]) != 0
    assert told in capsys.readouterr().err


def test_where_a_drawing_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["automation", "draw", str(WELCOME), "-o", str(tmp_path / "no" / "where.mmd")]) == 1
    assert "cannot be written" in capsys.readouterr().err
