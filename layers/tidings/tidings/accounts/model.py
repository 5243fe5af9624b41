"""What a workspace and an API key are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class KeyKind(StrEnum):
    """What an API key is for; its first letters tell it from afar."""

    PUBLISHABLE = "publishable"
    WRITE = "write"
    SECRET = "secret"  # noqa: S105 - a kind, not a password

    @property
    def prefix(self) -> str:
        """The letters a key of this kind starts with."""
        return {"publishable": "pk", "write": "wk", "secret": "sk"}[self.value]


class Role(StrEnum):
    """Whose hands a secret key is in. Until there are users, it is the key that tells."""

    SERVER = "server"  # a program: all but what a person has to answer for
    STAFF = "staff"  # who runs Tidings: verifies what workspaces ask for
    ADMINISTRATOR = "administrator"  # who answers for the workspace: accepts what was verified
    AGENT = "agent"  # who talks to people: conversations and whom they are with, and no settings


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: by its fingerprint, never itself. `actor` names the person behind a key with a role."""

    fingerprint: str
    workspace: str
    kind: KeyKind
    name: str
    created_at: datetime
    revoked_at: datetime | None = None
    role: Role = Role.SERVER
    actor: str = ""

    @property
    def who(self) -> str:
        """Whom to name for what the key did: its person, else the key's own name, else its kind."""
        return self.actor or self.name or self.kind.value


# Where a workspace stands when its bounces or complaints stopped its marketing.
STOPPED = "stopped"

LIMITS = {"user": 1, "anon": None, "email": 5, "phone": 5, "ext": 5}


@dataclass(frozen=True, slots=True)
class Identifiers:
    """How people are told apart: data of the workspace.

    `limits` is how many values of a kind one contact keeps, None for any number; `priority` lists kinds, the first of
    which decides where two lead to different contacts; `blocked` are regular expressions by kind of values that never
    match anybody, beside those that are blocked everywhere. `default_country` (ISO 3166, two letters) is that of phone
    numbers without one. `addresses_open` lets publishable keys change the e-mail and phone of known contacts.
    """

    limits: Mapping[str, int | None] = field(default_factory=lambda: dict(LIMITS))
    priority: tuple[str, ...] = tuple(LIMITS)
    blocked: Mapping[str, tuple[re.Pattern[str], ...]] = field(default_factory=dict)
    default_country: str = ""
    addresses_open: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Identifiers:
        """The identifiers that a workspace's settings describe; what they leave out is as everywhere."""
        told: Mapping[str, Mapping[str, Any]] = settings.get("identifiers", {})
        limits = {kind: told.get(kind, {}).get("limit", limit) for kind, limit in LIMITS.items()}
        order = {kind: told.get(kind, {}).get("priority", 10 * place) for place, kind in enumerate(LIMITS)}
        return cls(
            limits=limits,
            priority=tuple(sorted(LIMITS, key=lambda kind: order[kind])),
            blocked={kind: tuple(map(re.compile, rules.get("blocked", ()))) for kind, rules in told.items()},
            default_country=str(settings.get("default_country", "")),
            addresses_open=bool(settings.get("publishable_keys_may_change_addresses", False)),
        )

    def blocks(self, kind: str, value: str) -> bool:
        """Whether the workspace blocks a value of a kind; the whole value has to match."""
        return any(pattern.fullmatch(value) for pattern in self.blocked.get(kind, ()))


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant. `generation` grows whenever an automation is published, so that caches know.

    `secret` keys the hashes that stand for addresses of its people; it never changes and is never shown. `policy` is
    what its marketers decided: `topics`, `suppression_rules` and `brand`, each by name; `policy_version` counts its
    changes. `senders` are the domains and addresses it may send from, each with whether it is `verified`. `standing` is
    what its bounces and complaints led to. `sms` is what its text messages may leave from and where: `sms.model.Setup`.
    `halted` are the names of the automations in which nothing at all happens for now.
    """

    id: str
    name: str
    created_at: datetime
    generation: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    policy: Mapping[str, Any] = field(default_factory=dict)
    policy_version: int = 0
    senders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    standing: Mapping[str, Any] = field(default_factory=dict)
    sms: Mapping[str, Any] = field(default_factory=dict)
    halted: frozenset[str] = frozenset()

    @property
    def public_url(self) -> str:
        """Where links in mails lead, such as `https://mail.acme.example`; empty if nobody said."""
        return str(self.settings.get("public_url", "")).rstrip("/")

    @property
    def reply_to(self) -> str:
        """Where replies go to unless a message says otherwise; empty for its sender."""
        return str(self.settings.get("reply_to", ""))

    @property
    def hidden_link(self) -> bool:
        """Whether marketing mails have a link that only machines follow, by which they are told from people."""
        return bool(self.settings.get("hidden_link", True))

    @property
    def mirrors_account_suppression(self) -> bool:
        """Whether whom SES suppresses for the whole account is suppressed here too."""
        return bool(self.settings.get("mirror_account_suppression", False))

    @property
    def inbound_address(self) -> str:
        """The address at which mail to the workspace comes in, such as `hello@in.acme.example`; empty for none."""
        return str(self.settings.get("inbound_address") or "")

    @property
    def signs_replies(self) -> bool:
        """Whether answers to all its mails come in at signed addresses, and not only those within conversations."""
        return bool(self.settings.get("signed_replies"))

    @property
    def time_zone(self) -> str:
        """The time zone of its agents' days, such as `Europe/Warsaw`."""
        return str(self.settings.get("time_zone") or "UTC")

    @property
    def default_from(self) -> str:
        """The sender of mails whose template names none; empty if there is none."""
        return str(self.settings.get("default_from", ""))

    @property
    def identifiers(self) -> Identifiers:
        """How this workspace's people are told apart."""
        return Identifiers.of(self.settings)
