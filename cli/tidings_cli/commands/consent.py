"""`tidings consent`: what people said about being written to."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("consent", help="see, change and import what people said about being written to")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "show": "what an address said about each topic, and whether a mail about it would go",
        "set": "write down what was said about a topic; * is all marketing",
        "log": "how what is known of an address came about",
        "import": "import a CSV file; never over a person's own no",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name == "import":
            action.add_argument("file", metavar="FILE", help="columns: address, topic, reply, source, wording, at")
            action.add_argument("--dry-run", action="store_true", help="only say what would become of each row")
        else:
            action.add_argument("address", metavar="ADDRESS")
        if name == "set":
            action.add_argument("topic", metavar="TOPIC")
            action.add_argument("reply", choices=("subscribed", "unsubscribed"), metavar="REPLY")
            action.add_argument("--by", choices=("person", "operator"), default="operator", help="who said so")
            action.add_argument("--source", default="", metavar="TEXT", help="where it was said")
            action.add_argument("--wording", default="", metavar="TEXT", help="the words that were said yes to")
            action.add_argument("--at", default="", metavar="TIME", help="ISO 8601; without it, now")
        action.add_argument("--channel", choices=("email", "sms"), default="email", help="email (default) or sms")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import consents
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "set":
        return consents.change(client, args)
    if args.action == "import":
        return consents.load(client, args.file, args.channel, args.dry_run, args.json)
    actions = {"show": consents.show, "log": consents.log}
    return actions[args.action](client, args.channel, args.address, args.json)
