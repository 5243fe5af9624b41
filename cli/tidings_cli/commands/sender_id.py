"""`tidings sender-id`: the names that texts leave from, and who decides about them."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection

NAME = "sender-id"


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser(NAME, help="ask for names that texts leave from, and decide about them")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "request": "ask for a name in some countries",
        "list": "all names, and what each waits for",
        "show": "one name, with what became of it in each country",
        "log": "what changed in a name, and who changed it",
        "verify": "say as staff that the name may be used (role staff)",
        "accept": "accept it for the workspace (role administrator)",
        "reject": "refuse it, with a reason (staff first, then the administrator)",
        "retire": "send nothing more from it (staff or administrator)",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("name", metavar="NAME", help="3 to 11 letters, digits, _ and -")
        if name == "request":
            action.add_argument(
                "--country", required=True, action="append", metavar="XX", help="where it is to be used; repeatable"
            )
            action.add_argument("--purpose", required=True, metavar="TEXT", help="what the messages are for")
            action.add_argument("--sample", required=True, metavar="TEXT", help="a message as it will be sent")
        if name in ("verify", "accept", "reject"):
            action.add_argument("--reason", required=name == "reject", metavar="TEXT", help="why")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import sender_ids
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "list":
        return sender_ids.listed(client, args.json)
    if args.action == "request":
        return sender_ids.request(client, args.name, args.country, args.purpose, args.sample, args.json)
    if args.action in ("verify", "accept", "reject"):
        return sender_ids.decide(client, args.name, args.action, args.reason, args.json)
    actions = {"show": sender_ids.show, "log": sender_ids.log, "retire": sender_ids.retire}
    return actions[args.action](client, args.name, args.json)
