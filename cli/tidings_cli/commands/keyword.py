"""`tidings keyword`: the words that people answer, and what is sent back."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("keyword", help="words that people answer, and what is sent back")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "set": "define a keyword",
        "list": "all of them",
        "show": "one of them",
        "remove": "take one away",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("keyword", metavar="NAME", help="lower-case letters, digits and hyphens")
        if name == "set":
            action.add_argument("--word", action="append", default=[], help="what people answer; repeatable")
            action.add_argument(
                "--meaning", required=True, help="a word of yours, such as confirm; or stop, start or help"
            )
            action.add_argument("--number", default="*", help="one of the workspace's numbers; any unless named")
            action.add_argument("--language", metavar="CODE", default="*", help="such as pl; any unless named")
            answer = action.add_mutually_exclusive_group()
            answer.add_argument("--answer", metavar="TEXT", default="", help="what is sent back")
            answer.add_argument("--template", metavar="NAME", default="", help="the template that is sent back")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import answering
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "list":
        return answering.keywords(client, args.json)
    if args.action == "set":
        names = ("meaning", "number", "language", "answer", "template")
        order = {"words": args.word, **{name: getattr(args, name) for name in names}}
        return answering.set_keyword(client, args.keyword, order, args.json)
    if args.action == "remove":
        return answering.remove(client, "keywords", args.keyword, args.json)
    return answering.show_keyword(client, args.keyword, args.json)
