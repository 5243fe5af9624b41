"""`tidings contact`: find people, look at one (profile, timeline, messages, ways through automations), change them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive

LOOKS = {
    "show": "traits, context and identities",
    "timeline": "what the person did and what was done for them, latest first",
    "messages": "every message, sent or not, and why",
    "enrolments": "the automations entered, each step, and why",
    "edit": "set traits, or the user id of somebody who has none",
    "export": "write all that is known of the person to a file",
    "erase": "erase the person for good; they are never written to again",
}
WHO = ("user_id", "anonymous_id", "email", "phone", "message")
TIMELINE = ("type", "event", "channel", "since", "until")
NARROWING = ("channel", "kind")


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("contact", help="find people, see what happened to them, change what is known")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in LOOKS.items():
        action = actions.add_parser(name, help=text)
        _add_who(action)
        if name == "timeline":
            _add_timeline(action)
        if name == "enrolments":
            action.add_argument("--at", default="", metavar="TIME", help="as it stood at this time (ISO 8601)")
        if name == "edit":
            _add_edit(action)
        if name == "export":
            action.add_argument("--out", required=True, metavar="FILE", help="the JSON file to write; - for stdout")
        if name == "erase":
            action.add_argument("--confirm", metavar="ID", help="the contact's id once more; asked for if left out")
        _add_common(action)
    for name, text in {"list": "everybody", "search": "people by the words of their names"}.items():
        action = actions.add_parser(name, help=text)
        if name == "search":
            action.add_argument("words", nargs="+", metavar="WORD", help="each begins a word of the name")
        action.add_argument("--channel", choices=("email", "sms"), help="only who has an address there")
        action.add_argument("--kind", choices=("identified", "anonymous"), help="only such people")
        action.add_argument("--limit", type=positive, default=50, metavar="N", help="how many people (%(default)s)")
        _add_common(action)
    action = actions.add_parser("delete", help="delete people and all that is known of them, for good")
    action.add_argument("ids", nargs="+", metavar="ID", help="ids of contacts")
    _add_common(action)
    _add_common(actions.add_parser("count", help="how many people there are, identified and anonymous"))


def _add_who(action: argparse.ArgumentParser) -> None:
    who = action.add_argument_group("who").add_mutually_exclusive_group(required=True)
    who.add_argument("id", nargs="?", metavar="ID", help="the contact's id")
    who.add_argument("--user-id", metavar="ID", help="as your app calls them")
    who.add_argument("--anonymous-id", metavar="ID", help="as a browser calls them before they sign in")
    who.add_argument("--email", metavar="ADDRESS", help="the oldest contact with this address")
    who.add_argument("--phone", metavar="NUMBER", help="the oldest contact with this number")
    who.add_argument("--message", metavar="ID", help="who got this message")


def _add_timeline(action: argparse.ArgumentParser) -> None:
    action.add_argument("--limit", type=positive, default=50, metavar="N", help="how many events (%(default)s)")
    action.add_argument("--type", metavar="TYPES", help="only such calls, with commas between: track,page")
    action.add_argument("--event", metavar="NAME", help="only events of this name")
    action.add_argument("--channel", choices=("email", "sms"), help="only what became of messages there")
    action.add_argument("--since", metavar="TIME", help="received then or later (ISO 8601)")
    action.add_argument("--until", metavar="TIME", help="received before then (ISO 8601)")


def _add_edit(action: argparse.ArgumentParser) -> None:
    action.add_argument("--set", action="append", default=[], type=_trait, metavar="NAME=VALUE",
                        help="a trait; JSON, or else text; any number of times")  # fmt: skip
    action.add_argument("--unset", action="append", default=[], metavar="NAME", help="take a trait away")
    action.add_argument("--set-user-id", metavar="ID", help="for somebody who has none")
    action.add_argument("--idempotency-key", metavar="KEY", help="makes a repeat one")


def _add_common(action: argparse.ArgumentParser) -> None:
    add_connection(action)
    action.add_argument("--json", action="store_true", help="print JSON")


def _trait(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError("write it like plan=team")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import contacts, privacy
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action in ("list", "search"):
        words = {"name": " ".join(args.words)} if args.action == "search" else {}
        return contacts.listing(client, args.limit, {**words, **_given(args, NARROWING)}, args.json)
    if args.action == "count":
        return contacts.count(client, args.json)
    if args.action == "delete":
        return contacts.delete(client, args.ids, args.json)
    found = contacts.find(client, args.id, **{name: getattr(args, name) for name in WHO})
    if args.action == "timeline":
        return contacts.timeline(client, found, args.limit, _given(args, TIMELINE), args.json)
    if args.action == "edit":
        return contacts.edit(client, found, _edit_of(args), args.json)
    if args.action == "export":
        return privacy.export(client, found, args.out, args.json)
    if args.action == "erase":
        return privacy.erase(client, found, args.confirm, args.json)
    if args.action == "enrolments":
        return contacts.enrolments(client, found, args.at, args.json)
    actions = {"show": contacts.show, "messages": contacts.messages}
    return actions[args.action](client, found, args.json)


def _given(args: argparse.Namespace, names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name in names if (value := getattr(args, name))}


def _edit_of(args: argparse.Namespace) -> dict[str, Any]:
    traits = {**dict(args.set), **dict.fromkeys(args.unset)}
    named = {"user_id": args.set_user_id, "idempotency_key": args.idempotency_key}
    return {"traits": traits, **{name: value for name, value in named.items() if value}}
