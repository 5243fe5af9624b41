"""What `tidings template` does: through the API, but for `lint`, which needs no system."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidings.core.clock import SystemClock
from tidings.core.errors import InvalidInput
from tidings_cli.client import ApiError, Client
from tidings_cli.errors import CommandFailed
from tidings_cli.files import read_document, read_text
from tidings_cli.printing import (
    FAILED,
    OK,
    WARNING,
    compact,
    escape,
    print_fields,
    print_json,
    print_table,
    say,
    when,
)

PAGE = 200


def apply(client: Client, files: Sequence[Path], as_json: bool) -> int:
    """Apply files; 1 if one was refused. Files that can be read are all tried."""
    documents = [(path, read_document(path, "template")) for path in files]
    answers: list[dict[str, Any]] = []
    for path, document in documents:
        answer: dict[str, Any] = {"file": str(path), "template": document["template"], "applied": True}
        try:
            applied = client.put("templates", document["template"], body=document)
            answer |= {name: applied.get(name, []) for name in ("version", "changed", "warnings")}
        except ApiError as error:
            if error.status != 400:
                raise
            answer |= {"applied": False, "code": error.code, "message": str(error)}
        answers.append(answer)
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            say(_applied(answer), *map(_found, answer.get("warnings", [])))
    return int(not all(answer["applied"] for answer in answers))


def lint(files: Sequence[Path], data: Path | None, strict: bool, as_json: bool) -> int:
    """List what is wrong with files, without any system; 1 if one has an error, or with `strict` a warning."""
    from tidings.messages.lint import examine
    from tidings.messages.templates import read_data

    try:
        person = read_data(_json(data)) if data else None
    except InvalidInput as error:
        raise CommandFailed(f"{data}: {error.message}") from error
    now = SystemClock().now()
    answers: list[dict[str, Any]] = []
    for path in files:
        found = examine(read_document(path, "template"), now, person).findings
        answers.append({"file": str(path), "findings": [one.as_dict() for one in found]})
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            say(_linted(answer), *map(_found, answer["findings"]))
    counted = ("error", "warning") if strict else ("error",)
    return int(any(one["severity"] in counted for answer in answers for one in answer["findings"]))


def preview(
    client: Client, name: str, order: Mapping[str, Any], data: Path | None, out: Path | None, as_json: bool
) -> int:
    """Show a template filled for somebody; its HTML goes to the file `out`."""
    given = {key: value for key, value in (_json(data) if data else {}).items() if key in ("event", "variables")}
    body = {**given, **{key: value for key, value in order.items() if value is not None}}
    found = client.post("templates", name, "preview", body=body)
    if out is not None:
        _write(out, found["html"] or found["text"])
    if as_json:
        print_json(found)
        return 0
    kilobytes = f"{found['bytes'] / 1024:.1f} KB"
    fields = [(key, found[key]) for key in ("subject", "preheader")]
    print_fields([*fields, ("version", str(found["version"])), ("size", kilobytes)])
    for missing in found["missing"]:
        say(f"{WARNING} {escape(missing)} comes out as nothing")
    if out is not None:
        say(f"{OK} written to {escape(str(out))}")
        return 0
    say("")
    print((found["text"] or found["html"]).rstrip())
    return 0


def list_all(client: Client, as_json: bool) -> int:
    """List the live templates."""
    found = _every(client, "templates", "templates")
    if as_json:
        print_json(found)
        return 0
    rows = [(one["template"], str(one["version"]), when(one["created_at"]), one["subject"]) for one in found]
    columns = ("template", "version", "since", "subject")
    print_table(columns, rows, "There is no template yet. Make one with: tidings template apply FILE")
    return 0


def versions(client: Client, name: str, as_json: bool) -> int:
    """List the versions of a template, latest first."""
    found = _every(client, "versions", "templates", name, "versions")
    if as_json:
        print_json(found)
        return 0
    rows = [(str(one["version"]), when(one["created_at"]), one["subject"]) for one in found]
    print_table(("version", "made", "subject"), rows, "There is no version.")
    return 0


def show(client: Client, name: str, as_json: bool, version: int | None = None) -> int:
    """Show a template, the live version or another: its text, or its HTML where it has no text."""
    found = client.get("templates", name, *(("versions", str(version)) if version else ()))
    if as_json:
        print_json(found)
        return 0
    fields = [(key, str(found.get(key) or "")) for key in ("template", "subject", "preheader", "from", "kind", "topic")]
    html = f"{len(found['html'])} characters, to be seen with --json" if found["html"] else ""
    made = "made" if version else "live since"
    print_fields(
        [
            *fields,
            ("variables", compact(found["variables"])),
            ("version", f"{found['version']}, {made} {when(found['created_at'])}"),
            ("html", html),
        ]
    )
    say("")
    print((found["text"] or found["html"]).rstrip())
    return 0


def _every(client: Client, field: str, *path: str) -> list[dict[str, Any]]:
    """All pages of a listing."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.get(*path, limit=str(PAGE), cursor=cursor)
        found += page[field]
        cursor = page.get("cursor", "")
        if not cursor:
            return found


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_text(path))
    except ValueError as error:
        raise CommandFailed(f"{path} is not JSON.", 2) from error
    if not isinstance(document, dict):
        raise CommandFailed(f"{path} holds no JSON object.", 2)
    return document


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.", 2) from error


def _applied(answer: dict[str, Any]) -> str:
    name = escape(answer["template"])
    if not answer["applied"]:
        return f"{FAILED} {escape(answer['file'])} was not applied: {escape(answer['message'])}"
    if answer["changed"]:
        return f"{OK} {name} version {answer['version']} is live"
    return f"{OK} {name} has not changed; version {answer['version']} stays live"


def _linted(answer: dict[str, Any]) -> str:
    file = escape(answer["file"])
    if any(one["severity"] == "error" for one in answer["findings"]):
        return f"{FAILED} {file} cannot be applied"
    return f"{OK} {file} can be applied" if answer["findings"] else f"{OK} {file} is in order"


def _found(one: dict[str, str]) -> str:
    mark = FAILED if one["severity"] == "error" else WARNING
    where = f"{escape(one['field'])}: " if one["field"] else ""
    return f"  {mark} {where}{escape(one['message'])} ({one['code']})"
