"""What a local system starts life with: one workspace, and a key of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from tidings.accounts.model import KeyKind
from tidings.accounts.service import AccountService
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.core.clock import SystemClock
from tidings.core.errors import Conflict
from tidings.core.keys import fingerprint
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed

WORKSPACE = "local"
SENDER = "example.org"
DEFAULT_FROM = f"Tidings <hello@{SENDER}>"


def open_workspace(outputs: Mapping[str, str]) -> dict[str, str]:
    """Create the workspace, unless it is there, and three keys by their kinds. `outputs` are the stack's."""
    service = _accounts(outputs)
    # It is there after a start that was cut short right after this line: its keys were never told to anybody.
    with suppress(Conflict):
        service.create_workspace(WORKSPACE, "Local", default_from=DEFAULT_FROM)
    return {kind.value: service.create_key(WORKSPACE, kind, f"local {kind.value}") for kind in KeyKind}


def prepare(outputs: Mapping[str, str], url: str) -> bool:
    """Let the workspace's mails lead back here; whether its sender must be added still, with `add_sender`.

    A template without a table of senders has no way to add one: the small ones that the launcher is tried on.
    """
    service = _accounts(outputs)
    service.configure(WORKSPACE, {"public_url": url})
    return "TableSenders" in outputs and SENDER not in service.workspace(WORKSPACE).senders


def add_sender(url: str, secret_key: str) -> None:
    """Add the domain that mails leave from, as anybody adds theirs: the carrier verifies it at once.

    Raises CommandFailed.
    """
    Client(url, secret_key).put("senders", SENDER, body={})


def keys_are_known(outputs: Mapping[str, str], keys: Mapping[str, str]) -> bool:
    """Whether the database knows the keys: not if the engine was killed before it ever saved."""
    store = DynamoKeyStore(_database(outputs))
    return all(store.find(fingerprint(key)) is not None for key in keys.values())


def _accounts(outputs: Mapping[str, str]) -> AccountService:
    database = _database(outputs)
    return AccountService(DynamoWorkspaceStore(database), DynamoKeyStore(database), SystemClock())


def _database(outputs: Mapping[str, str]) -> Database:
    tables = {"TABLE_WORKSPACES": "TableWorkspaces", "TABLE_API_KEYS": "TableApiKeys"}
    missing = [output for output in tables.values() if output not in outputs]
    if missing:
        raise CommandFailed(f"The template has no output {' and '.join(missing)}, so no workspace can be opened.")
    return Database(Settings({variable: outputs[output] for variable, output in tables.items()}))
