"""What `tidings chain` draws."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings_cli import chain

Json = dict[str, Any]


def node(text: str, title: str, *children: Json, **detail: Any) -> Json:
    kind = text.partition(":")[0]
    at = "2026-11-21T09:00:00.000000Z"
    return {
        "node": text,
        "kind": kind,
        "at": at,
        "title": title,
        "contact": "c1",
        "detail": detail,
        "children": list(children),
    }


TREE = node(
    "event:user/ada/m-1",
    "Signed Up",
    node(
        "enrolment:c1/welcome/once",
        "welcome",
        node("message:c1-m1", "tips", node("event:user/ada/m-2", "Tutorial [red]Opened\x1b[2J"), state="delivered"),
        state="completed",
    ),
    node("event:contact/c1/m-3", "Change Refused"),
)
FOUND: Json = {"root": TREE["node"], "asked": "message:c1-m1", "truncated": False, "tree": TREE}


class Api:
    """Answers with one tree."""

    def __init__(self, **more: Any) -> None:
        self.asked: list[Any] = []
        self.answer = {**FOUND, **more}

    def get(self, *path: str, **query: str) -> Json:
        self.asked.append((path, query))
        return self.answer


def drawn(capsys: pytest.CaptureFixture[str], **more: Any) -> list[str]:
    api = Api(**more)
    assert chain.show(api, "message:c1-m1", False) == 0  # type: ignore[arg-type]
    assert api.asked == [(("chain",), {"node": "message:c1-m1"})]
    return capsys.readouterr().out.splitlines()


def test_each_node_stands_below_what_led_to_it_with_its_time_name_and_node(capsys: pytest.CaptureFixture[str]) -> None:
    at = "2026-11-21 09:00:00 UTC"
    assert [line.rstrip() for line in drawn(capsys)] == [
        f"{at}  Signed Up (event)  event:user/ada/m-1",
        f"├── {at}  welcome (automation, completed)  enrolment:c1/welcome/once",
        f"│   └── {at}  tips (message, delivered)  message:c1-m1   asked",
        f"│       └── {at}  Tutorial [red]Opened\\u001b[2J (event)  event:user/ada/m-2",
        f"└── {at}  Change Refused (event)  event:contact/c1/m-3",
    ]


def test_only_the_node_that_was_asked_for_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert ["asked" in line for line in drawn(capsys)] == [False, False, True, False, False]


def test_a_tree_that_was_cut_off_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert drawn(capsys, truncated=True)[-1] == "There is more than this: the tree was cut off."


def test_scripts_get_what_the_api_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert chain.show(Api(), "message:c1-m1", True) == 0  # type: ignore[arg-type]
    assert json.loads(capsys.readouterr().out) == FOUND
