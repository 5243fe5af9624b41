"""What `tidings consent` and `tidings topic` do through the API."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import FAILED, OK, escape, print_json, print_table, say, when

ROWS = 1000  # of one call
COLUMNS = ("address", "topic", "reply", "source", "wording", "at", "confirmed")
YES = {"yes", "true", "1"}


def show(client: Client, channel: str, address: str, as_json: bool) -> int:
    """Show what an address said about each topic, and whether a mail about it would go."""
    found = client.get("consents", channel, address)
    if as_json:
        print_json(found)
        return 0
    rows = []
    for one in found["topics"]:
        said = one["said"] or {"reply": "never_asked", "proof": {"at": None, "by": ""}}
        proof = said["proof"]
        go = "yes" if one["marketing"]["passed"] else "no"
        rows.append([one["topic"], said["reply"], proof["by"], when(proof["at"]), go, one["marketing"]["found"]])
    print_table(("Topic", "Said", "By", "At", "Goes", "Why"), rows, "There are no topics.")
    return 0


def change(client: Client, args: Any) -> int:
    """Write down what was said about a topic."""
    given = {"source": args.source, "wording": args.wording, "at": args.at}
    body = {"reply": args.reply, "by": args.by, **{name: text for name, text in given.items() if text}}
    answer = client.put("consents", args.channel, args.address, args.topic, body=body)
    if args.json:
        print_json(answer)
    else:
        say(f"{OK} {escape(args.address)}: {answer['reply']} ({args.topic}), {answer['result']}.")
    return 0


def log(client: Client, channel: str, address: str, as_json: bool) -> int:
    """Show the latest changes of what is known of an address."""
    found = client.get("consents", channel, address, "log")
    if as_json:
        print_json(found)
        return 0
    rows = [
        [
            when(one["at"]),
            one["what"],
            one.get("topic") or one.get("change", ""),
            one.get("reply") or one.get("reason", ""),
            one.get("by") or one.get("actor", ""),
            one.get("source", ""),
        ]
        for one in found["log"]
    ]
    print_table(("At", "What", "About", "Said", "By", "Source"), rows, "Nothing ever changed.")
    return 0


def load(client: Client, path: str, channel: str, dry_run: bool, as_json: bool) -> int:
    """Import a CSV file; 1 if a row of it is wrong. Raises CommandFailed for a file that cannot be read."""
    results: list[dict[str, Any]] = []
    for start, rows in _batches(_rows(path)):
        body = {"rows": rows, "channel": channel, "dry_run": dry_run}
        answer = client.post("consents", "import", body=body)
        results += [{**one, "row": one["row"] + start} for one in answer["rows"]]
    wrong = [one for one in results if one["result"] == "invalid"]
    if as_json:
        print_json({"rows": results})
        return int(bool(wrong))
    for one in wrong:
        say(f"{FAILED} row {one['row']}: {escape(one['message'])} ({one['code']})")
    counts = {name: sum(1 for one in results if one["result"] == name) for name in ("set", "unchanged", "kept")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    say(f"{OK} {'Would be: ' if dry_run else ''}{told}, {len(wrong)} invalid.")
    return int(bool(wrong))


def topics(client: Client, as_json: bool) -> int:
    """List the topics."""
    found = client.get("topics")
    if as_json:
        print_json(found)
        return 0
    rows = [[one["topic"], one["title"], one["consent"], one["confirmation"]] for one in found["topics"]]
    print_table(("Topic", "Title", "Consent", "Confirmation"), rows, "There are no topics.")
    return 0


def define(client: Client, args: Any) -> int:
    """Define a topic or change it."""
    body = {
        "title": args.title,
        "description": args.description,
        "consent": args.consent,
        "confirmation": args.confirmation,
    }
    answer = client.put("topics", args.topic, body=body)
    if args.json:
        print_json(answer)
    else:
        say(f"{OK} {args.topic}: {escape(answer['title'])}, {answer['consent']}.")
    return 0


def forget(client: Client, topic: str, as_json: bool) -> int:
    """Forget a topic."""
    answer = client.delete("topics", topic)
    if as_json:
        print_json(answer)
    else:
        say(f"{OK} There is no topic {topic} any more.")
    return 0


def _rows(path: str) -> Iterator[dict[str, Any]]:
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            unknown = sorted(set(reader.fieldnames or ()) - set(COLUMNS))
            if unknown or not reader.fieldnames:
                raise CommandFailed(f"The columns of {path} are {', '.join(COLUMNS)}.")
            for row in reader:
                told = {name: text for name, text in row.items() if name in COLUMNS and text}
                if "confirmed" in told:
                    told["confirmed"] = str(told["confirmed"]).strip().lower() in YES
                yield told
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    batch: list[dict[str, Any]] = []
    start = 0
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS:
            yield start, batch
            start, batch = start + ROWS, []
    if batch:
        yield start, batch
