"""The account's side of SES: identities, suppression list, quota."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from tidings.core.clock import Clock
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.ses import rules
from tidings_cli.carriers.ses.errors import AlreadyExists, BadRequest, NotFound
from tidings_cli.carriers.ses.mails import milliseconds

REASONS = ("BOUNCE", "COMPLAINT")
# What becomes of an identity that was asked to be verified, as SES names it.
STATUSES = ("SUCCESS", "PENDING", "FAILED", "TEMPORARY_FAILURE")


@dataclass(frozen=True)
class Identity:
    """An address or domain: `status` is one of SES's; `mail_from` is empty where bounces go to SES's own domain."""

    name: str
    status: str
    mail_from: str

    @property
    def verified(self) -> bool:
        """Whether mail may be sent from it."""
        return self.status == "SUCCESS"


@dataclass(frozen=True)
class Suppressed:
    """An address of the account's suppression list; `updated_at` is ISO 8601."""

    address: str
    reason: str
    updated_at: str
    message: str | None = None
    feedback: str | None = None

    @property
    def epoch(self) -> float:
        """When it was put there, in seconds since 1970."""
        return datetime.fromisoformat(self.updated_at).timestamp()


class Account:
    """Identities are verified at once unless they were listed as not; the suppression list works as AWS's does."""

    region = "us-east-1"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create_identity(self, name: str) -> None:
        """Add an e-mail address or domain. Raises AlreadyExists, BadRequest."""
        identity_type(name)
        if any(known == name.lower() for known, _ in self.identities()):
            raise AlreadyExists(f"Email identity {name} already exist.")
        statement = "INSERT INTO identities VALUES (?, 1, 1) ON CONFLICT (name) DO UPDATE SET created = 1"
        self._database.change(statement, (name.lower(),))

    def set_status(self, name: str, status: str) -> None:
        """List an identity as verified or not, by one of SES's words. Raises BadRequest."""
        identity_type(name)
        if status not in STATUSES:
            raise BadRequest(f"Status <{status}> must be one of {', '.join(STATUSES)}.")
        statement = (
            "INSERT INTO identities VALUES (?, ?, 0) ON CONFLICT (name) DO UPDATE SET verified = excluded.verified"
        )
        with self._database.transaction():
            self._database.change(statement, (name.lower(), int(status == "SUCCESS")))
            self._set(name, "status", status)

    def set_mail_from(self, name: str, domain: str) -> None:
        """Let bounces of an identity's mails go to a subdomain of it, or to SES. Raises NotFound, BadRequest."""
        owner = self.identity(name).name.rpartition("@")[2]
        if domain and not domain.lower().endswith(f".{owner}"):
            raise BadRequest(f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity.")
        self._set(name, "mail_from", domain.lower())

    def identity(self, name: str) -> Identity:
        """An identity that was created, or listed by its status. Raises NotFound, BadRequest."""
        identity_type(name)
        statement = (
            "SELECT verified, status, mail_from FROM identities LEFT JOIN identity_settings USING (name) WHERE name = ?"
        )
        rows = cast(list[tuple[int, str | None, str | None]], self._database.rows(statement, (name.lower(),)))
        if not rows:
            raise NotFound(f"Email identity {name} does not exist.")
        verified, status, mail_from = rows[0]
        return Identity(name.lower(), status or ("SUCCESS" if verified else "PENDING"), mail_from or "")

    def delete_identity(self, name: str) -> None:
        """Forget an identity. Raises NotFound, BadRequest."""
        found = self.identity(name)
        with self._database.transaction():
            for table in ("identities", "identity_settings"):
                self._database.change(f"DELETE FROM {table} WHERE name = ?", (found.name,))  # noqa: S608 - ours

    def _set(self, name: str, column: str, value: str) -> None:
        statement = (
            f"INSERT INTO identity_settings (name, {column}) VALUES (?, ?)"  # noqa: S608 - a column of ours
            f" ON CONFLICT (name) DO UPDATE SET {column} = excluded.{column}"
        )
        self._database.change(statement, (name.lower(), value))

    def identities(self) -> list[tuple[str, bool]]:
        """The identities that were created, by name, and whether they are verified."""
        rows = self._database.rows("SELECT name, verified FROM identities WHERE created = 1 ORDER BY name")
        return [(cast(str, name), bool(verified)) for name, verified in rows]

    def unverified(self, sender: str) -> str | None:
        """The identity for which mail from this address is refused, if any.

        An address inherits from its domain, and a domain from the one above, unless it is listed itself.
        https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
        """
        rows = dict(cast(list[tuple[str, int]], self._database.rows("SELECT name, verified FROM identities")))
        labels = sender.lower().rpartition("@")[2].split(".")
        for name in (sender.lower(), *(".".join(labels[start:]) for start in range(len(labels) - 1))):
            if name in rows:
                return None if rows[name] else sender
        return None

    def suppressed_reasons(self) -> list[str]:
        """The reasons for which SES itself puts addresses on the list; by default both."""
        rows = self._database.rows("SELECT value FROM settings WHERE name = 'suppressed_reasons'")
        return cast(list[str], json.loads(cast(str, rows[0][0]))) if rows else list(REASONS)

    def set_suppressed_reasons(self, reasons: Sequence[str]) -> None:
        """Change them. Raises BadRequest."""
        for reason in reasons:
            check_reason(reason)
        value = json.dumps(list(dict.fromkeys(reasons)))
        self._database.change("INSERT OR REPLACE INTO settings VALUES ('suppressed_reasons', ?)", (value,))

    def suppress(self, address: str, reason: str, message: str | None = None, feedback: str | None = None) -> None:
        """Put an address on the list. Raises BadRequest."""
        bare = rules.mailbox(address, "EmailAddress").address.lower()
        at = milliseconds(self._clock.now())
        values = (bare, check_reason(reason), at, message, feedback)
        self._database.change("INSERT OR REPLACE INTO suppressions VALUES (?, ?, ?, ?, ?)", values)

    def release(self, address: str) -> None:
        """Take an address off the list. Raises NotFound."""
        if not self._database.change("DELETE FROM suppressions WHERE address = ?", (address.lower(),)):
            raise NotFound(f"Email address {address} does not exist on your suppression list.")

    def suppression(self, address: str) -> Suppressed:
        """The list's entry of an address. Raises NotFound."""
        rows = self._database.rows("SELECT * FROM suppressions WHERE address = ?", (address.lower(),))
        if not rows:
            raise NotFound(f"Email address {address} does not exist on your suppression list.")
        return Suppressed(*cast(Any, rows[0]))

    def suppressions(self) -> list[Suppressed]:
        """The whole list, by address."""
        rows = self._database.rows("SELECT * FROM suppressions ORDER BY address")
        return [Suppressed(*cast(Any, row)) for row in rows]

    def suppressed(self, addresses: Sequence[str]) -> dict[str, str]:
        """Those of the addresses (lower case) that are on the list, with the reason."""
        wanted = {address.lower() for address in addresses}
        return {entry.address: entry.reason for entry in self.suppressions() if entry.address in wanted}


def identity_type(name: str) -> str:
    """EMAIL_ADDRESS or DOMAIN. Raises BadRequest for what is neither."""
    if "@" in name:
        rules.mailbox(name, "EmailIdentity")
        return "EMAIL_ADDRESS"
    rules.mailbox(f"postmaster@{name}", "EmailIdentity")
    return "DOMAIN"


def check_reason(reason: str) -> str:
    """BOUNCE or COMPLAINT. Raises BadRequest."""
    if reason not in REASONS:
        raise BadRequest(f"Reason <{reason}> must be one of {', '.join(REASONS)}.")
    return reason
