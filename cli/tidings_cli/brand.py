"""What `tidings brand` does through the API."""

from __future__ import annotations

from collections.abc import Mapping

from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, print_fields, print_json, say

FIELDS = ("name", "postal_address", "colour", "logo_url", "footer")


def change(client: Client, given: Mapping[str, str | None], as_json: bool) -> int:
    """Change what is given of the brand; the rest stays as it is. Raises CommandFailed if nothing is."""
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise CommandFailed("Nothing to change was named; see: tidings brand set --help", 2)
    now = client.get("brand")
    changed = client.put("brand", body={**now, **changes})
    if not as_json:
        say(f"{OK} The brand is changed; pages and mails show it within a minute.")
    return _print(changed, as_json)


def show(client: Client, as_json: bool) -> int:
    """Show the brand."""
    return _print(client.get("brand"), as_json)


def _print(brand: Mapping[str, str], as_json: bool) -> int:
    if as_json:
        print_json(dict(brand))
    else:
        print_fields([(name.replace("_", " "), brand[name]) for name in FIELDS])
    return 0
