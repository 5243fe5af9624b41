"""`tidings inbox`: where conversations go."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("inbox", help="see and define where conversations go")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {"list": "all inboxes", "define": "define an inbox or change it", "delete": "forget an inbox"}
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("inbox", metavar="INBOX")
        if name == "define":
            action.add_argument("--title", default="", metavar="TEXT", help="as people read it")
            action.add_argument("--description", default="", metavar="TEXT")
            action.add_argument(
                "--address", action="append", default=[], help="what comes in at it goes there; repeatable"
            )
            action.add_argument("--channel", action="append", default=[], choices=("email", "sms"), help="or by it")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import conversations
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "define":
        told = {"title": args.title, "description": args.description}
        given = {**told, "addresses": args.address, "channels": args.channel}
        return conversations.define(client, "inboxes", args.inbox, given, args.json)
    if args.action == "delete":
        return conversations.forget(client, "inboxes", args.inbox, args.json)
    return conversations.definitions(client, "inboxes", "inbox", args.json)
