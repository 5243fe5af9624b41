"""`tidings category`: what conversations are about."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("category", help="see and define what conversations are about")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {"list": "all categories", "define": "define a category or change it", "delete": "forget a category"}
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("category", metavar="CATEGORY")
        if name == "define":
            action.add_argument("--title", default="", metavar="TEXT", help="as people read it")
            action.add_argument("--description", default="", metavar="TEXT")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import conversations
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "define":
        given = {"title": args.title, "description": args.description}
        return conversations.define(client, "categories", args.category, given, args.json)
    if args.action == "delete":
        return conversations.forget(client, "categories", args.category, args.json)
    return conversations.definitions(client, "categories", "category", args.json)
