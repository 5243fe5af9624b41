"""What `tidings suppression` does through the API."""

from __future__ import annotations

from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import FAILED, OK, escape, print_fields, print_json, print_table, say, when


def add(client: Client, channel: str, address: str, until: str | None, as_json: bool) -> int:
    """Put an address on the list."""
    entry = client.put("suppressions", channel, address, body={"expires_at": until} if until else {})
    if as_json:
        print_json(entry)
        return 0
    say(f"{OK} {escape(entry['address'])} gets no {channel}: {_since(entry)}")
    return 0


def remove(client: Client, channel: str, address: str, as_json: bool) -> int:
    """Take an address off the list."""
    answer = client.delete("suppressions", channel, address)
    if as_json:
        print_json(answer)
    else:
        say(f"{OK} {escape(address)} is off the list and may get {channel} again.")
    return 0


def show(client: Client, channel: str, address: str, as_json: bool) -> int:
    """Show the entry of an address."""
    entry = client.get("suppressions", channel, address)
    if as_json:
        print_json(entry)
        return 0
    print_fields(
        [
            ("address", entry["address"]),
            ("channel", entry["channel"]),
            ("reason", entry["reason"]),
            ("source", entry["source"]),
            ("since", when(entry["created_at"])),
            ("until", when(entry["expires_at"]) or "for good"),
        ]
    )
    return 0


def list_all(client: Client, channel: str, as_json: bool) -> int:
    """List all addresses of a channel that are on the list, page after page."""
    entries: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.get("suppressions", channel=channel, **({"cursor": cursor} if cursor else {}))
        entries += page["suppressions"]
        cursor = page["cursor"]
        if not cursor:
            break
    if as_json:
        print_json({"suppressions": entries})
        return 0
    rows = [[e["address"], e["reason"], when(e["created_at"]), when(e["expires_at"]) or "for good"] for e in entries]
    print_table(("Address", "Reason", "Since", "Until"), rows, f"No address is on the list of {channel}.")
    return 0


def check(client: Client, channel: str, address: str, as_json: bool) -> int:
    """Say whether a message may go to an address; 1 if not."""
    answer = client.post("suppressions", "check", body={"channel": channel, "address": address})
    if as_json:
        print_json(answer)
    elif answer["suppressed"]:
        say(f"{FAILED} {escape(address)} gets no {channel}: {escape(answer['found'])}")
    else:
        say(f"{OK} {escape(address)} may get {channel}: {escape(answer['found'])}")
    return int(answer["suppressed"])


def _since(entry: dict[str, Any]) -> str:
    until = f" until {when(entry['expires_at'])}" if entry["expires_at"] else ""
    return f"{entry['reason']}, since {when(entry['created_at'])}{until}"
