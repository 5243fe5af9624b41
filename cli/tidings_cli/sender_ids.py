"""What `tidings sender-id` does through the API."""

from __future__ import annotations

from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import FAILED, OK, WARNING, escape, print_fields, print_json, print_table, say, when

Json = dict[str, Any]

_WAITS = {"verify": "staff to verify it", "accept": "the administrator to accept it"}


def request(client: Client, name: str, countries: list[str], purpose: str, sample: str, as_json: bool) -> int:
    """Ask for a name."""
    body = {"name": name, "countries": countries, "purpose": purpose, "sample": sample}
    return _told(client.post("sender-ids", body=body), as_json)


def decide(client: Client, name: str, decision: str, reason: str | None, as_json: bool) -> int:
    """Verify, accept or reject a name."""
    return _told(client.post("sender-ids", name, decision, body={"reason": reason} if reason else {}), as_json)


def retire(client: Client, name: str, as_json: bool) -> int:
    """Give a name up."""
    return _told(client.delete("sender-ids", name), as_json)


def listed(client: Client, as_json: bool) -> int:
    """Show all of them."""
    found = client.get("sender-ids")["sender_ids"]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            one["name"],
            one["state"],
            " ".join(f"{country}:{place['state']}" for country, place in one["countries"].items()),
            _WAITS.get(one["waits_for"], ""),
            when(one["expires_at"]),
        )
        for one in found
    ]
    columns = ("name", "state", "countries", "waits for", "expires")
    print_table(columns, rows, "There is none yet; ask for one with: tidings sender-id request NAME …")
    return 0


def show(client: Client, name: str, as_json: bool) -> int:
    """Show one, with what became of it in each country."""
    sender = client.get("sender-ids", name)
    if as_json:
        print_json(sender)
        return 0
    approvals = [(f"{step} by", f"{one['by']}, {when(one['at'])}") for step, one in sender["approvals"].items()]
    waits = _WAITS.get(sender["waits_for"], "")
    print_fields(
        [
            ("sender ID", sender["name"]),
            ("state", sender["state"]),
            *([("waits for", f"{waits}, until {when(sender['expires_at'])}")] if waits else []),
            ("requested by", f"{sender['requested_by']}, {when(sender['requested_at'])}"),
            ("purpose", sender["purpose"]),
            ("sample", sender["sample"]),
            *approvals,
            *([("reason", sender["reason"])] if sender["reason"] else []),
        ]
    )
    say("")
    rows = [
        (country, place["state"], place["told"], place["registration"], when(place["look_at"]))
        for country, place in sender["countries"].items()
    ]
    print_table(("country", "state", "to do, or why", "registration", "looked at again"), rows, "")
    return 0


def log(client: Client, name: str, as_json: bool) -> int:
    """Show what changed in one, the latest first."""
    entries: list[Json] = []
    cursor = ""
    while True:
        page = client.get("sender-ids", name, "log", cursor=cursor)
        entries += page["log"]
        cursor = page["cursor"]
        if not cursor:
            break
    if as_json:
        print_json(entries)
        return 0
    rows = [(when(one["at"]), one["what"], one["country"], one["who"], one["reason"]) for one in entries]
    print_table(("when", "what", "country", "who", "why"), rows, "")
    return 0


def _told(sender: Json, as_json: bool) -> int:
    """Say where a name stands now."""
    if as_json:
        print_json(sender)
        return 0
    name = escape(sender["name"])
    if sender["waits_for"]:
        say(f"{WARNING} {name} waits for {_WAITS[sender['waits_for']]}, until {when(sender['expires_at'])}.")
    elif sender["state"] in ("accepted", "active"):
        say(f"{OK} {name} is {sender['state']}.", f"See what AWS says: tidings sender-id show {name}")
    else:
        why = f": {escape(sender['reason'])}" if sender["reason"] else ""
        say(f"{OK if sender['state'] == 'retired' else FAILED} {name} is {sender['state']}{why}.")
    return 0
