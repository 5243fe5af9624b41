"""Amazon SES, API version 2: identities. Every call may be repeated, so the client does that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidings.core import aws
from tidings.core.errors import Conflict, InvalidInput, Throttled, Unavailable
from tidings.email.sender_model import NOT_STARTED, Dkim, MailFrom, SenderState

CONNECT_SECONDS = 2
READ_SECONDS = 5
ATTEMPTS = 3

# SES takes about one such call a second.
_THROTTLES = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})


class SesIdentities:
    """The identities of the account, in the region that mails are sent from."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or aws.client(
            "sesv2",
            Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )

    @property
    def region(self) -> str:
        """The region, such as eu-central-1: it stands in the records to set."""
        return str(self._client.meta.region_name)

    def create(self, identity: str) -> None:
        """Ask SES to verify an identity, a domain by Easy DKIM; one that SES has already stays as it is."""
        with _faults("AlreadyExistsException"):
            self._client.create_email_identity(EmailIdentity=identity)

    def show(self, identity: str) -> SenderState | None:
        """What SES knows of an identity; None if it has no such one. DMARC and SPF are not SES's to know."""
        answer: dict[str, Any] = {}
        with _faults("NotFoundException"):
            answer = self._client.get_email_identity(EmailIdentity=identity)
        return _state(answer) if answer else None

    def set_mail_from(self, identity: str, domain: str) -> None:
        """Let bounces go to a domain of the sender's; until its MX is there, mails leave with SES's own."""
        with _faults():
            self._client.put_email_identity_mail_from_attributes(
                EmailIdentity=identity, MailFromDomain=domain, BehaviorOnMxFailure="USE_DEFAULT_VALUE"
            )

    def delete(self, identity: str) -> None:
        """Take an identity out of SES; one that is not there is gone already."""
        with _faults("NotFoundException"):
            self._client.delete_email_identity(EmailIdentity=identity)


def _state(answer: dict[str, Any]) -> SenderState:
    dkim, mail_from = answer.get("DkimAttributes") or {}, answer.get("MailFromAttributes") or {}
    verified = bool(answer.get("VerifiedForSendingStatus"))
    signature = Dkim(_word(dkim.get("Status")), tuple(dkim.get("Tokens") or ()))
    if zone := dkim.get("SigningHostedZone"):
        signature = Dkim(signature.status, signature.tokens, str(zone))
    return SenderState(
        verified=verified,
        status=_word(answer.get("VerificationStatus") or ("SUCCESS" if verified else None)),
        dkim=signature,
        mail_from=MailFrom(str(mail_from.get("MailFromDomain") or ""), _word(mail_from.get("MailFromDomainStatus"))),
    )


def _word(status: str | None) -> str:
    return (status or NOT_STARTED).lower()


@contextmanager
def _faults(*fine: str) -> Iterator[None]:
    """Turn what SES refuses into our errors; codes that are `fine` are none."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in fine:
            return
        if code in _THROTTLES:
            raise Throttled("ses_throttled", "SES asks to slow down.") from error
        if code == "LimitExceededException":
            raise Conflict("ses_identities_full", "SES of this account has no room for another identity.") from error
        if code == "BadRequestException":
            said = str(error.response["Error"].get("Message", ""))
            raise InvalidInput("ses_refused", f"SES refuses this: {said}") from error
        raise Unavailable("ses_failed", f"SES answered {code}.") from error
    except BotoCoreError as error:
        raise Unavailable("ses_failed", f"SES did not answer: {type(error).__name__}.") from error
