"""What `tidings chain` does through the API: draws the tree that a node stands in."""

from __future__ import annotations

from typing import Any

from rich.tree import Tree

from tidings_cli.client import Client
from tidings_cli.printing import console, escape, print_json, say, when

Json = dict[str, Any]

_KINDS = {"event": "event", "message": "message", "enrolment": "automation", "call": "API call"}


def show(client: Client, node: str, as_json: bool) -> int:
    """Draw the tree of a node, which stands out in it. Raises CommandFailed."""
    found = client.get("chain", node=node)
    if as_json:
        print_json(found)
        return 0
    console().print(tree_of(found))
    if found["truncated"]:
        say("[yellow]There is more than this: the tree was cut off.[/]")
    return 0


def tree_of(found: Json) -> Tree:
    """The API's answer as a tree to be printed."""
    drawn = Tree(_line(found["tree"], found["asked"]), guide_style="dim")
    waiting = [(drawn, found["tree"])]
    while waiting:
        branch, told = waiting.pop()
        for child in told["children"]:
            waiting.append((branch.add(_line(child, found["asked"])), child))
    return drawn


def _line(told: Json, asked: str) -> str:
    """When, what kind, what it is called, how it stands, and the node to be copied."""
    detail = told["detail"]
    about = [_KINDS.get(told["kind"], told["kind"]), str(detail.get("state", ""))]
    words = f"{escape(told['title'])}[/] [dim]({escape(', '.join(word for word in about if word))})[/]"
    line = f"[dim]{when(told['at'])}[/]  [bold]{words}  [cyan]{escape(told['node'])}[/]"
    return f"{line}  [reverse] asked [/]" if told["node"] == asked else line
