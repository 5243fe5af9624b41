"""`tidings sms`: one text, seen before or sent; what texts leave from, and where."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("sms", help="send a text, see one before, and say what texts leave from")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    setup = actions.add_parser("setup", help="show the setup of texts, or change some of it")
    setup.add_argument("--max-price", metavar="USD", help="the most that a part may cost, such as 0.05; empty for any")
    setup.add_argument("--lifetime", metavar="SECONDS", help="how long a carrier may try, 5 to 259200; empty for ever")
    setup.add_argument("--short-url", metavar="URL", help="where short links lead; empty for the workspace's address")
    setup.add_argument("--remind-every", metavar="TIME", help="how often somebody is reminded of a sender ID: '3 days'")
    setup.add_argument("--expires-after", metavar="TIME", help="when a request of a sender ID expires: '14 days'")
    setup.add_argument("--log", action="store_true", help="show who changed what, the latest first")
    plan = actions.add_parser("plan", help="show what is sent from where, or change it for a country")
    plan.add_argument("country", nargs="?", metavar="XX", help="a country, or '*' for any other")
    plan.add_argument("sender", nargs="?", metavar="SENDER", help="a sender ID, a number, or pool:ID; empty for none")
    plan.add_argument("--kind", default="*", metavar="KIND", help="marketing, transactional, or * (default) for both")
    countries = actions.add_parser(
        "countries", help="what a country makes of names and answers, or what you know better"
    )
    countries.add_argument("country", nargs="?", metavar="XX")
    countries.add_argument("--sender-id", metavar="RULE", help="not_supported, registration or free")
    countries.add_argument("--two-way", choices=("yes", "no"), help="whether people there can answer")
    countries.add_argument("--source", metavar="TEXT", help="who says so")
    countries.add_argument("--date", metavar="DAY", help="since when, such as 2026-11-22")
    countries.add_argument("--forget", action="store_true", help="let the table of countries say again")
    send = actions.add_parser("send", help="send one text, or say what would become of it")
    preview = actions.add_parser("preview", help="show a text as a phone would, its parts, and what costs some")
    for action in (send, preview):
        _message(action)
    send.add_argument("--dry-run", action="store_true", help="check everything, and send nothing")
    send.add_argument("--idempotency-key", metavar="KEY", help="a new one unless given")
    send.add_argument("--max-price", metavar="USD", help="the most that a part may cost, such as 0.05")
    send.add_argument("--two-way", action="store_true", help="from a sender that receives answers")
    for action in (setup, plan, countries, send, preview):
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def _message(action: argparse.ArgumentParser) -> None:
    what = action.add_mutually_exclusive_group(required=True)
    what.add_argument("--template", metavar="NAME")
    what.add_argument("--text", metavar="TEXT", help="in Liquid")
    to = action.add_mutually_exclusive_group()
    to.add_argument("--contact", metavar="ID")
    to.add_argument("--user-id", metavar="ID")
    to.add_argument("--phone", metavar="NUMBER", help="in international form, such as +48600100200")
    action.add_argument("--kind", choices=("marketing", "transactional"))
    action.add_argument("--sender", metavar="SENDER", help="a sender ID, a number, or pool:ID")
    action.add_argument("--variables", metavar="JSON", help="what the text says beside the contact")
    action.add_argument("--gsm7", action="store_true", default=None, help="replace typographic characters")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import sms_setup
    from tidings_cli.connection import connect

    client = connect(args)
    if args.action in ("send", "preview"):
        from tidings_cli import texts

        return texts.send(client, args) if args.action == "send" else texts.preview(client, args)
    if args.action == "setup":
        changes = sms_setup.changes_in(args)
        return sms_setup.log(client, changes, args.json) if args.log else sms_setup.setup(client, changes, args.json)
    if args.action == "plan":
        return sms_setup.plan(client, args.country, args.sender, args.kind, args.json)
    said = sms_setup.rule_in(args)
    return sms_setup.countries(client, args.country, said, args.forget, args.json)
