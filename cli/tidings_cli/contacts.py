"""What `tidings contact` does through the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tidings_cli import words
from tidings_cli.client import ApiError, Client
from tidings_cli.printing import compact, escape, print_fields, print_json, print_table, say, when

PAGE = 200
DELETED_AT_ONCE = 100

Json = dict[str, Any]


def find(client: Client, contact: str | None, **identity: str | None) -> Json:
    """The contact that one of its identities names; of several the oldest. Raises CommandFailed."""
    if contact:
        return client.get("contacts", contact)
    return first(client, **{name: value or "" for name, value in identity.items()})


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
    identities = ", ".join(_identity(one) for one in contact["identities"])
    print_fields(
        [
            ("contact", contact["contact"]),
            ("identities", identities),
            ("known", "yes" if contact["known"] else "no, without a user id so far"),
            ("first seen", when(contact["created_at"])),
            ("last seen", when(contact["last_seen_at"])),
            ("companies", ", ".join(contact["companies"])),
            ("absorbed", ", ".join(contact["absorbed"])),
            ("rating", words.rating(contact["rating"])),
        ]
    )
    say("")
    rows = [(name, compact(value)) for name, value in sorted(contact["traits"].items())]
    print_table(("trait", "value"), rows, "Nothing was told about this person yet.")
    known = [(name, compact(one["value"]), one["source"], when(one["at"])) for name, one in contact["context"].items()]
    if known:
        say("")
        print_table(("context", "value", "source", "told"), known, "")
    return 0


def _identity(identity: Json) -> str:
    return f"{identity['kind']} {identity['value']}{' (earlier)' if identity.get('former') else ''}"


def timeline(client: Client, contact: Json, limit: int, filters: Mapping[str, str], as_json: bool) -> int:
    """Show the latest events of a contact, those that pass the filters of the API."""
    events = paged(client, ("contacts", contact["contact"], "timeline"), "events", limit, filters)
    if as_json:
        print_json(events)
        return 0
    rows = [(when(one["received_at"]), one["event"] or one["type"], _about(one), one["node"]) for one in events]
    print_table(("received", "event", "what was told", "node"), rows, "Nothing happened yet.")
    return 0


def listing(client: Client, limit: int, filters: Mapping[str, str], as_json: bool) -> int:
    """Show contacts, those that pass the filters of the API."""
    found = paged(client, ("contacts",), "contacts", limit, filters)
    if as_json:
        print_json(found)
        return 0
    rows = [(one["contact"], _name(one), *_reached(one), when(one["last_seen_at"])) for one in found]
    print_table(("contact", "name", "e-mail", "phone", "last seen"), rows, "There is nobody.")
    return 0


def count(client: Client, as_json: bool) -> int:
    """Show how many people there are."""
    counts = client.get("contacts", "counts")
    if as_json:
        print_json(counts)
        return 0
    print_fields([(name, f"{counts[name]:,}") for name in ("people", "identified", "anonymous")])
    return 0


def edit(client: Client, contact: Json, body: Json, as_json: bool) -> int:
    """Set what is known of a contact, and show it."""
    return show(client, client.patch("contacts", contact["contact"], body=body), as_json)


def delete(client: Client, contacts: Sequence[str], as_json: bool) -> int:
    """Delete contacts; exit code 1 if any was not there."""
    answers: list[Json] = []
    for start in range(0, len(contacts), DELETED_AT_ONCE):
        selected = list(contacts[start : start + DELETED_AT_ONCE])
        answers += client.post("contacts", "delete", body={"contacts": selected})["contacts"]
    if as_json:
        print_json(answers)
    else:
        rows = [(one["contact"], "deleted" if one["deleted"] else one["message"]) for one in answers]
        print_table(("contact", ""), rows, "Nobody was named.")
    return 0 if all(one["deleted"] for one in answers) else 1


def messages(client: Client, contact: Json, as_json: bool) -> int:
    """Show every message of a contact, and why it was sent or not."""
    found = paged(client, ("contacts", contact["contact"], "messages"), "messages", None, {})
    return _each(found, as_json, message_lines, "No message was ever meant for this person.")


def enrolments(client: Client, contact: Json, at: str, as_json: bool) -> int:
    """Show a contact's ways through automations, as they stood at an instant if one is given: each step and why."""
    found = paged(client, ("contacts", contact["contact"], "enrolments"), "enrolments", None, {"at": at} if at else {})
    return _each(found, as_json, _enrolment_lines, "This person never entered an automation.")


_NAMELESS = {"email": "Mail without a subject", "sms": "Text message"}


def message_lines(message: Json) -> list[str]:
    """A message for people: what, to whom, why, and what became of it."""
    name = message["template"]
    version = f"{name} version {message['template_version']}" if name else "none"
    head = message["subject"] or (f"(template {name})" if name else _NAMELESS[message["channel"]])
    lines = [f"[bold]{escape(head)}[/]"]
    about = [
        ("message", message["message"]),
        ("node", message.get("node", "")),
        ("to", message["address"]),
        ("template", f"{version}, {message['kind']}"),
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
        f"  {escape(enrolment['node'])}",
    ]
    for taken in enrolment["path"]:
        lines += [f"  {escape(line)}" for line in words.step(taken)]
    return lines


def paged(
    client: Client, path: tuple[str, ...], what: str, limit: int | None, filters: Mapping[str, str] | None = None
) -> list[Json]:
    """What a listing has, page after page, up to a limit if there is one."""
    found: list[Json] = []
    cursor = ""
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        page = client.get(*path, limit=str(size), cursor=cursor, **(filters or {}))
        found += page[what]
        cursor = page["cursor"]
        if not cursor:
            break
    return found


def _name(contact: Json) -> str:
    traits = contact["traits"]
    names = [traits.get("name")] if traits.get("name") else [traits.get("first_name"), traits.get("last_name")]
    return " ".join(str(name) for name in names if name)


def _reached(contact: Json) -> tuple[str, str]:
    return str(contact["traits"].get("email") or ""), str(contact["traits"].get("phone") or "")


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
