"""`tidings message`: look at one message or at those that are unknown, and send one again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("message", help="look at messages and why they were sent or not")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="one message: why, to whom, what became of it")
    show.add_argument("id", metavar="ID")
    show.add_argument("--at", metavar="TIME", help="as it stood at this time (ISO 8601)")
    unknown = actions.add_parser("unknown", help="messages of which nobody knows whether they were sent")
    resend = actions.add_parser("resend", help="send a message again, as a new one that names it")
    resend.add_argument("id", metavar="ID")
    resend.add_argument("--attach", metavar="FILE", type=Path, action="append", default=[], help="may be given again")
    resend.add_argument("--idempotency-key", metavar="KEY", help="names the call: the same again does nothing more")
    for action in (show, unknown, resend):
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli.connection import connect
    from tidings_cli.contacts import message_lines, paged
    from tidings_cli.printing import print_json, print_table, say, when

    client = connect(args)
    if args.action == "resend":
        from tidings_cli import sends

        return sends.resend(client, args.id, args.attach, args.idempotency_key, args.json)
    if args.action == "show":
        message = client.get("messages", args.id, at=args.at or "")
        if args.json:
            print_json(message)
        else:
            say(*message_lines(message))
        return 0
    found = paged(client, ("messages",), "messages", None, {"state": "unknown"})
    if args.json:
        print_json(found)
        return 0
    rows = [(one["message"], one["address"], one["template"], when(one["history"].get("unknown"))) for one in found]
    empty = "There is none: of every message it is known whether it was sent."
    print_table(("message", "to", "template", "given up"), rows, empty)
    return 0
