"""What `tidings why` does through the API: prints why somebody got something, or did not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tidings_cli import words
from tidings_cli.client import Client
from tidings_cli.printing import escape, print_json, say, when

Json = dict[str, Any]

_CONTACT = re.compile(r"c[a-z2-7]{26}")


def explain(client: Client, person: str, asked: Mapping[str, str], as_json: bool) -> int:
    """Print the account; exit code 1 if nobody like this is known."""
    found = client.get("why", **{_kind(person): person}, **asked)
    if as_json:
        print_json(found)
    else:
        say(*account_lines(found))
    return 0 if found["contact"] else 1


def account_lines(account: Json) -> list[str]:
    """An account for people: the answer, and then what it rests on."""
    lines = [f"[bold]{escape(account['answer'])}[/]"]
    if account["contact"]:
        lines.append(f"  [dim]contact[/]  {escape(account['contact'])}")
    if account["at"]:
        lines.append(f"  [dim]as of[/]    {when(account['at'])}")
    if account["others"]:
        lines.append(f"  [dim]also[/]     {escape(', '.join(account['others']))} [dim](the same address)[/]")
    for decision in account["decisions"]:
        lines += ["", *_decision_lines(decision)]
    for way in account["ways"]:
        lines += ["", *_way_lines(way, account["answer"])]
    notes = [note for note in account["notes"] if note != account["answer"]]
    return [*lines, *([""] if notes else []), *(escape(note) for note in notes)]


def _decision_lines(one: Json) -> list[str]:
    by = {"automation": f"automation {one['name']}, component {one['component']}", "send": f"send {one['name']}"}
    head = f"{when(one['decided_at'])}  template {one['template']} version {one['template_version']}"
    lines = [
        f"[bold]{escape(head)}[/] [dim]({escape(by.get(one['source'], 'API'))})[/]",
        f"  {escape(one['sentence'])}",
    ]
    to = f" [dim]to[/] {escape(one['address'])}" if one["address"] else ""
    lines.append(f"  [dim]message[/] {escape(one['message'])}{to}")
    if one["earlier"]:
        lines.append(f"  [dim]after {len(one['earlier'])} earlier attempts[/]")
    return [*lines, *(f"  {escape(line)}" for line in words.checks(one["decision"]))]


def _way_lines(way: Json, answer: str) -> list[str]:
    head = f"{way['automation']} version {way['version']}, entered {when(way['started_at'])}"
    lines = [f"[bold]{escape(head)}[/]", *([f"  {escape(way['sentence'])}"] if way["sentence"] != answer else [])]
    for taken in way["path"]:
        lines += [f"  {escape(line)}" for line in words.step(taken)]
    return lines


def _kind(person: str) -> str:
    if "@" in person:
        return "email"
    return "contact" if _CONTACT.fullmatch(person) else "user_id"
