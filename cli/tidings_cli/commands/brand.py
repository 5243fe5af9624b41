"""`tidings brand`: how a workspace looks on its pages and in the footers of its mails."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection

HELPS = {
    "name": "as people know you; without it, the workspace's name",
    "postal_address": "where you are, which the law of many countries asks for",
    "colour": "of buttons, such as #1f6f54",
    "logo_url": "a picture of at most 200 by 48 pixels, over https",
    "footer": "one more line at the end of pages and mails",
}


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("brand", help="set how pages and footers of mails look")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    change = actions.add_parser("set", help="change the brand; what is not named stays as it is")
    for name, text in HELPS.items():
        change.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT", help=f"{text}; empty for none")
    show = actions.add_parser("show", help="show the brand")
    for action in (change, show):
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import brand
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "show":
        return brand.show(client, args.json)
    return brand.change(client, {name: getattr(args, name) for name in HELPS}, args.json)
