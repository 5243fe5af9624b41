"""What `tidings number` and `tidings keyword` do through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import OK, WARNING, escape, print_fields, print_json, print_table, say

Json = dict[str, Any]


def add_number(client: Client, number: str, order: Mapping[str, Any], as_json: bool) -> int:
    """Take a number for the workspace; what is left to do."""
    added = client.put("numbers", number, body=order)
    if as_json:
        print_json(added)
        return 0
    receives = "answers to it come here" if added["two_way"] else "it receives no answers"
    say(f"{OK} {escape(added['number'])} is the workspace's; {receives}.")
    _print_todo(added)
    return 0


def numbers(client: Client, as_json: bool) -> int:
    """Show all of them."""
    found = client.get("numbers")["numbers"]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["number"], one["country"], ", ".join(one["kinds"]), _answers(one), one["pool"], one["opt_out_list"])
        for one in found
    ]
    columns = ("number", "country", "sends", "answers", "pool", "opt-out list")
    print_table(columns, rows, "There is none yet; add one with: tidings number add NUMBER")
    return 0


def show_number(client: Client, number: str, as_json: bool) -> int:
    """Show one, and what is to be done about it."""
    one = client.get("numbers", number)
    if as_json:
        print_json(one)
        return 0
    print_fields(
        [
            ("number", one["number"]),
            ("country", one["country"]),
            ("type", one["type"].replace("_", " ")),
            ("sends", ", ".join(one["kinds"])),
            ("answers", _answers(one)),
            ("language", one["language"] or "the main one of the country"),
            ("pool", one["pool"]),
            ("opt-out list", one["opt_out_list"]),
        ]
    )
    _print_todo(one)
    return 0


def set_keyword(client: Client, name: str, order: Mapping[str, Any], as_json: bool) -> int:
    """Define a keyword."""
    one = client.put("keywords", name, body=order)
    if as_json:
        print_json(one)
        return 0
    words = ", ".join(one["words"]) or "no further word"
    answered = "is answered" if one["answer"] or one["template"] else "is not answered by itself"
    say(f"{OK} {escape(words)} means {escape(one['meaning'])}, and {answered}.")
    return 0


def keywords(client: Client, as_json: bool) -> int:
    """Show all of them."""
    found = client.get("keywords")["keywords"]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["keyword"], ", ".join(one["words"]), one["meaning"], one["number"], one["language"], _answer(one))
        for one in found
    ]
    columns = ("keyword", "words", "meaning", "number", "language", "answer")
    print_table(columns, rows, "There is none yet; define one with: tidings keyword set NAME")
    return 0


def show_keyword(client: Client, name: str, as_json: bool) -> int:
    """Show one."""
    one = client.get("keywords", name)
    if as_json:
        print_json(one)
        return 0
    fields = [(field, one[field]) for field in ("keyword", "meaning", "number", "language")]
    print_fields([*fields, ("words", ", ".join(one["words"])), ("answer", _answer(one))])
    return 0


def remove(client: Client, what: str, name: str, as_json: bool) -> int:
    """Take a number or a keyword away."""
    removed = client.delete(what, name)
    if as_json:
        print_json(removed)
        return 0
    say(f"{OK} {escape(name)} was taken away.")
    return 0


def _answers(number: Mapping[str, Any]) -> str:
    if not number["two_way"]:
        return "are not received"
    return "come here; Tidings answers STOP" if number["self_managed"] else "come here; AWS answers STOP"


def _answer(keyword: Mapping[str, Any]) -> str:
    return str(keyword["answer"] or (f"template {keyword['template']}" if keyword["template"] else ""))


def _print_todo(number: Json) -> None:
    for line in number["todo"]:
        say(f"{WARNING} {escape(line)}")
