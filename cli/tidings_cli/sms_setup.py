"""What `tidings sms` does through the API."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import compact, print_fields, print_json, print_table, when

Json = dict[str, Any]
_SETUP = ("sms", "setup")


def changes_in(args: argparse.Namespace) -> Json:
    """The changed settings that a command line describes; empty text takes one away. Raises CommandFailed."""
    changes: Json = {}
    for name in ("max_price", "short_url"):
        if getattr(args, name) is not None:
            changes[name] = getattr(args, name) or None
    if args.lifetime is not None:
        changes["lifetime"] = _seconds(args.lifetime) if args.lifetime else None
    review = {"remind_every": args.remind_every, "expires_after": args.expires_after}
    if any(length is not None for length in review.values()):
        changes["review"] = {name: length for name, length in review.items() if length}
    return changes


def rule_in(args: argparse.Namespace) -> Json:
    """What a command line says of a country."""
    said = {"sender_id": args.sender_id, "source": args.source, "date": args.date}
    two_way = {} if args.two_way is None else {"two_way": args.two_way == "yes"}
    return {**{name: value for name, value in said.items() if value is not None}, **two_way}


def setup(client: Client, changes: Json, as_json: bool) -> int:
    """Show the setup, after changing what was named."""
    if changes.get("review"):
        changes = {**changes, "review": {**client.get(*_SETUP)["review"], **changes["review"]}}
    found = client.put(*_SETUP, body=changes) if changes else client.get(*_SETUP)
    if as_json:
        print_json(found)
        return 0
    names = [f"{name} ({', '.join(states)})" for name, states in found["sender_ids"].items()]
    print_fields(
        [
            ("sender IDs", "  ".join(names) or "none"),
            ("numbers", "  ".join(found["numbers"]) or "none"),
            ("at most", f"{found['max_price']} USD a part" if found["max_price"] else "any price"),
            ("lifetime", f"{found['lifetime']} s" if found["lifetime"] else "as long as carriers try"),
            ("short links", found["short_url"] or "at the workspace's public address"),
            ("requests", f"remind every {found['review']['remind_every']}, expire after "
             f"{found['review']['expires_after']}"),
        ]
    )  # fmt: skip
    return 0


def log(client: Client, changes: Json, as_json: bool) -> int:
    """Show who changed what in the setup, the plan and the countries, the latest first."""
    if changes:
        raise CommandFailed("Change something, or look at the log: not both.")
    entries: list[Json] = []
    cursor = ""
    while True:
        page = client.get(*_SETUP, "log", cursor=cursor)
        entries += page["log"]
        cursor = page["cursor"]
        if not cursor:
            break
    if as_json:
        print_json(entries)
        return 0
    rows = [
        (when(entry["at"]), entry["who"], one["setting"].replace("_", " "), _side(one, "before"), _side(one, "after"))
        for entry in entries
        for one in entry["changes"]
    ]
    print_table(("when", "who", "setting", "before", "after"), rows, "Nobody has changed the setup yet.")
    return 0


def _side(change: Json, side: str) -> str:
    return "(too long to be kept)" if side in change["left_out"] else compact(change[side])


def plan(client: Client, country: str | None, sender: str | None, kind: str, as_json: bool) -> int:
    """Show the plan, after changing it for a country and kind: a sender is taken, an empty one goes."""
    planned: dict[str, dict[str, str]] = client.get(*_SETUP)["plan"]
    if country is not None:
        if sender is None:
            raise CommandFailed("Name a sender for the country, or '' for none.")
        kinds = {other: one for other, one in planned.get(country, {}).items() if other != kind}
        kinds |= {kind: sender} if sender else {}
        planned = {other: one for other, one in planned.items() if other != country} | (
            {country: kinds} if kinds else {}
        )
        planned = client.put(*_SETUP, body={"plan": planned})["plan"]
    if as_json:
        print_json(planned)
        return 0
    rows = [(place, name, one) for place, kinds in sorted(planned.items()) for name, one in sorted(kinds.items())]
    empty = "There is no plan: a sender ID that is active goes first, then a number of the country."
    print_table(("country", "kind", "leaves from"), rows, empty)
    return 0


def countries(client: Client, country: str | None, said: Json, forget: bool, as_json: bool) -> int:
    """Show what holds in each country or one, after saying what is known better of it."""
    if said or forget:
        if country is None:
            raise CommandFailed("Name the country that this is about.")
        own = {other: rule for other, rule in client.get(*_SETUP)["countries"].items() if other != country}
        client.put(*_SETUP, body={"countries": own if forget else {**own, country: said}})
    found = [one for one in client.get("sms", "countries")["countries"] if country in (None, one["country"])]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            one["country"],
            one["sender_id"].replace("_", " "),
            "yes" if one["two_way"] else "no",
            f"{one['source']}, {one['date']}",
            one["note"],
        )
        for one in found
    ]
    print_table(("country", "names", "answers", "says", ""), rows, "Nobody tells of this country: it takes no names.")
    return 0


def _seconds(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise CommandFailed("--lifetime takes seconds, such as 3600.") from error
