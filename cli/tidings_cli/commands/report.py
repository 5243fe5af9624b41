"""`tidings report`: what became of mails and texts, in numbers or one by one, on screen or as CSV."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive

CHANNELS = ("email", "sms")
ABOUT = {
    "from": ("DAY", "the first day, such as 2026-11-01 (UTC); by default 30 days up to the last"),
    "to": ("DAY", "the last day; by default today"),
    "template": ("NAME", "only this template"),
    "automation": ("NAME", "only what this automation sent"),
    "send": ("ID", "only this order to many"),
    "source": ("SOURCE", "only what an automation, a send or the api ordered"),
    "kind": ("KIND", "only marketing, or transactional mail"),
}
OF_MESSAGES = {
    "in-state": ("STATE", "only in this state, such as delivered"),
    "problem": ("PROBLEM", "only undelivered, skipped, refused, bounced, rejected, complained, delayed or unknown"),
    "address": ("ADDRESS", "only what was meant for this address"),
}


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser(
        "report", help="what became of mails and texts: sent, delivered, opened, clicked, and why not"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    _add_about(parser)
    parser.add_argument(
        "--by", metavar="PARTS", help="day, kind, source, automation, component, send, template or version; or some"
    )
    each = actions.add_parser("messages", help="what became of each mail, and why")
    _add_about(each)
    for name, (value, text) in OF_MESSAGES.items():
        each.add_argument(f"--{name}", metavar=value, help=text)
    each.add_argument("--limit", type=positive, default=50, metavar="N", help="how many mails (%(default)s)")


def _add_about(parser: argparse.ArgumentParser) -> None:
    for name, (value, text) in ABOUT.items():
        parser.add_argument(f"--{name}", metavar=value, help=text)
    parser.add_argument("--channel", choices=CHANNELS, default="email", help="of mails, or of texts (%(default)s)")
    parser.add_argument("--csv", metavar="FILE", help="write everything to a file, for spreadsheets; - for stdout")
    add_connection(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Show or write a report. Raises CommandFailed."""
    from tidings_cli import reports
    from tidings_cli.connection import connect

    client = connect(args)
    names = (*ABOUT, *OF_MESSAGES) if args.action == "messages" else (*ABOUT, "by")
    given = {name: getattr(args, name.replace("-", "_")) for name in names}
    # --state is the folder of a local system.
    asked = {name.removeprefix("in-"): value for name, value in given.items() if value}
    asked |= {"channel": args.channel} if args.channel != "email" else {}
    if args.action == "messages":
        return reports.messages(client, asked, args.limit, args.csv, args.json)
    return reports.numbers(client, asked, args.csv, args.json)
