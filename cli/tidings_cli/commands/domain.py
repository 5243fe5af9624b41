"""`tidings domain`: the domains and addresses that mails leave from."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("domain", help="add and check the domains that mails leave from")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "add": "add a domain, or one address, and say which DNS records it needs",
        "list": "all of them, and whether they may be sent from",
        "show": "one of them, with its DNS records",
        "check": "whether it may be sent from; exit code 1 if not",
        "remove": "send nothing more from it",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("identity", metavar="DOMAIN", help="a domain of yours, or one e-mail address")
        if name == "add":
            action.add_argument(
                "--mail-from", metavar="DOMAIN", help="the subdomain that bounces go to; mail.DOMAIN unless named"
            )
        if name == "remove":
            action.add_argument(
                "--delete-identity", action="store_true", help="also take it out of SES, for whoever else uses it"
            )
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import domains
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "list":
        return domains.listed(client, args.json)
    if args.action == "add":
        return domains.add(client, args.identity, args.mail_from, args.json)
    if args.action == "remove":
        return domains.remove(client, args.identity, args.delete_identity, args.json)
    actions = {"show": domains.show, "check": domains.check}
    return actions[args.action](client, args.identity, args.json)
