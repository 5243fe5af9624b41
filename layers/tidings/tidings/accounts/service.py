"""Who calls, and opening workspaces and keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from tidings.accounts.model import ApiKey, KeyKind, Role, Workspace
from tidings.accounts.rules import require_key, require_role, require_secret, require_settings, require_workspace_id
from tidings.accounts.store import DynamoKeyStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound, Unauthorized
from tidings.core.http import Request, api_keys_in
from tidings.core.ids import new_secret
from tidings.core.keys import fingerprint
from tidings.core.store import ConditionFailed, Database

KEY_CACHE_FOR = timedelta(seconds=60)
KEY_CACHE_SIZE = 1000


class KeyStore(Protocol):
    """Where API keys are kept."""

    def find(self, fingerprint: str) -> ApiKey | None: ...
    def add(self, key: ApiKey) -> None: ...
    def revoke(self, fingerprint: str, at: datetime) -> None: ...
    def of_workspace(self, workspace: str) -> list[ApiKey]: ...


class WorkspaceStore(Protocol):
    """Where workspaces are kept."""

    def add(self, workspace: Workspace) -> None: ...
    def change_settings(self, workspace: str, settings: dict[str, Any]) -> None: ...
    def change_inbound(self, before: Workspace, settings: dict[str, Any]) -> None: ...
    def get(self, workspace: str, consistent: bool = False) -> Workspace | None: ...


class Doorkeeper:
    """Looks keys up and remembers the answer, also that a key is unknown, for at most 60 seconds."""

    def __init__(self, keys: KeyStore, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._known: dict[str, tuple[ApiKey | None, datetime]] = {}

    @classmethod
    def over(cls, database: Database, clock: Clock) -> Doorkeeper:
        """A doorkeeper on the tables of a database."""
        return cls(DynamoKeyStore(database), clock)

    def admit(self, offered: Iterable[Any]) -> ApiKey:
        """The first key offered that is known: a Bearer token beside a writeKey may be somebody else's.

        Raises Unauthorized if none is offered, or nobody knows any of them.
        """
        keys = dict.fromkeys(text for text in offered if isinstance(text, str) and text)
        if not keys:
            raise Unauthorized("missing_api_key", "No API key was given: use the Authorization header or writeKey.")
        for key in keys:
            found = self._look_up(fingerprint(key))
            if found is not None and found.revoked_at is None:
                return found
        raise Unauthorized("invalid_api_key", "This API key does not exist or was revoked.", "writeKey")

    def admit_secret(self, request: Request) -> ApiKey:
        """The secret key of a call that is no agent's. Raises Unauthorized, or Forbidden for any other key."""
        return require_role(self.admit_agent(request), Role.SERVER, Role.STAFF, Role.ADMINISTRATOR)

    def admit_agent(self, request: Request) -> ApiKey:
        """The secret key of a call that agents may make too. Raises Unauthorized, or Forbidden for another kind."""
        return require_secret(self.admit(api_keys_in(request)))

    def admit_role(self, request: Request, *roles: Role) -> ApiKey:
        """The secret key of a call that only these roles may make. Raises Unauthorized, or Forbidden."""
        return require_role(self.admit_agent(request), *roles)

    def _look_up(self, hashed: str) -> ApiKey | None:
        now = self._clock.now()
        known = self._known.get(hashed)
        if known is None or now >= known[1]:
            if len(self._known) >= KEY_CACHE_SIZE:
                self._known.clear()
            known = (self._keys.find(hashed), now + KEY_CACHE_FOR)
            self._known[hashed] = known
        return known[0]


class AccountService:
    """Opens workspaces and keys. Creating keys is for operators: it asks for AWS credentials, not for a key."""

    def __init__(self, workspaces: WorkspaceStore, keys: KeyStore, clock: Clock) -> None:
        self._workspaces = workspaces
        self._keys = keys
        self._clock = clock

    def create_workspace(self, workspace_id: str, name: str, default_from: str = "", public_url: str = "") -> Workspace:
        """A new workspace. Raises InvalidInput for a bad id, sender or address, and Conflict if the id is taken."""
        given = {"default_from": default_from, "public_url": public_url}
        settings = require_settings({name: value for name, value in given.items() if value})
        workspace = Workspace(
            require_workspace_id(workspace_id), name, self._clock.now(), settings=settings, secret=new_secret("ws")
        )
        try:
            self._workspaces.add(workspace)
        except ConditionFailed as error:
            raise Conflict("workspace_exists", f"The workspace {workspace_id} exists.", "workspace") from error
        return workspace

    def workspace(self, workspace_id: str) -> Workspace:
        """A workspace as it is now. Raises NotFound."""
        found = self._workspaces.get(workspace_id, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found

    def configure(self, workspace_id: str, changes: Mapping[str, Any]) -> Workspace:
        """The workspace with some of its settings changed; what `changes` leaves out stays as it is.

        Of `identifiers` each kind's `limit`, `priority` and `blocked` is changed by itself. Functions notice within 60
        seconds. Raises NotFound, and InvalidInput with a code for each thing that is wrong; then nothing is changed.
        """
        before = self.workspace(workspace_id)
        changed = require_settings(changes)
        identifiers = {kind: dict(rules) for kind, rules in before.settings.get("identifiers", {}).items()}
        for kind, rules in changed.pop("identifiers", {}).items():
            identifiers[kind] = {**identifiers.get(kind, {}), **rules}
        settings = {**before.settings, **changed, **({"identifiers": identifiers} if identifiers else {})}
        if settings.get("inbound_address", "") == before.inbound_address:
            self._workspaces.change_settings(workspace_id, settings)
        else:
            self._change_inbound(before, settings)
        return replace(before, settings=settings)

    def _change_inbound(self, before: Workspace, settings: dict[str, Any]) -> None:
        """Change settings and with them at which address mail comes in: an address is one workspace's."""
        try:
            self._workspaces.change_inbound(before, settings)
        except ConditionFailed as error:
            told = "Mail to this address comes in at another workspace."
            raise Conflict("inbound_address_taken", told, "inbound_address") from error

    def keys_of(self, workspace_id: str) -> list[ApiKey]:
        """The keys of a workspace, oldest first, revoked ones too. Reads all keys there are: for operators only."""
        return sorted(self._keys.of_workspace(workspace_id), key=lambda key: (key.created_at, key.fingerprint))

    def create_key(self, workspace: str, kind: KeyKind, name: str, role: Role = Role.SERVER, actor: str = "") -> str:
        """A new key, returned this one time only; what is stored is its fingerprint.

        A key in a person's hands names its `actor`, and is secret. Raises InvalidInput.
        """
        require_key(kind, role, actor)
        key = new_secret(kind.prefix)
        stored = ApiKey(fingerprint(key), workspace, kind, name, self._clock.now(), role=role, actor=actor.strip())
        self._keys.add(stored)
        return key

    def revoke_key(self, key: str) -> None:
        """Close a key; it is refused everywhere within 60 seconds."""
        self._keys.revoke(fingerprint(key), self._clock.now())
