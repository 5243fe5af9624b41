"""`tidings suppression`: the list of addresses that get no message."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("suppression", help="see and change which addresses get no message")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "add": "send nothing more to an address",
        "remove": "take an address off the list",
        "show": "the entry of an address",
        "check": "whether a message may go to an address; exit code 1 if not",
    }
    helps["list"] = "all addresses of a channel that are on it"
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        action.add_argument("channel", choices=("email", "sms"), metavar="CHANNEL", help="email or sms")
        if name != "list":
            action.add_argument("address", metavar="ADDRESS")
        if name == "add":
            action.add_argument("--until", metavar="TIME", help="ISO 8601; without it, for good")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import suppressions
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "add":
        return suppressions.add(client, args.channel, args.address, args.until, args.json)
    if args.action == "list":
        return suppressions.list_all(client, args.channel, args.json)
    actions = {"remove": suppressions.remove, "show": suppressions.show, "check": suppressions.check}
    return actions[args.action](client, args.channel, args.address, args.json)
