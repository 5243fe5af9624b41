"""What `tidings report` does through the API: tables of numbers, lists of messages, and both as CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidings.messages import sheets
from tidings.messages.reporting import BY
from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, escape, print_json, print_table, say, when

Json = dict[str, Any]

PAGE = "200"
NOTHING = "-"


def numbers(client: Client, asked: Mapping[str, str], file: str | None, as_json: bool) -> int:
    """Show what became of mails; with a file, write all of it there."""
    channel = _channel(asked)
    report = _whole(client, ("reports", channel), "rows", _rest(asked))
    if file is not None:
        columns = sheets.report_columns(_parts(report), channel)
        return _write(file, sheets.sheet(columns, map(sheets.report_row, report["rows"])), len(report["rows"]))
    if as_json:
        print_json(report)
        return 0
    parts = _parts(report)
    what, one, columns, cells = _SHOWN[channel]
    say(f"[bold]{what} decided from {report['from']} to {report['to']}[/] (UTC)", "")
    rows = [[*(_named(row, part) for part in parts), *cells(row)] for row in report["rows"]]
    if len(rows) > 1:
        rows.append(["all together", *[""] * (len(parts) - 1), *cells(report["totals"])])
    print_table((*parts, *columns), rows, f"No {one} was decided on these days.")
    _say_errors(report["totals"]["errors"], what)
    return 0


def messages(client: Client, asked: Mapping[str, str], limit: int, file: str | None, as_json: bool) -> int:
    """Show what became of each mail and why, latest first; with a file, write all of them there."""
    channel = _channel(asked)
    if file is not None:
        found = _whole(client, ("reports", channel, "messages"), "messages", _rest(asked))["messages"]
        return _write(file, sheets.sheet(sheets.COLUMNS_OF[channel], found), len(found))
    found = _whole(client, ("reports", channel, "messages"), "messages", _rest(asked), limit)["messages"]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (when(one["last_tried_at"]), one["address"], one["state"], one["template"], _ordered(one), one["reason"],
         one["message"])
        for one in found
    ]  # fmt: skip
    print_table(
        ("tried", "to", "state", "template", "by", "why", "message"), rows, f"There is no such {_SHOWN[channel][1]}."
    )
    return 0


def _channel(asked: Mapping[str, str]) -> str:
    return asked.get("channel", "email")


def _rest(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name != "channel"}


def _whole(
    client: Client, path: tuple[str, ...], what: str, asked: Mapping[str, str], limit: int | None = None
) -> Json:
    """What the API tells, all pages joined, up to a limit if there is one."""
    cursor, found, first = "", [], None
    while True:
        page = client.get(*path, limit=PAGE, cursor=cursor, **asked)
        first = first or page
        found += page[what]
        cursor = page["cursor"]
        if not cursor or (limit is not None and len(found) >= limit):
            return {**first, what: found if limit is None else found[:limit]}


def _write(file: str, text: str, number: int) -> int:
    """Write a file as it is, with its own ends of lines; `-` is stdout."""
    if file == "-":
        print(text, end="")
        return 0
    try:
        Path(file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandFailed(f"{file} could not be written: {error.strerror}.") from error
    say(f"{OK} {escape(file)}: {number} {'row' if number == 1 else 'rows'}")
    return 0


def _parts(report: Json) -> Sequence[str]:
    return tuple(dict.fromkeys(part for name in report["by"] for part in BY[name]))


def _named(row: Json, part: str) -> str:
    return str(row[part]) or NOTHING


def _cells(row: Json) -> list[str]:
    """Counts with their rates, as people read them."""
    counts, rates = row["counts"], row["rates"]
    bounced = sum(counts[name] for name in ("hard_bounced", "soft_bounced", "spam_bounced"))
    return [
        f"{counts['sent']:,}",
        _with_rate(counts["delivered"], rates["delivered"]),
        _with_rate(counts["opened"], rates["opened"]),
        _with_rate(counts["clicked"], rates["clicked"]),
        f"{counts['machine_opened']:,} / {counts['machine_clicked']:,}",
        _with_rate(bounced, rates["bounced"]),
        _with_rate(counts["complained"], rates["complained"]),
        _with_rate(counts["unsubscribed"], rates["unsubscribed"]),
        f"{counts['skipped'] + counts['refused'] + counts['rejected'] + counts['unknown']:,}",
    ]


def _text_cells(row: Json) -> list[str]:
    counts, rates = row["counts"], row["rates"]
    return [
        f"{counts['sent']:,}",
        f"{counts['parts']:,}",
        _with_rate(counts["delivered"], rates["delivered"]),
        _with_rate(counts["undelivered"], rates["undelivered"]),
        _with_rate(counts["clicked"], rates["clicked"]),
        f"{counts['clicks']:,}",
        f"{counts['machine_clicked']:,}",
        _dollars(counts["cost_micro_usd"]),
        _dollars(counts["carrier_fee_micro_usd"]),
        _with_rate(counts["unsubscribed"], rates["unsubscribed"]),
        f"{counts['skipped'] + counts['refused'] + counts['unknown']:,}",
    ]


def _dollars(micros: int) -> str:
    """Millionths of a dollar to the last digit that says something, at least cents."""
    whole, rest = divmod(micros, 1_000_000)
    return f"${whole:,}.{f'{rest:06d}'.rstrip('0').ljust(2, '0')}"


_MAIL = ("sent", "delivered", "opened", "clicked", "by machines", "bounced", "complained", "unsubs.", "not sent")
_TEXT = ("sent", "parts", "delivered", "undelivered", "clicked", "clicks", "by machines", "cost", "fee", "unsubs.",
         "not sent")  # fmt: skip
# How each channel's report is shown: what it is of, one of them, its columns and their cells.
_SHOWN = {"email": ("Mails", "mail", _MAIL, _cells), "sms": ("Texts", "text message", _TEXT, _text_cells)}


def _with_rate(number: int, rate: float | None) -> str:
    return f"{number:,}" if rate is None or not number else f"{number:,} ({rate:.1%})"


def _say_errors(errors: Sequence[Json], what: str) -> None:
    if not errors:
        return
    say("")
    rows = [(f"{one['messages']:,}", one["problem"].replace("_", " "), one["reason"]) for one in errors]
    print_table((what.lower(), "problem", "reason"), rows, "")


def _ordered(message: Json) -> str:
    if message["source"] == "automation":
        return f"{message['automation']} ({message['component']})"
    return f"send {message['send']}" if message["source"] == "send" else "API"
