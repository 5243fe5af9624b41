"""What `tidings company` does through the API."""

from __future__ import annotations

from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import OK, compact, escape, print_fields, print_json, print_table, say, when

PAGE = 200

Json = dict[str, Any]


def listed(client: Client, limit: int, as_json: bool) -> int:
    """Show companies by their ids."""
    found = _pages(client, ("companies",), "companies", limit)
    if as_json:
        print_json(found)
        return 0
    rows = [(one["company"], when(one["created_at"]), compact(one["traits"])) for one in found]
    print_table(("company", "since", "traits"), rows, "There is no company yet.")
    return 0


def show(client: Client, company: str, as_json: bool) -> int:
    """Show what is known of a company."""
    found = client.get("companies", company)
    if as_json:
        print_json(found)
        return 0
    print_fields([("company", found["company"]), ("since", when(found["created_at"]))])
    say("")
    rows = [(name, compact(value)) for name, value in sorted(found["traits"].items())]
    print_table(("trait", "value"), rows, "Nothing was told about this company yet.")
    return 0


def contacts(client: Client, company: str, limit: int, as_json: bool) -> int:
    """Show who belongs to a company, the oldest contact first."""
    found = _pages(client, ("companies", company, "contacts"), "contacts", limit)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["contact"], ", ".join(f"{i['kind']} {i['value']}" for i in one["identities"]), when(one["last_seen_at"]))
        for one in found
    ]
    print_table(("contact", "identities", "last seen"), rows, "Nobody belongs to this company.")
    return 0


def change(client: Client, company: str, contact: str, joins: bool, as_json: bool) -> int:
    """Let a contact join or leave a company."""
    place = ("companies", company, "contacts", contact)
    after = client.put(*place, body={}) if joins else client.delete(*place)
    if as_json:
        print_json(after)
    else:
        say(f"{OK} {escape(after['contact'])} {'belongs to' if joins else 'has left'} {escape(company)}.")
    return 0


def _pages(client: Client, path: tuple[str, ...], what: str, limit: int) -> list[Json]:
    found: list[Json] = []
    cursor = ""
    while len(found) < limit:
        page = client.get(*path, limit=str(min(PAGE, limit - len(found))), cursor=cursor)
        found += page[what]
        cursor = page["cursor"]
        if not cursor:
            break
    return found
