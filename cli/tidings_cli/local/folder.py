"""The folder that a local system lives in: who may use it, what is remembered between two starts, and where things go.

state.json     what this module remembers (format below); readable by the owner alone, since it holds API keys
lock           held while a system runs on the folder
engine.json    the process that keeps the folder's data, if it was not stopped cleanly
engine/, s3/   the engine's data; carriers/ the carriers'; engine.log and servers.log what they said
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tidings_cli.errors import CommandFailed

FORMAT = 1


@dataclass(slots=True)
class Memory:
    """What is kept between two starts. `engine` is the version that wrote the data; `ports` are used again if free."""

    format: int = FORMAT
    engine: str = ""
    workspace: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    url: str = ""


class StateFolder:
    """A state folder in use. As a context manager it holds the lock; a second holder is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.memory = Memory()
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self._create()
        self._take_lock()
        try:
            self.memory = read_memory(self.path)
        except CommandFailed:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def place(self, name: str) -> Path:
        """A subfolder, created if need be."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def save(self) -> None:
        """Write the memory: whole or not at all."""
        write_private(self.path / "state.json", json.dumps(asdict(self.memory), indent=2) + "\n")

    def _create(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise CommandFailed(f"The state folder {self.path} is a file; name a folder with --state DIR.")
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.path / "lock"
            with probe.open("a", encoding="utf-8"):
                pass
        except OSError as error:
            raise CommandFailed(
                f"The state folder {self.path} cannot be written ({error.strerror}); name another with --state DIR."
            ) from error

    def _take_lock(self) -> None:
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._release()
            raise CommandFailed(
                f"Another tidings local uses the state folder {self.path}; stop it, or name another with --state DIR."
            ) from error

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def read_memory(folder: Path) -> Memory:
    """What state.json says, or a new memory if there is none. Raises CommandFailed for one that cannot be used."""
    path = folder / "state.json"
    if not path.exists():
        return Memory()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path} cannot be read ({error}); {_start_anew(folder)}") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise CommandFailed(f"{path} was written by another version of Tidings; {_start_anew(folder)}")
    return Memory(**{entry.name: stored[entry.name] for entry in fields(Memory) if entry.name in stored})


def require_readable(folder: Path) -> None:
    """Every file of the engine's must be whole: it would start empty beside a broken one. Raises CommandFailed."""
    for path in sorted((folder / "engine").glob("*.json")):
        try:
            with path.open(encoding="utf-8") as file:
                json.load(file)
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{path} is damaged ({error}); {_start_anew(folder)}") from error


def require_version(memory: Memory, installed: str, folder: Path) -> None:
    """Data of a newer engine is refused, an older one's is taken over. Raises CommandFailed."""
    if _version(memory.engine) > _version(installed):
        raise CommandFailed(
            f"The data in {folder} was written by ministack {memory.engine}, newer than the installed {installed}; "
            f"install that version, or {_start_anew(folder)}"
        )


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only the owner can read; a reader sees the old or the new, never half."""
    beside = path.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _start_anew(folder: Path) -> str:
    return f"remove {folder} to start anew, or name another folder with --state DIR."


def read_json(path: Path) -> Any:
    """What a JSON file holds, or None if it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
