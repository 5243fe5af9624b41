"""`tidings conversation`: what people write, and who answers it."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection

_HELPS = {
    "list": "conversations, latest first",
    "show": "what stands in one",
    "take": "take one, or give it to an agent",
    "transfer": "pass one to another agent or inbox",
    "hold": "put one off, until an instant or until it is resumed",
    "resume": "end a hold",
    "resolve": "bring one to an end, and say what it was about",
    "note": "write a note for other agents",
    "reply": "answer in one: by the channel of what came in last",
    "counts": "how many there are, by inbox and state",
}


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("conversation", help="see what people write, and take, pass on or resolve it")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in _HELPS.items():
        action = actions.add_parser(name, help=text)
        if name not in ("list", "counts"):
            action.add_argument("conversation", metavar="CONVERSATION")
        _options(name, action)
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def _options(name: str, action: argparse.ArgumentParser) -> None:
    if name == "list":
        states = ("open", "new", "ongoing", "on_hold", "resolved")
        action.add_argument("--inbox", default="", metavar="INBOX")
        action.add_argument("--in-state", choices=states, default="open", help="open is all but resolved")
        action.add_argument("--agent", default="", metavar="NAME", help="who has it")
        action.add_argument("--channel", choices=("email", "sms"), default="")
        action.add_argument("--limit", type=int, default=50, metavar="N")
    if name in ("take", "transfer"):
        action.add_argument("--agent", metavar="NAME", help="whom it goes to")
    if name == "transfer":
        action.add_argument("--inbox", metavar="INBOX", help="where it goes")
        action.add_argument("--note", metavar="TEXT", help="for whoever finds it there")
    if name == "hold":
        action.add_argument("--until", metavar="TIME", help="ISO 8601, such as 2026-12-01T09:00:00Z")
    if name == "resolve":
        action.add_argument("--type", required=True, choices=("question", "incident", "problem", "task"))
        action.add_argument("--category", default="general", metavar="CATEGORY")
        action.add_argument("--key-message", required=True, metavar="TEXT", help="what it came to, for the timeline")
    if name == "show":
        action.add_argument("--at", default="", metavar="TIME", help="as it stood at this time (ISO 8601)")
    if name == "note":
        action.add_argument("text", metavar="TEXT")
    if name == "reply":
        action.add_argument("text", metavar="TEXT", nargs="?", default="", help="what to answer, in Liquid")
        action.add_argument("--template", metavar="NAME", help="instead of a text")
        action.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="a variable of either")
        action.add_argument("--channel", choices=("email", "sms"), help="if not that of what came in last")
        action.add_argument("--subject", default="", metavar="TEXT", help="of a mail, if not that of what it answers")
        action.add_argument("--attach", action="append", default=[], metavar="FILE", help="a file, by mail only")
        action.add_argument("--idempotency-key", metavar="KEY", help="the same again is the same reply")
    if name not in ("list", "show", "counts", "note", "reply"):
        action.add_argument("--revision", type=int, metavar="N", help="only if it is still this one")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import conversations
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action == "list":
        return conversations.listed(client, args)
    if args.action == "show":
        return conversations.show(client, args.conversation, args.at, args.json)
    if args.action == "counts":
        return conversations.counts(client, args.json)
    if args.action == "note":
        return conversations.note(client, args.conversation, args.text, args.json)
    if args.action == "reply":
        from tidings_cli import replies

        return replies.reply(client, args)
    given = {name: getattr(args, name, None) for name in conversations.FIELDS}
    return conversations.change(client, args.conversation, args.action, given, args.json)
