"""`tidings chain`: what led to an event, message or enrolment, and what it led to, as a tree."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("chain", help="show what led to what, as a tree")
    parser.add_argument(
        "node",
        metavar="NODE",
        help="event:…, message:… or enrolment:…, as tidings contact timeline, messages and enrolments show it",
    )
    add_connection(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Show the tree. Raises CommandFailed."""
    from tidings_cli import chain
    from tidings_cli.connection import connect

    return chain.show(connect(args), args.node, args.json)
