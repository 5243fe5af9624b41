"""Workspaces of a test module's own in the shared system, where it may count the people, and what it looks at there."""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import pytest
from tests.e2e.local_system import LocalSystem
from tests.support.patience import SECONDS

from tidings.accounts.model import ApiKey, KeyKind, Role
from tidings.accounts.service import AccountService
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.core import aws
from tidings.core.clock import SystemClock
from tidings.core.keys import fingerprint
from tidings.core.settings import Settings
from tidings.core.store import Database


def open_workspace(
    local: LocalSystem, name: str, write_keys: Collection[str] = (), settings: Mapping[str, Any] | None = None
) -> LocalSystem:
    """The same system, asked with the keys of a new workspace; `write_keys` are more of them, by their text."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", local.aws)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "000000000000")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        aws.session.cache_clear()
        try:
            tables = {
                "TABLE_WORKSPACES": "TableWorkspaces",
                "TABLE_API_KEYS": "TableApiKeys",
                "TABLE_SENDERS": "TableSenders",
            }
            database = Database(Settings({name: local.outputs[output] for name, output in tables.items()}))
            clock, store = SystemClock(), DynamoKeyStore(database)
            service = AccountService(DynamoWorkspaceStore(database), store, clock)
            service.create_workspace(name, name, default_from=f"{name.title()} <hello@{name}.example>")
            if settings:
                service.configure(name, settings)
            keys = {kind.value: service.create_key(name, kind, "tests") for kind in KeyKind}
            for role in (Role.STAFF, Role.ADMINISTRATOR, Role.AGENT):
                person = f"{role.value}@{name}.example"
                keys[role.value] = service.create_key(name, KeyKind.SECRET, role.value, role, person)
            for key in write_keys:
                store.add(ApiKey(fingerprint(key), name, KeyKind.WRITE, "tests", clock.now()))
        finally:
            aws.session.cache_clear()
    own = copy.copy(local)
    own.workspace, own.keys = name, keys
    return own


def open_sender(local: LocalSystem, name: str, **settings: Any) -> LocalSystem:
    """A new workspace that may send from hello@NAME.example, whose mails lead back to this system."""
    own = open_workspace(local, name, settings={"public_url": local.url, **settings})
    sender = own.call("PUT", f"/v1/senders/{name}.example", {})
    assert sender.json["verified"], sender.data
    return own


def counts(own: LocalSystem) -> dict[str, int]:
    """How many people the workspace has."""
    found: dict[str, int] = own.call("GET", "/v1/contacts/counts").json
    return found


def person(own: LocalSystem, **identity: str) -> dict[str, Any]:
    """The contact with an identity: `user_id=…`, `anonymous_id=…`; empty if there is none."""
    query = "&".join(f"{name}={value}" for name, value in identity.items())
    answer = own.call("GET", f"/v1/contacts?{query}")
    assert answer.status == 200, answer.data
    found: list[dict[str, Any]] = answer.json["contacts"]
    assert len(found) <= 1
    return found[0] if found else {}


def timeline(own: LocalSystem, contact: str) -> list[dict[str, Any]]:
    """What a contact did, in the order of the corrected times."""
    events: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = own.call("GET", f"/v1/contacts/{contact}/timeline?limit=200&cursor={cursor}").json
        events += page["events"]
        cursor = page["cursor"]
        if not cursor:
            return sorted(events, key=lambda event: event["timestamp"])


def told(events: Collection[dict[str, Any]]) -> Counter[str]:
    """How often each kind of event is among some: its name, or the call if it has none."""
    return Counter(event["event"] or event["type"] for event in events)


def lived(own: LocalSystem, expected: Collection[str], **identity: str) -> list[dict[str, Any]]:
    """What who has an identity did, once as much is there as is expected; no more than that, and nothing twice.

    Merges leave an event too, but whether there is anybody to merge depends on which call came through first.
    """

    def ask() -> list[dict[str, Any]]:
        found = person(own, **identity)
        events = timeline(own, found["contact"]) if found else []
        return [event for event in events if event["event"] != "Contacts Merged"]

    settles(lambda: told(ask()), Counter(expected))
    events = ask()
    assert len({event["message_id"] for event in events}) == len(events) == len(expected)
    return events


def settles(question: Callable[[], Any], expected: Any) -> None:
    """Ask until the answer is what is expected; what is told comes through in its time."""
    deadline = time.monotonic() + SECONDS
    while (answer := question()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer == expected, answer


def identities(contact: dict[str, Any]) -> set[tuple[str, str]]:
    """A contact's identities as pairs of kind and value."""
    return {(identity["kind"], identity["value"]) for identity in contact["identities"]}


def members(own: LocalSystem, company: str) -> list[str]:
    """The user ids of who belongs to a company."""
    found = own.call("GET", f"/v1/companies/{company}/contacts").json["contacts"]
    return sorted(value for contact in found for kind, value in identities(contact) if kind == "user")


def believed(contact: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    """The fields of a contact's context, each with its source."""
    return {name: (field["value"], field["source"]) for name, field in contact["context"].items()}


def instant(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text)
