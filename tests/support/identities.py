"""SES's identities in the test's hands: what was created, and what SES says of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

Arguments = dict[str, Any]


@dataclass
class FakeIdentity:
    """One identity; `status` is SES's word."""

    status: str = "PENDING"
    mail_from: str = ""


@dataclass
class FakeIdentities:
    """The identities of an account. A new one is `status`, until the test says otherwise."""

    known: dict[str, FakeIdentity] = field(default_factory=dict)
    status: str = "PENDING"
    failing: dict[str, str] = field(default_factory=dict)
    """The error code that the calls about an identity end with."""

    def doubles(self) -> dict[str, Callable[[Arguments], dict[str, Any]]]:
        """What stands in for SES."""
        return {
            "sesv2:CreateEmailIdentity": self._create,
            "sesv2:GetEmailIdentity": self._get,
            "sesv2:PutEmailIdentityMailFromAttributes": self._put_mail_from,
            "sesv2:DeleteEmailIdentity": self._delete,
        }

    def say(self, name: str, status: str) -> None:
        """Let SES say this of an identity from now on."""
        self.known[name].status = status

    def _create(self, arguments: Arguments) -> dict[str, Any]:
        name = self._name(arguments, "CreateEmailIdentity")
        if name in self.known:
            raise _error("AlreadyExistsException", "CreateEmailIdentity")
        self.known[name] = FakeIdentity(self.status)
        return {}

    def _get(self, arguments: Arguments) -> dict[str, Any]:
        name = self._name(arguments, "GetEmailIdentity")
        found = self._found(name, "GetEmailIdentity")
        mail_from = {
            "MailFromDomain": found.mail_from,
            "MailFromDomainStatus": found.status,
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        }
        return {
            "VerifiedForSendingStatus": found.status == "SUCCESS",
            "VerificationStatus": found.status,
            "DkimAttributes": {"Status": found.status, "Tokens": ["t1", "t2", "t3"]},
            **({"MailFromAttributes": mail_from} if found.mail_from else {}),
        }

    def _put_mail_from(self, arguments: Arguments) -> dict[str, Any]:
        operation = "PutEmailIdentityMailFromAttributes"
        self._found(self._name(arguments, operation), operation).mail_from = arguments["MailFromDomain"]
        return {}

    def _delete(self, arguments: Arguments) -> dict[str, Any]:
        name = self._name(arguments, "DeleteEmailIdentity")
        self._found(name, "DeleteEmailIdentity")
        del self.known[name]
        return {}

    def _name(self, arguments: Arguments, operation: str) -> str:
        name = str(arguments["EmailIdentity"])
        if code := self.failing.get(name):
            raise _error(code, operation)
        return name

    def _found(self, name: str, operation: str) -> FakeIdentity:
        if name not in self.known:
            raise _error("NotFoundException", operation)
        return self.known[name]


def _error(code: str, operation: str) -> ClientError:
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response, operation)  # type: ignore[arg-type]
