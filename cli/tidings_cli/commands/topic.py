"""`tidings topic`: what marketing is about."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("topic", help="see and define what marketing is about")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {"list": "all topics", "define": "define a topic or change it", "delete": "forget a topic"}
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("topic", metavar="TOPIC")
        if name == "define":
            action.add_argument("--title", required=True, metavar="TEXT", help="as people read it")
            action.add_argument("--description", default="", metavar="TEXT")
            action.add_argument(
                "--consent", choices=("opt_in", "double_opt_in", "opt_out"), default="opt_in", help="what it needs"
            )
            action.add_argument(
                "--confirmation", default="", metavar="TEMPLATE", help="the template that asks to confirm"
            )
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import consents
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "define":
        return consents.define(client, args)
    if args.action == "delete":
        return consents.forget(client, args.topic, args.json)
    return consents.topics(client, args.json)
