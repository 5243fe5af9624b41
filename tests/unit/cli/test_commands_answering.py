"""`tidings number` and `tidings keyword`: what is asked of the API, and what is said of the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import connection
from tidings_cli.main import main

NUMBER: dict[str, Any] = {
    "number": "+48732100200",
    "country": "PL",
    "kinds": ["transactional"],
    "two_way": True,
    "self_managed": False,
    "pool": "",
    "opt_out_list": "Default",
    "type": "long_code",
    "language": "",
    "todo": ["AWS answers [STOP] itself."],
}
KEYWORD = {
    "keyword": "confirm",
    "words": ["TAK", "YES"],
    "meaning": "confirm",
    "number": "*",
    "language": "*",
    "answer": "See you.",
    "template": "",
}


class Api:
    """Answers with one number and one keyword."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def get(self, *path: str) -> dict[str, Any]:
        self.asked.append(("GET", *path))
        one = NUMBER if path[0] == "numbers" else KEYWORD
        return one if len(path) > 1 else {path[0]: [one]}

    def put(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("PUT", *path, body))
        return NUMBER if path[0] == "numbers" else KEYWORD

    def delete(self, *path: str) -> dict[str, Any]:
        self.asked.append(("DELETE", *path))
        return {"removed": True}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(connection, "connect", lambda args: made)
    return made


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ([], {}),
        (["--two-way", "--self-managed"], {"two_way": True, "self_managed": True}),
        (["--aws-managed", "--kind", "marketing", "--language", "pl"],
         {"self_managed": False, "kinds": ["marketing"], "language": "pl"}),
    ],
)  # fmt: skip
def test_a_number_is_added_as_asked(api: Api, options: list[str], order: dict[str, Any], capsys: Any) -> None:
    assert main(["number", "add", "+48732100200", *options]) == 0
    assert api.asked == [("PUT", "numbers", "+48732100200", order)]
    said = capsys.readouterr().out
    assert "answers to it come here" in said
    assert "AWS answers [STOP] itself." in said


def test_numbers_are_shown(api: Api, capsys: Any) -> None:
    assert main(["number", "list"]) == main(["number", "show", "+48732100200"]) == 0
    assert "AWS answers STOP" in capsys.readouterr().out
    assert main(["number", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [NUMBER]


def test_a_keyword_is_defined_with_all_that_is_said_of_it(api: Api, capsys: Any) -> None:
    words = ["--word", "TAK", "--word", "YES"]
    assert main(["keyword", "set", "confirm", "--meaning", "confirm", *words, "--answer", "See you."]) == 0
    ((_, _, name, order),) = api.asked
    assert (name, order["words"], order["answer"], order["number"]) == ("confirm", ["TAK", "YES"], "See you.", "*")
    assert "TAK, YES means confirm, and is answered." in capsys.readouterr().out


def test_keywords_are_shown(api: Api, capsys: Any) -> None:
    assert main(["keyword", "list"]) == main(["keyword", "show", "confirm"]) == 0
    assert "See you." in capsys.readouterr().out


@pytest.mark.parametrize(("what", "name"), [("number", "+48732100200"), ("keyword", "confirm")])
def test_either_is_taken_away(api: Api, what: str, name: str, capsys: Any) -> None:
    assert main([what, "remove", name]) == 0
    assert api.asked == [("DELETE", f"{what}s", name)]
    assert "taken away" in capsys.readouterr().out
