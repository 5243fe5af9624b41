"""`tidings workspace`: open a workspace of a deployed stack. For operators with AWS credentials."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.stack import add_stack


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("workspace", help="open a workspace (operators)")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="open a workspace")
    create.add_argument("id", metavar="ID", help="1 to 40 lower-case letters, digits and hyphens")
    create.add_argument("--name", default="", metavar="NAME", help="as people call it")
    create.add_argument(
        "--from", dest="sender", default="", metavar="ADDRESS", help="sender of mails whose template names none"
    )
    add_stack(create)
    create.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Open it. Raises CommandFailed."""
    from tidings_cli.accounts import create_workspace
    from tidings_cli.stack import open_stack

    return create_workspace(open_stack(args), args.id, args.name, args.sender, args.json)
