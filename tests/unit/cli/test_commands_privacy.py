"""`tidings contact export` and `erase`: one whole document, and nothing erased by mistake."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tidings_cli import privacy
from tidings_cli.errors import CommandFailed

ADA = {"contact": "c1"}
PAGES: dict[str, dict[str, Any]] = {
    "": {"items": [{"section": "contact", "name": "Zoë"}, {"section": "events", "n": 1}], "cursor": "a"},
    "a": {"items": [], "cursor": "b"},
    "b": {"items": [{"section": "events", "n": 2}], "cursor": ""},
}


class FakeClient:
    """An API that has three pages and says what it was asked to do."""

    def __init__(self, broken: str = "none") -> None:
        self.posted: list[Any] = []
        self._broken = broken

    def get(self, *path: str, cursor: str = "") -> dict[str, Any]:
        assert path == ("contacts", "c1", "export")
        if cursor == self._broken:
            raise CommandFailed("the API answered 503")
        return {"contact": "c1", "generated_at": "2026-11-21T09:00:00Z", **PAGES[cursor]}

    def post(self, *path: str, body: Any) -> dict[str, Any]:
        self.posted.append((path, body))
        return {"contact": "c1", "state": "erasing"}


def test_the_pages_become_one_document_that_only_its_owner_reads(tmp_path: Path) -> None:
    out = tmp_path / "ada.json"
    assert privacy.export(FakeClient(), ADA, str(out), as_json=False) == 0  # type: ignore[arg-type]
    document = json.loads(out.read_text(encoding="utf-8"))
    assert (document["contact"], document["generated_at"]) == ("c1", "2026-11-21T09:00:00Z")
    assert document["items"] == [*PAGES[""]["items"], *PAGES["b"]["items"]]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [out]


def test_an_export_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "ada.json"
    out.write_text("before")
    with pytest.raises(CommandFailed, match="503"):
        privacy.export(FakeClient("b"), ADA, str(out), as_json=False)  # type: ignore[arg-type]
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be written"):
        privacy.export(FakeClient(), ADA, str(tmp_path / "no" / "ada.json"), as_json=False)  # type: ignore[arg-type]


def test_an_export_goes_to_stdout_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    privacy.export(FakeClient(), ADA, "-", as_json=False)  # type: ignore[arg-type]
    assert len(json.loads(capsys.readouterr().out)["items"]) == 3


@pytest.mark.parametrize("confirm", [None, "", "c2"])
def test_nothing_is_erased_without_the_id_given_twice(confirm: str | None) -> None:
    client = FakeClient()
    with pytest.raises(CommandFailed, match="--confirm c1"):
        privacy.erase(client, ADA, confirm, as_json=False)  # type: ignore[arg-type]
    assert client.posted == []


def test_erasing_says_the_id_to_the_api_too(capsys: pytest.CaptureFixture[str]) -> None:
    client = FakeClient()
    assert privacy.erase(client, ADA, "c1", as_json=True) == 0  # type: ignore[arg-type]
    assert client.posted == [(("contacts", "c1", "erase"), {"confirm": "c1"})]
    assert json.loads(capsys.readouterr().out) == {"contact": "c1", "state": "erasing"}
