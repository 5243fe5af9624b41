"""`tidings contact`: look at a person: profile, timeline, messages, ways through automations."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("contact", help="look at a person and what happened to them")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "show": "traits and identities",
        "timeline": "what the person did and what was done for them, latest first",
        "messages": "every message, sent or not, and why",
        "enrolments": "the automations entered, each step, and why",
    }
    for name, text in helps.items():
        action = actions.add_parser(name, help=text)
        who = action.add_argument_group("who").add_mutually_exclusive_group(required=True)
        who.add_argument("id", nargs="?", metavar="ID", help="the contact's id")
        who.add_argument("--user-id", metavar="ID", help="as your app calls them")
        who.add_argument("--anonymous-id", metavar="ID", help="as a browser calls them before they sign in")
        who.add_argument("--email", metavar="ADDRESS", help="the oldest contact with this address")
        if name == "timeline":
            action.add_argument("--limit", type=positive, default=50, metavar="N", help="how many events (%(default)s)")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import contacts
    from tidings_cli.connection import connect

    client = connect(args)
    found = contacts.find(client, args.id, args.user_id, args.anonymous_id, args.email)
    if args.action == "timeline":
        return contacts.timeline(client, found, args.limit, args.json)
    actions = {"show": contacts.show, "messages": contacts.messages, "enrolments": contacts.enrolments}
    return actions[args.action](client, found, args.json)
