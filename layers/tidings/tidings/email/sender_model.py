"""A domain or address that a workspace sends from, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tidings.core.clock import to_text

# What SES answers in capitals. `missing` is ours: SES has no such identity.
SUCCESS, PENDING, MISSING, NOT_STARTED = "success", "pending", "missing", "not_started"


@dataclass(frozen=True, slots=True)
class Dkim:
    """The signature of its mails: SES's status, the tokens of the keys, and the zone that the keys stand in."""

    status: str = NOT_STARTED
    tokens: tuple[str, ...] = ()
    zone: str = "dkim.amazonses.com"


@dataclass(frozen=True, slots=True)
class MailFrom:
    """The domain that bounces go to, by which SPF is asked; `spf` is None where nobody could be asked."""

    domain: str = ""
    status: str = ""
    spf: bool | None = None


@dataclass(frozen=True, slots=True)
class Dmarc:
    """What the domain's owner asks of mailboxes: `found` is where that stands, `policy` is none, quarantine or reject.

    `status` is found, missing, invalid, or unknown where DNS did not answer.
    """

    status: str = "unknown"
    found: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class SenderState:
    """What SES and DNS say: `status` is SES's word for the identity, `verified` whether SES sends from it."""

    verified: bool = False
    status: str = PENDING
    dkim: Dkim = field(default_factory=Dkim)
    mail_from: MailFrom = field(default_factory=MailFrom)
    dmarc: Dmarc = field(default_factory=Dmarc)

    def as_dict(self) -> dict[str, Any]:
        """The state as it is kept."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> SenderState:
        """The state that was kept."""
        dkim = Dkim(**{**kept["dkim"], "tokens": tuple(kept["dkim"]["tokens"])})
        return cls(kept["verified"], kept["status"], dkim, MailFrom(**kept["mail_from"]), Dmarc(**kept["dmarc"]))


@dataclass(frozen=True, slots=True)
class Sender:
    """A workspace's claim to an identity, which no second workspace has.

    `identity` is a domain in ASCII or an address, in lower case. `checked_at` is when SES was last asked. One that is
    `leaving` is the workspace's no more and is on its way out of SES too.
    """

    workspace: str
    identity: str
    added_at: datetime
    state: SenderState = field(default_factory=SenderState)
    checked_at: datetime | None = None
    leaving: bool = False

    @property
    def is_domain(self) -> bool:
        """Whether it is a domain, and not one address."""
        return "@" not in self.identity

    @property
    def domain(self) -> str:
        """The domain that it is, or that its address is in."""
        return self.identity.rpartition("@")[2]

    def entry(self) -> dict[str, Any]:
        """What the workspace is told of it: what a send reads."""
        return {"verified": self.state.verified, "checked_at": to_text(self.checked_at) if self.checked_at else None}


@dataclass(frozen=True, slots=True)
class Record:
    """A DNS record to set; `found` is None where nobody could be asked."""

    purpose: str
    type: str
    name: str
    value: str
    found: bool | None


@dataclass(frozen=True, slots=True)
class SenderWarning:
    """What keeps mails of the sender from arriving, or will."""

    code: str
    message: str


class Identities(Protocol):
    """The provider's side of senders. All raise Throttled, InvalidInput and Unavailable."""

    @property
    def region(self) -> str: ...
    def create(self, identity: str) -> None: ...
    def show(self, identity: str) -> SenderState | None: ...
    def set_mail_from(self, identity: str, domain: str) -> None: ...
    def delete(self, identity: str) -> None: ...


class Texts(Protocol):
    """DNS, as far as it is asked: the TXT records of a name, or None if it did not answer."""

    def texts(self, name: str) -> list[str] | None: ...
