"""`tidings number`: the phone numbers that texts leave from and are answered on."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("number", help="phone numbers that texts leave from and are answered on")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "add": "take a number of the account, as AWS has it, and say what is still to be done",
        "list": "all of them",
        "show": "one of them, and what is to be done about it",
        "remove": "send nothing more from it, and take no answer to it",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("number", metavar="NUMBER", help="such as +48732100200")
        if name == "add":
            action.add_argument("--two-way", action="store_true", help="let AWS send answers here")
            who = action.add_mutually_exclusive_group()
            who.add_argument("--self-managed", action="store_true", help="let Tidings answer STOP, START and HELP")
            who.add_argument("--aws-managed", action="store_true", help="let AWS answer them")
            action.add_argument(
                "--kind",
                action="append",
                choices=("marketing", "transactional"),
                help="what leaves from it; repeatable",
            )
            action.add_argument("--language", metavar="CODE", help="that of the people who write to it, such as pl")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import answering
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "list":
        return answering.numbers(client, args.json)
    if args.action == "add":
        return answering.add_number(client, args.number, _order(args), args.json)
    if args.action == "remove":
        return answering.remove(client, "numbers", args.number, args.json)
    return answering.show_number(client, args.number, args.json)


def _order(args: argparse.Namespace) -> dict[str, Any]:
    order: dict[str, Any] = {"two_way": True} if args.two_way else {}
    if args.self_managed or args.aws_managed:
        order["self_managed"] = bool(args.self_managed)
    if args.kind:
        order["kinds"] = args.kind
    if args.language:
        order["language"] = args.language
    return order
