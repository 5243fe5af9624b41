"""What `tidings contact export` and `erase` do through the API."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, escape, print_json, say

Json = dict[str, Any]


def export(client: Client, contact: Json, out: str, as_json: bool) -> int:
    """Write all that is known of a contact as one JSON document, a page at a time: to a file, or for `-` to stdout.

    A file that is there is replaced, and only once the new one is whole.
    """
    pages = _pages(client, contact["contact"])
    if out == "-":
        _write(sys.stdout, pages, sys.stderr.isatty())
        return 0
    part = Path(f"{out}.part")
    try:
        # Nobody else on this machine is to read what is known of a person.
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            count = _write(file, pages, sys.stderr.isatty())
        part.replace(out)
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    if as_json:
        print_json({"contact": contact["contact"], "items": count, "file": out})
    else:
        say(f"{OK} {count} items of {contact['contact']} stand in {escape(out)}.")
    return 0


def erase(client: Client, contact: Json, confirm: str | None, as_json: bool) -> int:
    """Erase a contact for good, after its id was given twice. Raises CommandFailed."""
    named = contact["contact"]
    if confirm is None and sys.stdin.isatty():
        say(f"This erases [bold]{escape(named)}[/] with all that they did and got. Nothing brings it back.")
        confirm = input("Type the contact's id to go on: ").strip()
    if confirm != named:
        raise CommandFailed(f"Nothing was erased: to mean it, give the contact's id as well: --confirm {named}")
    answer = client.post("contacts", named, "erase", body={"confirm": confirm})
    if as_json:
        print_json(answer)
    else:
        say(f"{OK} {named} is no more and is never written to again; what is left of them is cleared within minutes.")
    return 0


def _pages(client: Client, contact: str) -> Iterator[Json]:
    cursor = ""
    while True:
        page = client.get("contacts", contact, "export", cursor=cursor)
        yield page
        cursor = page["cursor"]
        if not cursor:
            return


def _write(file: TextIO, pages: Iterator[Json], progress: bool) -> int:
    """Write pages as one document, holding one of them at a time; how many items it has."""
    count = 0
    for number, page in enumerate(pages):
        if number == 0:
            head = {"contact": page["contact"], "generated_at": page["generated_at"]}
            file.write(f'{json.dumps(head, ensure_ascii=False)[:-1]}, "items": [')
        for item in page["items"]:
            file.write(f"{',' if count else ''}\n{json.dumps(item, ensure_ascii=False)}")
            count += 1
        if progress and page["cursor"]:
            print(f"\r{count} items", end="", file=sys.stderr, flush=True)
    if progress:
        print("\r", end="", file=sys.stderr)
    file.write("\n]}\n")
    return count
