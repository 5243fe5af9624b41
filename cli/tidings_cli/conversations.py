"""What `tidings conversation`, `tidings inbox` and `tidings category` do through the API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tidings_cli.client import Client
from tidings_cli.contacts import paged
from tidings_cli.printing import OK, escape, print_fields, print_json, print_table, say, when

Json = dict[str, Any]

# What a change of a conversation may say, by the names of the options.
FIELDS = ("agent", "inbox", "note", "until", "type", "category", "key_message", "revision")
_COLUMNS = ("conversation", "state", "inbox", "agent", "channel", "from", "last")
_STATES = ("new", "ongoing", "on_hold", "resolved")


def listed(client: Client, args: Any) -> int:
    """Show conversations, latest first."""
    query = {"inbox": args.inbox, "state": args.in_state, "agent": args.agent, "channel": args.channel}
    found = paged(client, ("conversations",), "conversations", args.limit, query)
    if args.json:
        print_json(found)
        return 0
    rows = [
        (
            one["conversation"],
            one["state"],
            one["inbox"],
            one["agent"],
            one["channel"],
            one["reply"]["address"],
            when(one["last_at"]),
        )
        for one in found
    ]
    print_table(_COLUMNS, rows, "There are no such conversations.")
    return 0


def show(client: Client, conversation: str, at: str, as_json: bool) -> int:
    """Show a conversation, and everything that stands in it, as it stood at an instant if one is given."""
    told = client.get("conversations", conversation, at=at)
    cursor = told.pop("cursor")
    while cursor:
        page = client.get("conversations", conversation, at=at, cursor=cursor)
        told["entries"] += page["entries"]
        cursor = page["cursor"]
    if as_json:
        print_json(told)
        return 0
    _print(told)
    rows = [(when(one["at"]), one["direction"], one["who"], one["text"]) for one in told["entries"]]
    print_table(("at", "", "who", "text"), rows, "Nothing stands in it.")
    return 0


def change(client: Client, conversation: str, what: str, given: Mapping[str, Any], as_json: bool) -> int:
    """Change a conversation."""
    body = {name: value for name, value in given.items() if value is not None}
    told = client.post("conversations", conversation, what, body=body)
    if as_json:
        print_json(told)
    else:
        _print(told)
    return 0


def note(client: Client, conversation: str, text: str, as_json: bool) -> int:
    """Write a note."""
    body = {"text": text, "idempotency_key": str(uuid.uuid4())}
    told = client.post("conversations", conversation, "notes", body=body)
    if as_json:
        print_json(told)
    else:
        say(f"{OK} noted.")
    return 0


def counts(client: Client, as_json: bool) -> int:
    """Show how many conversations each inbox has in each state."""
    told = client.get("conversations", "counts")
    if as_json:
        print_json(told)
        return 0
    rows = [(inbox, *(str(counted[state]) for state in _STATES)) for inbox, counted in sorted(told["inboxes"].items())]
    print_table(("inbox", *_STATES), rows, "There were no conversations yet.")
    return 0


def define(client: Client, what: str, name: str, given: Mapping[str, Any], as_json: bool) -> int:
    """Define an inbox or a category."""
    told = client.put(what, name, body={field: value for field, value in given.items() if value})
    if as_json:
        print_json(told)
    else:
        say(f"{OK} {escape(name)} is defined.")
    return 0


def forget(client: Client, what: str, name: str, as_json: bool) -> int:
    """Forget an inbox or a category."""
    told = client.delete(what, name)
    if as_json:
        print_json(told)
    else:
        say(f"{OK} {escape(name)} is forgotten.")
    return 0


def definitions(client: Client, what: str, one: str, as_json: bool) -> int:
    """Show all inboxes or categories."""
    found = client.get(what)[what]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (each[one], each["title"], ", ".join([*each.get("addresses", ()), *each.get("channels", ())])) for each in found
    ]
    print_table((one, "title", "gets" if one == "inbox" else ""), rows, "There are none.")
    return 0


def _print(told: Json) -> None:
    resolution = told["resolution"] or {}
    print_fields(
        [
            ("conversation", told["conversation"]),
            ("contact", told["contact"]),
            ("state", told["state"]),
            ("inbox", told["inbox"]),
            ("agent", told["agent"]),
            ("channel", told["channel"]),
            ("from", told["reply"]["address"]),
            ("to", told["reply"]["from"]),
            ("wakes", when(told["wakes_at"])),
            (
                "about",
                " · ".join(resolution.get(name, "") for name in ("type", "category", "key_message") if resolution),
            ),
            ("revision", str(told["revision"] or "")),
        ]
    )
