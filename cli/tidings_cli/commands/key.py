"""`tidings key`: open, list and close API keys of a deployed stack. For operators with AWS credentials."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.stack import add_stack

KINDS = ("publishable", "write", "secret")
ROLES = ("server", "staff", "administrator", "agent")


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("key", help="open, list and close API keys (operators)")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="open a key; it is printed once")
    create.add_argument("--workspace", required=True, metavar="ID")
    create.add_argument("--kind", required=True, choices=KINDS, metavar="KIND", help=" or ".join(KINDS))
    create.add_argument("--name", default="", metavar="NAME", help="what it is for")
    create.add_argument(
        "--role", default="server", choices=ROLES, metavar="ROLE", help="whose hands it is in: " + ", ".join(ROLES)
    )
    create.add_argument("--actor", default="", metavar="NAME", help="the person behind a key that is no server's")
    listing = actions.add_parser("list", help="who has a key: names and kinds, never the keys")
    listing.add_argument("--workspace", required=True, metavar="ID")
    revoke = actions.add_parser("revoke", help="close a key")
    revoke.add_argument("key", metavar="KEY", help="the key itself, or - to read it from standard input")
    for action in (create, listing, revoke):
        add_stack(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli.accounts import create_key, list_keys, revoke_key
    from tidings_cli.stack import open_stack

    stack = open_stack(args)
    if args.action == "create":
        return create_key(stack, args.workspace, args.kind, args.name, args.json, args.role, args.actor)
    if args.action == "list":
        return list_keys(stack, args.workspace, args.json)
    return revoke_key(stack, args.key, args.json)
