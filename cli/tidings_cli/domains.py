"""What `tidings domain` does through the API."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tidings_cli.client import Client
from tidings_cli.printing import FAILED, OK, WARNING, console, escape, print_fields, print_json, print_table, say, when

Json = dict[str, Any]

_MARKS = {True: OK, False: FAILED, None: "[dim]?[/]"}


def add(client: Client, identity: str, mail_from: str | None, as_json: bool) -> int:
    """Add a domain or address; what is left to do."""
    sender = client.put("senders", identity, body={"mail_from": mail_from} if mail_from else {})
    if as_json:
        print_json(sender)
        return 0
    name = escape(sender["identity"])
    if sender["verified"]:
        say(f"{OK} {name} is verified: mails may leave from it.", "")
    elif sender["kind"] == "address":
        say(f"{WARNING} SES wrote a mail to {name}. Nothing is sent from it until the link there was opened.", "")
    else:
        say(f"{WARNING} Set these records in the DNS of {name}. Nothing is sent from it until SES has seen them.", "")
    _print_records(sender)
    _print_warnings(sender)
    if not sender["verified"]:
        say("", f"Later, see what was found: tidings domain check {name}")
    return 0


def listed(client: Client, as_json: bool) -> int:
    """Show all of them."""
    found = client.get("senders")["senders"]
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            one["identity"],
            "verified" if one["verified"] else one["status"],
            one["dkim"]["status"],
            one["mail_from"]["status"] if one["mail_from"] else "",
            one["dmarc"]["policy"] or one["dmarc"]["status"],
            when(one["checked_at"]),
        )
        for one in found
    ]
    columns = ("domain or address", "state", "DKIM", "MAIL FROM", "DMARC", "checked")
    print_table(columns, rows, "There is none yet; add one with: tidings domain add DOMAIN")
    return 0


def show(client: Client, identity: str, as_json: bool) -> int:
    """Show one with its records."""
    sender = client.get("senders", identity)
    if as_json:
        print_json(sender)
        return 0
    mail_from, dmarc = sender["mail_from"], sender["dmarc"]
    policy = f"p={dmarc['policy']} at {dmarc['found']}" if dmarc["policy"] else ""
    print_fields(
        [
            (sender["kind"], sender["identity"]),
            ("state", "verified" if sender["verified"] else sender["status"]),
            ("DKIM", sender["dkim"]["status"]),
            ("MAIL FROM", f"{mail_from['domain']}, {mail_from['status']}" if mail_from else ""),
            ("DMARC", policy or dmarc["status"]),
            ("added", when(sender["added_at"])),
            ("checked", when(sender["checked_at"])),
        ]
    )
    say("")
    _print_records(sender)
    _print_warnings(sender)
    return 0


def check(client: Client, identity: str, as_json: bool) -> int:
    """Say whether mails may leave from one, and what is left to do; 1 if they may not."""
    sender = client.get("senders", identity)
    if as_json:
        print_json(sender)
        return int(not sender["verified"])
    name = escape(sender["identity"])
    if sender["verified"]:
        say(f"{OK} {name} is verified: mails may leave from it.")
    else:
        say(f"{FAILED} {name} is not verified ({escape(sender['status'])}): nothing is sent from it.", "")
        _print_records(sender)
    _print_warnings(sender)
    return int(not sender["verified"])


def remove(client: Client, identity: str, from_ses: bool, as_json: bool) -> int:
    """Take one away."""
    answer = client.delete("senders", identity, identity="delete" if from_ses else "")
    if as_json:
        print_json(answer)
        return 0
    left = "" if from_ses else " SES keeps the identity."
    say(f"{OK} Nothing is sent from {escape(identity)} any more.{left}")
    return 0


def _print_records(sender: Json) -> None:
    """The DNS records as one copies them: found ✓, not found ✗, or nobody could be asked."""
    if not sender["records"]:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("", "for", "type", "name", "value"):
        table.add_column(name, overflow="fold")
    for one in sender["records"]:
        purpose = one["purpose"].replace("_", " ").upper()
        table.add_row(
            _MARKS[one["found"]], *(escape(text) for text in (purpose, one["type"], one["name"], one["value"]))
        )
    console().print(table, soft_wrap=False)


def _print_warnings(sender: Json) -> None:
    if sender["warnings"]:
        say("")
    for one in sender["warnings"]:
        say(f"{WARNING} {escape(one['message'])}")
