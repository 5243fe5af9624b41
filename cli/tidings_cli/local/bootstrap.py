"""What a local system starts life with: one workspace, keys for programs and for people, a sender and a number."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from tidings.accounts.model import KeyKind, Role
from tidings.accounts.service import AccountService
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.core.clock import SystemClock
from tidings.core.errors import Conflict
from tidings.core.keys import fingerprint
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.sms.model import Setup
from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.ready import campaign

WORKSPACE = "local"
SENDER = "example.org"
DEFAULT_FROM = f"Tidings <hello@{SENDER}>"
INBOUND = f"answers@{SENDER}"
# One of the carrier's, which belongs to nobody: see tidings_cli.carriers.sms.numbers.
NUMBER = "+48455500100"
# Secret keys of people, until there are users: who runs the system, who answers for the workspace, who talks to people.
PEOPLE = (Role.STAFF, Role.ADMINISTRATOR, Role.AGENT)


def open_workspace(outputs: Mapping[str, str]) -> dict[str, str]:
    """Create the workspace, unless it is there, and keys for programs by their kinds. `outputs` are the stack's."""
    service = _accounts(outputs)
    # It is there after a start that was cut short right after this line: its keys were never told to anybody.
    with suppress(Conflict):
        service.create_workspace(WORKSPACE, "Local", default_from=DEFAULT_FROM)
    return {kind.value: service.create_key(WORKSPACE, kind, f"local {kind.value}") for kind in KeyKind}


def keys_for_people(outputs: Mapping[str, str]) -> dict[str, str]:
    """Create secret keys of people, by their roles."""
    service = _accounts(outputs)
    return {
        role.value: service.create_key(WORKSPACE, KeyKind.SECRET, f"local {role.value}", role, f"the {role.value}")
        for role in PEOPLE
    }


@dataclass(frozen=True, slots=True)
class Missing:
    """What the workspace may still lack, and gets through the API.

    A sender of mails, a number for text messages, the default campaign.
    """

    sender: bool
    number: bool
    campaign: bool


def prepare(outputs: Mapping[str, str], url: str) -> Missing:
    """Let the workspace's mails and answers to them lead back here; answers what it lacks still, for `complete`.

    A template without these tables and topics has no way to add one: the small ones that the launcher is tried on.
    """
    service = _accounts(outputs)
    comes_in = {"inbound_address": INBOUND} if "MailInboundTopicArn" in outputs else {}
    workspace = service.configure(WORKSPACE, {"public_url": url, **comes_in})
    return Missing(
        sender="TableSenders" in outputs and SENDER not in workspace.senders,
        number="SmsInboundTopicArn" in outputs and not Setup.of(workspace).numbers,
        campaign="TableAutomations" in outputs,
    )


def complete(missing: Missing, url: str, secret_key: str) -> None:
    """Add what the workspace lacks, as anybody adds theirs. Raises CommandFailed."""
    client = Client(url, secret_key)
    if missing.sender:
        add_sender(url, secret_key)
    if missing.number:
        client.put("numbers", NUMBER, body={"two_way": True, "kinds": ["marketing", "transactional"]})
        client.put("sms", "setup", body={"plan": {"*": {"*": NUMBER}}})
    if missing.campaign:
        campaign.begin(client)


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
    # In the table of senders stands at which address mail comes in.
    named = tables | ({"TABLE_SENDERS": "TableSenders"} if "TableSenders" in outputs else {})
    return Database(Settings({variable: outputs[output] for variable, output in named.items()}))
