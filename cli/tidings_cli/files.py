"""The files that people write: automations and templates, in YAML or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tidings.core.errors import InvalidInput
from tidings_cli.errors import CommandFailed

SUFFIXES = (".yaml", ".yml", ".json")


def read_text(path: Path) -> str:
    """The text of a file. Raises CommandFailed."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandFailed(f"{path} cannot be read: {reason}.", 2) from error


def read_document(path: Path, named_by: str) -> dict[str, Any]:
    """The mapping in a file, which names itself under the key `named_by`. Raises CommandFailed."""
    from tidings.automations.definition.source import read

    try:
        document = read(read_text(path))
    except InvalidInput as error:
        raise CommandFailed(f"{path}: {error.message} ({error.code}).") from error
    if not isinstance(document.get(named_by), str) or not document[named_by]:
        raise CommandFailed(f'{path}: the key "{named_by}" with a name is missing.')
    return document


def template_channels(folder: Path) -> dict[str, str]:
    """The templates in a folder's files, by name the channel of each. Raises CommandFailed."""
    if not folder.is_dir():
        raise CommandFailed(f"{folder} is no folder.", 2)
    found = [read_document(path, "template") for path in documents(folder)]
    return {one["template"]: str(one.get("channel", "email")) for one in found}


def documents(folder: Path) -> Iterable[Path]:
    """The YAML and JSON files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
