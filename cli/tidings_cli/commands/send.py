"""`tidings send`: mails for many, or for a later day: order, list, look at, cancel, resume."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("send", help="send mails to one or many, now or at a date")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    order = actions.add_parser("order", help="order mails as a file says; the body of POST /v1/emails as JSON")
    order.add_argument("file", metavar="FILE", type=Path, help="`-` for standard input")
    order.add_argument("--at", metavar="TIME", help="ISO 8601; in place of what the file says")
    actions.add_parser("list", help="every send, latest first")
    helps = {
        "show": "how far a send is, and whom it did not reach",
        "cancel": "send nothing more of it",
        "resume": "go on with one that lost its execution or its messages",
    }
    for name, text in helps.items():
        actions.add_parser(name, help=text).add_argument("send", metavar="SEND", help="the send's id")
    for action in actions.choices.values():
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import sends
    from tidings_cli.connection import connect

    if args.action == "order":
        return sends.order(connect(args), args.file, args.at, args.json)
    client = connect(args)
    if args.action == "list":
        return sends.listed(client, args.json)
    actions = {"show": sends.show, "cancel": sends.cancel, "resume": sends.resume}
    return actions[args.action](client, args.send, args.json)
