"""What `tidings send` and `tidings message resend` do through the API."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidings_cli.client import Client
from tidings_cli.contacts import message_lines, paged
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, escape, print_fields, print_json, print_table, say, when

Json = dict[str, Any]


def order(client: Client, file: Path, at: str | None, as_json: bool) -> int:
    """Order what a file says. Without an idempotency key it gets a new one. Raises CommandFailed."""
    body = {"idempotency_key": str(uuid.uuid4()), **_read(file), **({"at": at} if at else {})}
    told = client.post("emails", body=body)
    if as_json:
        print_json(told)
    elif "message" in told:
        say(*message_lines(told))
    else:
        say(f"{OK} {told['recipients']} recipients. See how far it is: tidings send show {escape(told['send'])}")
    return 0


def listed(client: Client, as_json: bool) -> int:
    """Show every send."""
    found = paged(client, ("sends",), "sends", None)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["send"], one["state"], one["template"], str(one["recipients"]), when(one["at"] or one["created_at"]))
        for one in found
    ]
    print_table(("send", "state", "template", "recipients", "at"), rows, "Nothing was sent to many yet.")
    return 0


def show(client: Client, send: str, as_json: bool) -> int:
    """Show a send, and whom it did not reach."""
    told = client.get("sends", send)
    problems = paged(client, ("sends", send, "problems"), "problems", None)
    if as_json:
        print_json({**told, "problems": problems})
        return 0
    counts = ", ".join(f"{count} {state}" for state, count in sorted(told["counts"].items()))
    print_fields(
        [
            ("send", told["send"]),
            ("state", told["state"]),
            ("template", f"{told['template']} {told['template_version'] or ''}".strip()),
            ("recipients", f"{told['recipients']}: {counts}"),
            ("at", when(told["at"])),
            ("begun", when(told["begun_at"])),
            ("ended", when(told["ended_at"])),
        ]
    )
    rows = [(str(one["recipient"]), one["state"], one["code"], one["contact"] or "") for one in problems]
    if rows:
        print_table(("recipient", "state", "why", "contact"), rows, "")
    return 0


def cancel(client: Client, send: str, as_json: bool) -> int:
    """Cancel a send."""
    return _told(client.delete("sends", send), "Nothing more of it is sent.", as_json)


def resume(client: Client, send: str, as_json: bool) -> int:
    """Go on with a send."""
    return _told(client.post("sends", send, "resume"), "It goes on.", as_json)


def resend(client: Client, message: str, files: Sequence[Path], key: str | None, as_json: bool) -> int:
    """Send a message again, with these files. Raises CommandFailed."""
    body = {"idempotency_key": key or str(uuid.uuid4()), "attachments": [_attachment(file) for file in files]}
    told = client.post("messages", message, "resend", body=body)
    if as_json:
        print_json(told)
    else:
        say(*message_lines(told))
    return 0


def _told(told: Json, done: str, as_json: bool) -> int:
    if as_json:
        print_json(told)
    else:
        say(f"{OK} {done}")
    return 0


def _read(file: Path) -> Json:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        body = json.loads(text)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(body, dict):
        raise CommandFailed(f"{file} is no JSON object.")
    return body


def _attachment(file: Path) -> Json:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error}") from error
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {"name": file.name, "type": kind, "content": base64.b64encode(content).decode()}
