"""`tidings why`: why a person got a mail, or did not, now or at an earlier time."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("why", help="why a person got a mail, or did not")
    parser.add_argument("person", metavar="PERSON", help="an e-mail address, your own id of them, or a contact's id")
    parser.add_argument("--template", metavar="NAME", help="the mail in question, by its template")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--automation", metavar="NAME", help="... or what an automation sends")
    what.add_argument("--send", metavar="ID", help="... or an order to many")
    what.add_argument("--message", metavar="ID", help="... or one message")
    parser.add_argument("--at", metavar="TIME", help="as it stood at this time (ISO 8601)")
    add_connection(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the account. Raises CommandFailed."""
    from tidings_cli import why
    from tidings_cli.connection import connect

    names = ("template", "automation", "send", "message", "at")
    asked = {name: value for name in names if (value := getattr(args, name))}
    return why.explain(connect(args), args.person, asked, args.json)
