"""What `tidings template` does through the API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidings_cli.client import ApiError, Client
from tidings_cli.files import read_document
from tidings_cli.printing import FAILED, OK, compact, escape, print_fields, print_json, print_table, say, when


def apply(client: Client, files: Sequence[Path], as_json: bool) -> int:
    """Apply files; 1 if one was refused. Files that can be read are all tried."""
    documents = [(path, read_document(path, "template")) for path in files]
    answers: list[dict[str, Any]] = []
    for path, document in documents:
        answer: dict[str, Any] = {"file": str(path), "template": document["template"], "applied": True}
        try:
            applied = client.put("templates", document["template"], body=document)
            answer |= {"version": applied["version"], "changed": applied["changed"]}
        except ApiError as error:
            if error.status != 400:
                raise
            answer |= {"applied": False, "code": error.code, "message": str(error)}
        answers.append(answer)
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            say(_applied(answer))
    return int(not all(answer["applied"] for answer in answers))


def list_all(client: Client, as_json: bool) -> int:
    """List the live templates."""
    found = client.get("templates")["templates"]
    if as_json:
        print_json(found)
        return 0
    rows = [(one["template"], str(one["version"]), when(one["created_at"]), one["subject"]) for one in found]
    columns = ("template", "version", "since", "subject")
    print_table(columns, rows, "There is no template yet. Make one with: tidings template apply FILE")
    return 0


def show(client: Client, name: str, as_json: bool) -> int:
    """Show a template: its text, or its HTML where it has no text."""
    found = client.get("templates", name)
    if as_json:
        print_json(found)
        return 0
    fields = [(key, found[key]) for key in ("template", "subject", "preheader", "from")]
    html = f"{len(found['html'])} characters, to be seen with --json" if found["html"] else ""
    print_fields(
        [
            *fields,
            ("variables", compact(found["variables"])),
            ("version", f"{found['version']}, live since {when(found['created_at'])}"),
            ("html", html),
        ]
    )
    say("")
    print((found["text"] or found["html"]).rstrip())
    return 0


def _applied(answer: dict[str, Any]) -> str:
    name = escape(answer["template"])
    if not answer["applied"]:
        return f"{FAILED} {escape(answer['file'])} was not applied: {escape(answer['message'])}"
    if answer["changed"]:
        return f"{OK} {name} version {answer['version']} is live"
    return f"{OK} {name} has not changed; version {answer['version']} stays live"
