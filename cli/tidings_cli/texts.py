"""What `tidings sms send` and `tidings sms preview` do through the API."""

from __future__ import annotations

import argparse
import json
import uuid
from typing import Any

from tidings_cli.client import Client
from tidings_cli.contacts import message_lines
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import FAILED, OK, WARNING, escape, print_fields, print_json, say

Json = dict[str, Any]


def send(client: Client, args: argparse.Namespace) -> int:
    """Send one text; 1 if a dry run says that it would not go. Raises CommandFailed."""
    to = _to(args)
    if not to:
        raise CommandFailed("Name one of --contact, --user-id, --phone.")
    told = {
        "to": to,
        "idempotency_key": args.idempotency_key or str(uuid.uuid4()),
        "variables": _variables(args.variables),
        "max_price": args.max_price or "",
        "two_way": args.two_way,
        "dry_run": args.dry_run,
    }
    found = client.post("sms", body=_asked(args) | told)
    if args.json:
        print_json(found)
    elif args.dry_run:
        _print_trial(found)
    else:
        say(*message_lines(found))
    return int(args.dry_run and not found["decision"]["send"])


def preview(client: Client, args: argparse.Namespace) -> int:
    """Show a text as a phone would. Raises CommandFailed."""
    to, variables = _to(args), _variables(args.variables)
    body = _asked(args) | ({"to": to} if to else {}) | ({"data": {"variables": variables}} if variables else {})
    found = client.post("sms", "preview", body=body)
    if args.json:
        print_json(found)
        return 0
    _print_length(found)
    if found["too_long"]:
        say(f"{FAILED} it is longer than the provider takes")
    for missing in found["missing"]:
        say(f"{WARNING} {escape(missing)} comes out as nothing")
    signs = list(dict.fromkeys(one["character"] for one in found["forces_unicode"]))
    if signs:
        say(f"{WARNING} GSM lacks {escape(' '.join(signs))}")
    with_gsm7 = found["with_gsm7"]
    if with_gsm7["encoding"] != found["encoding"]:
        say(f"{OK} with --gsm7 it has {with_gsm7['parts']} of {with_gsm7['encoding']}")
    print(f"\n{found['text']}")
    return 0


def _print_trial(found: Json) -> None:
    decision, provider = found["decision"], found["provider"]
    if not decision["send"]:
        why = next(check["found"] for check in decision["checks"] if check["check"] == decision["decided_by"])
        say(f"{FAILED} would not be sent: {escape(why)}")
        return
    _print_length(found)
    taken = provider["takes"]
    say(f"{OK} the provider would take it" if taken else f"{FAILED} the provider says {escape(provider['error'])}")
    print(f"\n{found['text']}")


def _print_length(found: Json) -> None:
    names = ("sender", "encoding", "units", "parts", "price")
    print_fields([(name, str(found[name])) for name in names if found[name] is not None])


def _asked(args: argparse.Namespace) -> Json:
    """What both ask for, without what was not said."""
    names = ("template", "text", "kind", "sender", "gsm7")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _to(args: argparse.Namespace) -> dict[str, str]:
    return {name: getattr(args, name) for name in ("contact", "user_id", "phone") if getattr(args, name)}


def _variables(written: str | None) -> Json:
    try:
        read = json.loads(written) if written else {}
    except ValueError as error:
        raise CommandFailed("--variables is a JSON object.") from error
    if not isinstance(read, dict):
        raise CommandFailed("--variables is a JSON object.")
    return read
