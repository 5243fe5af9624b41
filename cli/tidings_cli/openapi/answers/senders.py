"""The domains and addresses that mails leave from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings_cli.openapi.answers.base import Instant, Shape

Status = Literal["success", "pending", "failed", "temporary_failure", "not_started", "missing"]


class DkimShown(Shape):
    """The signature of its mails: SES's status, and the tokens that the names of its keys begin with."""

    status: Status
    tokens: list[str]


class MailFromShown(Shape):
    """The domain that bounces go to, by which SPF is asked."""

    domain: str
    status: Status


class DmarcShown(Shape):
    """What the domain's owner asks of mailboxes: `found` is where that stands, its own domain or one above."""

    status: Literal["found", "missing", "invalid", "unknown"]
    found: str
    policy: Literal["", "none", "quarantine", "reject"]


class RecordShown(Shape):
    """A DNS record to set; `found` is null where nobody could be asked."""

    purpose: Literal["dkim", "mail_from", "spf", "dmarc"]
    type: Literal["CNAME", "MX", "TXT"]
    name: str
    value: str
    found: bool | None


class SenderWarningShown(Shape):
    """What keeps mails of the sender from arriving, or will."""

    code: Literal[
        "identity_missing",
        "not_verified",
        "dkim_pending",
        "mail_from_not_aligned",
        "spf_missing",
        "mail_from_is_public_url",
        "dmarc_missing",
        "dmarc_invalid",
    ]
    message: str


class SenderShown(Shape):
    """A domain or address, and whether mails may leave from it: only where `verified`."""

    identity: str
    kind: Literal["domain", "address"]
    verified: bool
    status: Status
    """SES's word for it; `missing` where SES has no such identity."""
    added_at: Instant
    checked_at: Instant | None
    """When SES was last asked."""
    dkim: DkimShown
    mail_from: MailFromShown | None
    dmarc: DmarcShown
    records: list[RecordShown]
    """What to set in the domain's DNS; empty for one address."""
    warnings: list[SenderWarningShown]


class Senders(Shape):
    """Senders, by name."""

    senders: list[SenderShown]


class SenderOrder(Shape):
    """What may be said of a sender."""

    mail_from: str | SkipJsonSchema[None] = Field(
        None, description="A subdomain of the domain, for bounces; left out, what it has, else mail.DOMAIN."
    )


class SenderRemoved(Shape):
    """It was taken away."""

    removed: Literal[True]
