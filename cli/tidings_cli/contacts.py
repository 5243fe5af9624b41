"""What `tidings contact` does through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidings_cli import words
from tidings_cli.client import ApiError, Client
from tidings_cli.printing import compact, escape, print_fields, print_json, print_table, say, when

PAGE = 200

Json = dict[str, Any]


def find(client: Client, contact: str | None, user_id: str | None, anonymous_id: str | None, email: str | None) -> Json:
    """The contact that one of its identities names; of several the oldest. Raises CommandFailed."""
    if contact:
        return client.get("contacts", contact)
    return first(client, user_id=user_id or "", anonymous_id=anonymous_id or "", email=email or "")


def first(client: Client, **identity: str) -> Json:
    """The first contact that an identity leads to. Raises ApiError if it leads to nobody."""
    named = {name: value for name, value in identity.items() if value}
    # An id that is empty is nobody's: asked without it, the API would list everybody.
    found = client.get("contacts", limit="1", **named)["contacts"] if named else []
    if not found:
        raise ApiError(404, {"code": "unknown_contact", "message": "No contact has this identity."})
    return dict(found[0])


def show(client: Client, contact: Json, as_json: bool) -> int:
    """Show who a contact is."""
    if as_json:
        print_json(contact)
        return 0
    identities = ", ".join(f"{one['kind']} {one['value']}" for one in contact["identities"])
    print_fields(
        [
            ("contact", contact["contact"]),
            ("identities", identities),
            ("known", "yes" if contact["known"] else "no, only an anonymous id so far"),
            ("first seen", when(contact["created_at"])),
            ("last seen", when(contact["last_seen_at"])),
            ("absorbed", ", ".join(contact["absorbed"])),
        ]
    )
    say("")
    rows = [(name, compact(value)) for name, value in sorted(contact["traits"].items())]
    print_table(("trait", "value"), rows, "Nothing was told about this person yet.")
    return 0


def timeline(client: Client, contact: Json, limit: int, as_json: bool) -> int:
    """Show the latest events of a contact."""
    events: list[Json] = []
    cursor = ""
    while len(events) < limit:
        size = str(max(1, min(PAGE, limit - len(events))))
        page = client.get("contacts", contact["contact"], "timeline", limit=size, cursor=cursor)
        events += page["events"]
        cursor = page["cursor"]
        if not cursor:
            break
    if as_json:
        print_json(events)
        return 0
    rows = [(when(one["received_at"]), one["event"] or one["type"], _about(one)) for one in events]
    print_table(("received", "event", "what was told"), rows, "Nothing happened yet.")
    return 0


def messages(client: Client, contact: Json, as_json: bool) -> int:
    """Show every message of a contact, and why it was sent or not."""
    found = client.get("contacts", contact["contact"], "messages")["messages"]
    return _each(found, as_json, message_lines, "No message was ever meant for this person.")


def enrolments(client: Client, contact: Json, as_json: bool) -> int:
    """Show a contact's ways through automations: each step and why."""
    found = client.get("contacts", contact["contact"], "enrolments")["enrolments"]
    return _each(found, as_json, _enrolment_lines, "This person never entered an automation.")


def message_lines(message: Json) -> list[str]:
    """A message for people: what, to whom, why, and what became of it."""
    head = message["subject"] or f"(template {message['template']})"
    lines = [f"[bold]{escape(head)}[/]"]
    about = [
        ("message", message["message"]),
        ("to", message["address"]),
        ("template", f"{message['template']} version {message['template_version']}, {message['kind']}"),
        ("cause", words.cause(message)),
        ("history", ", ".join(f"{state} {when(at)}" for state, at in message["history"].items())),
    ]
    lines += [f"  [dim]{name:9}[/] {escape(value)}" for name, value in about if value]
    return [*lines, *(f"  {escape(line)}" for line in words.decision(message))]


def _enrolment_lines(enrolment: Json) -> list[str]:
    cause = enrolment["cause"].get("event", "")
    entered = f"entered {when(enrolment['started_at'])}" + (f" by {cause}" if cause else "")
    lines = [
        f"[bold]{escape(enrolment['automation'])}[/] version {enrolment['version']}, {escape(entered)}",
        f"  {escape(words.standing(enrolment))}",
    ]
    for taken in enrolment["path"]:
        lines += [f"  {escape(line)}" for line in words.step(taken)]
    return lines


def _each(found: list[Json], as_json: bool, lines: Callable[[Json], list[str]], empty: str) -> int:
    if as_json:
        print_json(found)
        return 0
    if not found:
        say(empty)
    for number, one in enumerate(found):
        say(*([""] if number else []), *lines(one))
    return 0


def _about(event: Json) -> str:
    return compact({**event["traits"], **event["properties"]})
