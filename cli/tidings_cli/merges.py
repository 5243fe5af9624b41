"""What `tidings merge` does through the API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import FAILED, OK, compact, escape, print_fields, print_json, print_table, say, when

Json = dict[str, Any]

_ACTS = {
    "new": "A new contact would be made.",
    "link": "The anonymous id would join the user's contact.",
    "promote": "The anonymous contact would become known by the user id.",
    "merge": "The one would become part of the other.",
    "nothing": "Nothing would change.",
}
_RULES = {
    "identified": "a call named both ids",
    "aliased": "an alias",
    "moved": "the device was this user's before another's",
    "requested": "somebody asked for it",
}


def preview(client: Client, asked: Mapping[str, str], as_json: bool) -> int:
    """Say what a merge or an identify call would do; 1 if it would be refused."""
    told = client.post("merges", "preview", body=asked)
    if as_json:
        print_json(told)
    elif told["allowed"]:
        contact = told["contact"] or {}
        say(f"{OK} {_ACTS[told['act']]}")
        print_fields(
            [
                ("contact", told["survivor"]),
                ("absorbed", told["absorbed"]),
                ("would get", _identities(told)),
                ("traits", compact(contact.get("traits", {}))),
                ("companies", ", ".join(contact.get("companies", []))),
                ("suppressed too", ", ".join(f"{one['channel']} {one['address']}" for one in told["suppressions"])),
            ]
        )
    else:
        say(f"{FAILED} {_ACTS['nothing']} {escape(told['refused']['message'])} ({told['refused']['code']})")
    return int(not told["allowed"])


def do(client: Client, contact: str, into: str, key: str | None, as_json: bool) -> int:
    """Let a contact become part of another."""
    body = {"contact": contact, "into": into, "idempotency_key": key or str(uuid.uuid4())}
    return _told(client.post("merges", body=body), as_json)


def undo(client: Client, merge: str, key: str | None, as_json: bool) -> int:
    """Take a merge back."""
    return _told(client.post("merges", merge, "undo", body={"idempotency_key": key} if key else {}), as_json)


def listed(client: Client, contact: str, as_json: bool) -> int:
    """Show every merge that made a contact."""
    found = client.get("contacts", contact, "merges")["merges"]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (when(one["at"]), one["absorbed"], _identities(one), _RULES[one["rule"]], when(one["undone_at"]), one["merge"])
        for one in found
    ]
    columns = ("merged", "contact", "identities", "because", "taken back", "merge")
    print_table(columns, rows, "Nobody became part of this contact.")
    return 0


def _told(merge: Json, as_json: bool) -> int:
    if as_json:
        print_json(merge)
    elif merge["undone_at"]:
        say(f"{OK} {escape(merge['absorbed'])} is a contact of its own again, since {when(merge['undone_at'])}.")
        say(f"What it was sent and entered since {when(merge['at'])} stays with {escape(merge['stayed']['contact'])}.")
    else:
        say(f"{OK} {escape(merge['absorbed'])} is part of {escape(merge['survivor'])}.")
        say(f"Take it back with: tidings merge undo {escape(merge['merge'])}")
    return 0


def _identities(one: Json) -> str:
    return ", ".join(f"{identity['kind']} {identity['value']}" for identity in one["identities"])
