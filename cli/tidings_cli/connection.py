"""Which system a command talks to: by its options, else by the environment, else the local one of this folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed

LOCAL_STATE = Path(".tidings/local")
_START = "start one with: tidings local"


@dataclass(frozen=True)
class Local:
    """The local system that a state folder remembers."""

    url: str
    key: str


def add_connection(parser: argparse.ArgumentParser) -> None:
    """The options that say which system is meant."""
    group = parser.add_argument_group("which system", "By default the local one, found by its state folder.")
    group.add_argument("--url", metavar="URL", help="address of the API (else TIDINGS_URL)")
    group.add_argument("--key", metavar="KEY", help="secret key (else TIDINGS_SECRET_KEY)")
    group.add_argument(
        "--state", type=Path, metavar="DIR", help=f"state folder of a local system ({LOCAL_STATE}, here or above)"
    )


def connect(args: argparse.Namespace) -> Client:
    """A client of the system that is meant. Raises CommandFailed if it cannot be told which, or with what key."""
    return choose(args.url, args.key, os.environ, find_local(args.state))


def choose(url: str | None, key: str | None, environment: Mapping[str, str], local: Local | None) -> Client:
    """Options win over the environment, and the environment over a local system. Raises CommandFailed."""
    named_url = (url or environment.get("TIDINGS_URL", "")).rstrip("/")
    named_key = key or environment.get("TIDINGS_SECRET_KEY", "")
    if named_url and urlsplit(named_url).scheme not in ("http", "https"):
        raise CommandFailed(f'"{named_url}" is no address; write it like https://api.example.org.', 2)
    is_local = local is not None and named_url in ("", local.url)
    if local is not None and is_local:
        return Client(local.url, named_key or local.key, "start the local system again with: tidings local")
    if not named_url:
        raise CommandFailed(f"No system was named with --url or TIDINGS_URL, and none runs here; {_START}")
    if not named_key:
        raise CommandFailed("No key was given; give the workspace's secret key with --key or TIDINGS_SECRET_KEY.")
    return Client(named_url, named_key)


def find_local(folder: Path | None) -> Local | None:
    """The local system of a state folder: the one named, else the nearest in this folder or above."""
    if folder is not None:
        found = _read(folder)
        if found is None:
            raise CommandFailed(f"{folder} is no state folder of a local system; {_START} --state {folder}", 2)
        return found
    here = Path.cwd()
    return next((found for parent in (here, *here.parents) if (found := _read(parent / LOCAL_STATE))), None)


def _read(folder: Path) -> Local | None:
    from tidings_cli.local.folder import read_json

    memory: Any = read_json(folder / "state.json")
    if not isinstance(memory, dict) or not memory.get("url"):
        return None
    keys = memory.get("keys")
    return Local(str(memory["url"]), str(keys.get("secret", "")) if isinstance(keys, dict) else "")
