"""`tidings company`: companies and who belongs to them."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("company", help="look at companies and who belongs to them")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "list": "all companies",
        "show": "a company's traits",
        "contacts": "who belongs to a company",
        "join": "let a contact join a company",
        "leave": "let a contact leave a company",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("company", metavar="COMPANY", help="the company's id, as your app calls it")
        if name in ("join", "leave"):
            action.add_argument("contact", metavar="CONTACT", help="the contact's id")
        if name in ("list", "contacts"):
            action.add_argument("--limit", type=positive, default=50, metavar="N", help="how many (%(default)s)")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import companies
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "list":
        return companies.listed(client, args.limit, args.json)
    if args.action == "contacts":
        return companies.contacts(client, args.company, args.limit, args.json)
    if args.action == "show":
        return companies.show(client, args.company, args.json)
    return companies.change(client, args.company, args.contact, args.action == "join", args.json)
