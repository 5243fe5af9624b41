"""What `tidings workspace` and `tidings key` do, on the tables of a stack."""

from __future__ import annotations

import sys

from tidings.accounts.model import KeyKind, Workspace
from tidings.accounts.service import AccountService
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import ConditionFailed, Database
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, escape, print_json, say
from tidings_cli.stack import Stack, aws_faults


def create_workspace(stack: Stack, workspace: str, name: str, sender: str, as_json: bool) -> int:
    """Open a workspace."""
    with aws_faults():
        made = _service(stack).create_workspace(workspace, name or workspace, sender)
    if as_json:
        print_json({"workspace": made.id, "name": made.name, "default_from": made.default_from})
        return 0
    say(f"{OK} The workspace {made.id} is open. Give it keys with: tidings key create --workspace {made.id} --kind …")
    if not made.default_from:
        say("  Its templates must each name a sender, since none was given with --from.")
    return 0


def create_key(stack: Stack, workspace: str, kind: str, name: str, as_json: bool) -> int:
    """Open a key and print it, this one time."""
    with aws_faults():
        if _find(stack, workspace) is None:
            raise CommandFailed(
                f"There is no workspace {workspace}; open it with: tidings workspace create {workspace}"
            )
        key = _service(stack).create_key(workspace, KeyKind(kind), name or f"{kind} key")
    if as_json:
        print_json({"workspace": workspace, "kind": kind, "key": key})
    elif sys.stdout.isatty():
        say(f"{OK} This key is shown once and kept nowhere; store it now:", "", f"  [bold]{escape(key)}[/]")
    else:
        print(key)
    return 0


def revoke_key(stack: Stack, key: str, as_json: bool) -> int:
    """Close a key; `-` reads it from standard input, where neither history nor process list keeps it."""
    given = sys.stdin.readline().strip() if key == "-" else key
    with aws_faults():
        try:
            _service(stack).revoke_key(given)
        except ConditionFailed as error:
            raise CommandFailed("No such key was ever made here; nothing was revoked.") from error
    if as_json:
        print_json({"revoked": True})
    else:
        say(f"{OK} The key is revoked; it is refused everywhere within a minute.")
    return 0


def _service(stack: Stack) -> AccountService:
    database = _database(stack)
    return AccountService(DynamoWorkspaceStore(database), DynamoKeyStore(database), SystemClock())


def _find(stack: Stack, workspace: str) -> Workspace | None:
    database = _database(stack)
    store = DynamoWorkspaceStore(database)
    key = store.key(workspace)
    item = database.batch_get([key]).get(key)
    return None if item is None else store.entity(item)


def _database(stack: Stack) -> Database:
    tables = {"TABLE_WORKSPACES": "TableWorkspaces", "TABLE_API_KEYS": "TableApiKeys"}
    return Database(Settings({variable: stack.output(output) for variable, output in tables.items()}))
