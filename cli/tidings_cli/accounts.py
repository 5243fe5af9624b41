"""What `tidings workspace` and `tidings key` do, on the tables of a stack."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from typing import Any

from tidings.accounts.model import ApiKey, Identifiers, KeyKind, Role, Workspace
from tidings.accounts.sending import Rates
from tidings.accounts.service import AccountService
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.automations.webhooks.signing import renewed, secrets_of, shown
from tidings.core.clock import SystemClock, to_text
from tidings.core.settings import Settings
from tidings.core.store import ConditionFailed, Database
from tidings.email.sender_rules import address_of, covering
from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, WARNING, escape, print_fields, print_json, print_table, say, when
from tidings_cli.ready import campaign
from tidings_cli.stack import Stack, aws_faults


def create_workspace(
    stack: Stack, workspace: str, name: str, sender: str, public_url: str | None, with_campaign: bool, as_json: bool
) -> int:
    """Open a workspace, and let it start with the default campaign.

    Its links lead to the stack's API unless `public_url` says otherwise. 1 if the campaign was not begun.
    """
    links = stack.outputs.get("ApiUrl", "") if public_url is None else public_url
    with aws_faults():
        made = _service(stack).create_workspace(workspace, name or workspace, sender, links)
    failed = _try_campaign(stack, workspace) if with_campaign else ""
    if as_json:
        print_json(
            {
                "workspace": made.id,
                "name": made.name,
                "default_from": made.default_from,
                "public_url": made.public_url,
                "default_campaign": with_campaign and not failed,
            }
        )
        return int(bool(failed))
    say(f"{OK} The workspace {made.id} is open. Give it keys with: tidings key create --workspace {made.id} --kind …")
    if made.default_from:
        say(*_unverified(made))
    else:
        say("  Its templates must each name a sender, since none was given with --from. Add its domain first with:")
        say("    tidings domain add DOMAIN")
    if not made.public_url:
        say(*_no_links(made))
    if failed:
        told = f"tidings workspace campaign {made.id}"
        say(f"{WARNING} It does not start with the default campaign. {escape(failed)}", f"  Try again with: {told}")
    elif with_campaign:
        say("  It starts with the default campaign, which asks whoever writes and is not known for their name.")
    return int(bool(failed))


def begin_campaign(stack: Stack, workspace: str, as_json: bool) -> int:
    """Start a workspace with the default campaign, if it never had it. Raises CommandFailed."""
    with aws_faults():
        _service(stack).workspace(workspace)
    begun = _begin_campaign(stack, workspace)
    if as_json:
        print_json({"workspace": workspace, "begun": begun})
    else:
        say(f"{OK} The default campaign is live." if begun else f"{OK} {workspace} has the default campaign already.")
    return 0


def _try_campaign(stack: Stack, workspace: str) -> str:
    """Why the default campaign could not be begun; empty if it was."""
    try:
        _begin_campaign(stack, workspace)
    except CommandFailed as error:
        return str(error)
    return ""


def _begin_campaign(stack: Stack, workspace: str) -> bool:
    """Through the API, with a key that is good for nothing afterwards."""
    url = stack.output("ApiUrl")
    with aws_faults():
        key = _service(stack).create_key(workspace, KeyKind.SECRET, "default campaign")
    try:
        return campaign.begin(Client(url, key))
    finally:
        with aws_faults():
            _service(stack).revoke_key(key)


def _unverified(workspace: Workspace) -> list[str]:
    """What to do where the workspace's own sender is not one that mails may leave from."""
    address = address_of(workspace.default_from)
    listed = covering(workspace.senders, address)
    if not address or (listed and listed["verified"]):
        return []
    domain = escape(address.rpartition("@")[2])
    return [f"{WARNING} Nothing is sent from {domain} until SES knows it as yours: tidings domain add {domain}"]


def _no_links(workspace: Workspace) -> list[str]:
    """What to do where links in mails would lead nowhere."""
    told = f"tidings workspace configure {workspace.id} --public-url https://…"
    return [f"{WARNING} It has no public address, which links in marketing mails need: {told}"]


def changes_in(args: argparse.Namespace) -> dict[str, Any]:
    """The changed settings that a command line describes. Raises CommandFailed if there are none."""
    named = {
        "default_from": args.sender,
        "reply_to": args.reply_to,
        "public_url": args.public_url,
        "default_country": args.default_country,
        "time_zone": args.time_zone,
        "inbound_address": args.inbound_address,
    }
    changes: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    for name in (
        "hidden_link",
        "signed_replies",
        "mirror_account_suppression",
        "publishable_keys_may_change_addresses",
    ):
        if getattr(args, name) is not None:
            changes[name] = getattr(args, name) == "yes"
    if args.rate:
        changes["rates"] = {name: int(number) if number.is_integer() else number for name, number in args.rate}
    if args.machine_range is not None:
        changes["machine_ranges"] = [text for text in args.machine_range if text]
    identifiers: dict[str, dict[str, Any]] = {}
    for kind, text in args.limit:
        identifiers.setdefault(kind, {})["limit"] = None if text == "none" else _number("--limit", text)
    for kind, text in args.priority:
        identifiers.setdefault(kind, {})["priority"] = _number("--priority", text)
    for kind, pattern in args.block:
        blocked = identifiers.setdefault(kind, {}).setdefault("blocked", [])
        blocked += [pattern] if pattern else []
    if identifiers:
        changes["identifiers"] = identifiers
    if not changes:
        raise CommandFailed("Nothing to change was named; see: tidings workspace configure --help")
    return changes


def configure_workspace(stack: Stack, workspace: str, changes: dict[str, Any], as_json: bool) -> int:
    """Change settings of a workspace."""
    with aws_faults():
        changed = _service(stack).configure(workspace, changes)
    if not as_json:
        say(f"{OK} The settings of {changed.id} are changed; they hold everywhere within a minute.")
        if "default_from" in changes:
            say(*_unverified(changed))
    return _print_workspace(changed, as_json)


def show_workspace(stack: Stack, workspace: str, as_json: bool) -> int:
    """Show the settings of a workspace."""
    with aws_faults():
        found = _service(stack).workspace(workspace)
    return _print_workspace(found, as_json)


def webhook_secret(stack: Stack, workspace: str, renew: bool, as_json: bool) -> int:
    """Show by which secrets a workspace's webhooks are signed, the newest first, after making another if asked to."""
    now = SystemClock().now()
    with aws_faults():
        found = _service(stack).workspace(workspace)
        if renew:
            found = replace(found, settings=renewed(found, now))
            DynamoWorkspaceStore(_database(stack)).change_settings(workspace, dict(found.settings))
    secrets = [shown(secret) for secret in secrets_of(found, now)]
    if as_json:
        print_json({"workspace": workspace, "secrets": secrets})
        return 0
    print_fields([("Secret", secrets[0]), *(("Valid for a day from its change", old) for old in secrets[1:])])
    return 0


def list_keys(stack: Stack, workspace: str, as_json: bool) -> int:
    """List the keys of a workspace by what is known of them, which is not the keys."""
    with aws_faults():
        service = _service(stack)
        service.workspace(workspace)
        found = [_described(key) for key in service.keys_of(workspace)]
    if as_json:
        print_json({"keys": found})
        return 0
    rows = [
        [key["name"], key["kind"], key["role"], key["actor"], when(key["created_at"]), when(key["revoked_at"])]
        for key in found
    ]
    print_table(
        ("Name", "Kind", "Role", "Actor", "Created", "Revoked"), rows, f"The workspace {escape(workspace)} has no keys."
    )
    return 0


def create_key(
    stack: Stack, workspace: str, kind: str, name: str, as_json: bool, role: str = "server", actor: str = ""
) -> int:
    """Open a key and print it, this one time. One that is in a person's hands has a role, and names its actor."""
    with aws_faults():
        if _find(stack, workspace) is None:
            raise CommandFailed(
                f"There is no workspace {workspace}; open it with: tidings workspace create {workspace}"
            )
        key = _service(stack).create_key(workspace, KeyKind(kind), name or f"{kind} key", Role(role), actor)
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


def _limits(workspace: Workspace) -> str:
    rates = Rates.of(workspace.settings)
    return f"{rates.bounces_stop:.1%} bounces or {rates.complaints_stop:.2%} complaints of marketing"


def _print_workspace(workspace: Workspace, as_json: bool) -> int:
    identifiers = workspace.identifiers
    rules = {kind: (identifiers.limits[kind], _blocked(identifiers, kind)) for kind in identifiers.priority}
    if as_json:
        settings = {
            "workspace": workspace.id,
            "name": workspace.name,
            "created_at": to_text(workspace.created_at),
            "default_from": workspace.default_from,
            "reply_to": workspace.reply_to,
            "public_url": workspace.public_url,
            "default_country": identifiers.default_country,
            "time_zone": workspace.time_zone,
            "inbound_address": workspace.inbound_address,
            "signed_replies": workspace.signs_replies,
            "hidden_link": workspace.hidden_link,
            "rates": asdict(Rates.of(workspace.settings)),
            "machine_ranges": list(workspace.settings.get("machine_ranges") or ()),
            "mirror_account_suppression": workspace.mirrors_account_suppression,
            "publishable_keys_may_change_addresses": identifiers.addresses_open,
            "identifiers": [
                {"kind": kind, "limit": limit, "blocked": blocked} for kind, (limit, blocked) in rules.items()
            ],
        }
        print_json(settings)
        return 0
    fields = [
        ("Workspace", workspace.id),
        ("Name", workspace.name),
        ("Sender", workspace.default_from or "none: each template names its own"),
        ("Replies", workspace.reply_to or "to the sender"),
        ("Links", workspace.public_url or "nowhere yet: no marketing mail goes out"),
        ("For machines", "a link that only they follow" if workspace.hidden_link else "no link of their own"),
        ("Stops at", _limits(workspace)),
        ("Country", identifiers.default_country or "none: phone numbers need their country code"),
        ("Days", f"are those of {workspace.time_zone}"),
        ("Mail to us", workspace.inbound_address or "does not come in here"),
        (
            "Addresses",
            f"publishable keys may{'' if identifiers.addresses_open else ' not'} change those of known contacts",
        ),
    ]
    print_fields(fields)
    rows = [[kind, _limit(limit), "  ".join(blocked)] for kind, (limit, blocked) in rules.items()]
    print_table(("Identifier, first to decide on top", "Kept of it", "Blocked"), rows, "")
    return 0


def _blocked(identifiers: Identifiers, kind: str) -> list[str]:
    return [pattern.pattern for pattern in identifiers.blocked.get(kind, ())]


def _limit(limit: int | None) -> str:
    return "any number" if limit is None else str(limit)


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "kind": key.kind.value,
        "role": key.role.value,
        "actor": key.actor,
        "created_at": to_text(key.created_at),
        "revoked_at": to_text(key.revoked_at) if key.revoked_at else None,
    }


def _number(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise CommandFailed(f"{option} takes KIND=NUMBER, such as email=5.") from error


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
