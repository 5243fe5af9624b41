"""`tidings sending`: whether marketing may be sent, and letting it go on."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("sending", help="see whether bounces or complaints stopped marketing")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "status": "how the workspace stands; exit code 1 if marketing is stopped",
        "resume": "let marketing go on, once the cause is mended",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import sending
    from tidings_cli.connection import connect

    client = connect(args)
    actions = {"status": sending.status, "resume": sending.resume}
    return actions[args.action](client, args.json)
