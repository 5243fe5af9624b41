"""`tidings contact`: look at a person, hand out all that is known of them, erase them."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("contact", help="look at a person and what happened to them; export or erase it all")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "show": "traits and identities",
        "timeline": "what the person did and what was done for them, latest first",
        "messages": "every message, sent or not, and why",
        "enrolments": "the automations entered, each step, and why",
        "export": "write all that is known of the person to a file",
        "erase": "erase the person for good; they are never written to again",
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
        if name == "export":
            action.add_argument("--out", required=True, metavar="FILE", help="the JSON file to write; - for stdout")
        if name == "erase":
            action.add_argument("--confirm", metavar="ID", help="the contact's id once more; asked for if left out")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import contacts, privacy
    from tidings_cli.connection import connect

    client = connect(args)
    found = contacts.find(client, args.id, args.user_id, args.anonymous_id, args.email)
    if args.action == "timeline":
        return contacts.timeline(client, found, args.limit, args.json)
    if args.action == "export":
        return privacy.export(client, found, args.out, args.json)
    if args.action == "erase":
        return privacy.erase(client, found, args.confirm, args.json)
    actions = {"show": contacts.show, "messages": contacts.messages, "enrolments": contacts.enrolments}
    return actions[args.action](client, found, args.json)
