"""`tidings template ready` and `tidings template new`: templates to start from, which come with the command."""

from __future__ import annotations

import re
from pathlib import Path

from tidings.messages.model import NAME_PATTERN
from tidings_cli.errors import CommandFailed
from tidings_cli.files import read_document, read_text
from tidings_cli.printing import OK, escape, print_json, print_table, say

FOLDER = Path(__file__).parent
_NAMED = re.compile(r"^template: .*$", re.MULTILINE)


def names() -> list[str]:
    """The names of the templates to start from."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def list_all(as_json: bool) -> int:
    """List the templates to start from: what each is for, as its first line says."""
    found = []
    for name in names():
        path = FOLDER / f"{name}.yaml"
        about = read_text(path).partition("\n")[0].lstrip("# ")
        document = read_document(path, "template")
        found.append({"template": name, "kind": document["kind"], "subject": document["subject"], "about": about})
    if as_json:
        print_json(found)
        return 0
    rows = [(one["template"], one["kind"], one["about"]) for one in found]
    print_table(("template", "kind", "what it is for"), rows, "There is none.")
    return 0


def copy(name: str, source: str, out: Path | None, as_json: bool) -> int:
    """Write a file to start from under a name of one's own. Raises CommandFailed; never overwrites."""
    if source not in names():
        raise CommandFailed(f"There is no ready template named {source}; there are {', '.join(names())}.", 2)
    if not re.fullmatch(NAME_PATTERN, name):
        raise CommandFailed("A template's name is 1 to 63 lower-case letters, digits and hyphens.", 2)
    path = out or Path(f"{name}.yaml")
    text = _NAMED.sub(f"template: {name}", read_text(FOLDER / f"{source}.yaml"), count=1)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandFailed(f"{path} was not written: {error.strerror}.") from error
    if as_json:
        print_json({"template": name, "from": source, "file": str(path)})
    else:
        say(f"{OK} {escape(str(path))} is yours to change; then: tidings template apply {escape(str(path))}")
    return 0
