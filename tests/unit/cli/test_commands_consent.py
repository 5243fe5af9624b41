"""`tidings consent import`: a CSV file goes to the API a thousand rows a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidings_cli import consents
from tidings_cli.errors import CommandFailed


class Api:
    """An API that takes every row but those without an address."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == ("consents", "import")
        self.calls.append(body)
        wrong = {"result": "invalid", "code": "invalid_address", "message": "This is no address."}
        rows = [
            {"row": n, "result": "set"} if row.get("address") else {"row": n, **wrong}
            for n, row in enumerate(body["rows"], 1)
        ]
        return {"rows": rows}


def loaded(tmp_path: Path, text: str, dry_run: bool = False) -> tuple[int, Api]:
    api, file = Api(), tmp_path / "people.csv"
    file.write_text(text, encoding="utf-8")
    return consents.load(api, str(file), "email", dry_run, as_json=False), api  # type: ignore[arg-type]


def test_a_file_is_imported_as_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '\ufeffaddress,topic,reply,wording,confirmed\nada@people.example,tips,subscribed,"Tips, please",yes\n'
    code, api = loaded(tmp_path, text, dry_run=True)
    assert (code, api.calls[0]["dry_run"], api.calls[0]["rows"]) == (
        0,
        True,
        [
            {
                "address": "ada@people.example",
                "topic": "tips",
                "reply": "subscribed",
                "wording": "Tips, please",
                "confirmed": True,
            }
        ],
    )
    assert "1 set" in capsys.readouterr().out


def test_rows_go_a_thousand_a_call_and_are_counted_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{n}@people.example,tips,subscribed\n" for n in range(1, 1202))
    code, api = loaded(tmp_path, f"address,topic,reply\n{rows},tips,subscribed\n")
    assert (code, [len(call["rows"]) for call in api.calls]) == (1, [1000, 202])
    told = capsys.readouterr()
    assert "row 1202" in told.out + told.err


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="columns"):
        loaded(tmp_path, "mail,topic\n")
