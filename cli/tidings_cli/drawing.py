"""What `tidings automation draw` does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.files import read_text
from tidings_cli.printing import OK, escape, say


def draw(what: str, as_svg: bool, output: Path | None, at: str, connected: Callable[[], Client]) -> int:
    """Draw a file, or the draft of an automation of the system; only for that a system is asked.

    With `at` it is the version that was live at that instant.

    A file may have errors, of which the worst is that it cannot be drawn. Raises CommandFailed.
    """
    from tidings.automations.definition.model import parse_definition
    from tidings.automations.pictures.drawing import mermaid, svg
    from tidings.core.errors import InvalidInput

    path = Path(what)
    is_file = path.suffix in (".yaml", ".yml", ".json") or path.exists()
    if is_file and at:
        raise CommandFailed("A file is drawn as it is: --at is for automations of the system.")
    try:
        definition = parse_definition(read_text(path) if is_file else _of_system(connected(), what, at))
    except InvalidInput as error:
        raise CommandFailed(f"{what} cannot be drawn: {error.message}. See: tidings automation lint") from error
    text = (svg if as_svg else mermaid)(definition)
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror}") from error
    say(f"{OK} {escape(str(output))}")
    return 0


def _of_system(client: Client, name: str, at: str) -> Any:
    found = client.get("automations", name, at=at)
    definition = found["definition"] if at else found["draft"]
    if definition is None:
        raise CommandFailed(f"{name} was not published at that time.")
    return definition
