"""`tidings merge`: contacts that became one: show, preview, merge, take back."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection

GIVEN_WRONGLY = "give two contacts, or --anonymous-id and --user-id"


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("merge", help="let contacts become one, and take it back")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _preview(actions.add_parser("preview", help="what a merge, or an identify call, would do; nothing is changed"))
    do = actions.add_parser("do", help="let a contact become part of another")
    do.add_argument("contact", metavar="CONTACT", help="the contact's id")
    do.add_argument("into", metavar="INTO", help="the id of the contact that it becomes part of")
    undo = actions.add_parser("undo", help="take a merge back")
    undo.add_argument("merge", metavar="MERGE", help="the merge's id, which `list` shows")
    listed = actions.add_parser("list", help="every merge that made a contact, and those that were taken back")
    listed.add_argument("contact", metavar="CONTACT", help="the contact's id")
    for action in (do, undo):
        action.add_argument("--idempotency-key", metavar="KEY", help="names the call: the same again does nothing more")
    for action in actions.choices.values():
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def _preview(action: argparse.ArgumentParser) -> None:
    action.add_argument("contact", nargs="?", metavar="CONTACT", help="the contact's id")
    action.add_argument("into", nargs="?", metavar="INTO", help="the id of the contact that it would become part of")
    action.add_argument("--anonymous-id", metavar="ID", help="what a call would name beside a user id")
    action.add_argument("--user-id", metavar="ID", help="as your app calls the person")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import merges
    from tidings_cli.connection import connect
    from tidings_cli.errors import CommandFailed

    if args.action == "preview":
        asked = {name: getattr(args, name) for name in ("contact", "into", "anonymous_id", "user_id")}
        given = {name: value for name, value in asked.items() if value}
        if given.keys() not in ({"contact", "into"}, {"anonymous_id", "user_id"}):
            raise CommandFailed(GIVEN_WRONGLY)
        return merges.preview(connect(args), given, args.json)
    client = connect(args)
    if args.action == "do":
        return merges.do(client, args.contact, args.into, args.idempotency_key, args.json)
    if args.action == "undo":
        return merges.undo(client, args.merge, args.idempotency_key, args.json)
    return merges.listed(client, args.contact, args.json)
