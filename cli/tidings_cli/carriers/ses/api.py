"""The SESv2 REST API, as far as the carrier speaks it. Shapes are those of botocore's service model `sesv2`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from tidings.core.clock import Clock, from_text
from tidings.core.errors import TidingsError
from tidings_cli.carriers.aws import AwsError, caller_of
from tidings_cli.carriers.faults import Faults, Rate, SendFault
from tidings_cli.carriers.publisher import Publisher
from tidings_cli.carriers.ses import account as accounts
from tidings_cli.carriers.ses.account import Account, Identity, Suppressed
from tidings_cli.carriers.ses.errors import BadRequest, MessageRejected, TooManyRequests, UnknownOperation
from tidings_cli.carriers.ses.mails import MailStore, milliseconds
from tidings_cli.carriers.ses.sending import Sending
from tidings_cli.carriers.web import Handler, Request, Response, Router, json_response, read_request, respond

_EMPTY: dict[str, Any] = {}


class SesApi:
    """A WSGI application that answers as `email.<region>.amazonaws.com` does."""

    def __init__(
        self,
        sending: Sending,
        mails: MailStore,
        account: Account,
        faults: Faults,
        rate: Rate,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._sending = sending
        self._mails = mails
        self._account = account
        self._faults = faults
        self._rate = rate
        self._publisher = publisher
        self._clock = clock
        self.operations: dict[str, tuple[str, str, Handler]] = {
            "SendEmail": ("POST", "/v2/email/outbound-emails", self._send_email),
            "GetAccount": ("GET", "/v2/email/account", self._get_account),
            "PutAccountSuppressionAttributes": ("PUT", "/v2/email/account/suppression", self._put_account_suppression),
            "CreateEmailIdentity": ("POST", "/v2/email/identities", self._create_identity),
            "GetEmailIdentity": ("GET", "/v2/email/identities/{name}", self._get_identity),
            "PutEmailIdentityMailFromAttributes": (
                "PUT",
                "/v2/email/identities/{name}/mail-from",
                self._put_mail_from,
            ),
            "DeleteEmailIdentity": ("DELETE", "/v2/email/identities/{name}", self._delete_identity),
            "ListEmailIdentities": ("POST", "/v2/email/list-identities", self._list_identities),
            "PutSuppressedDestination": ("PUT", "/v2/email/suppression/addresses", self._put_suppressed),
            "GetSuppressedDestination": ("GET", "/v2/email/suppression/addresses/{address}", self._get_suppressed),
            "DeleteSuppressedDestination": (
                "DELETE",
                "/v2/email/suppression/addresses/{address}",
                self._delete_suppressed,
            ),
            "ListSuppressedDestinations": ("GET", "/v2/email/suppression/addresses", self._list_suppressed),
        }
        self._router = Router(self.operations.values())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; every error has SES's shape."""
        try:
            response = self._answer(read_request(environ))
        except AwsError as error:
            response = _error(error.code, error.message, error.status)
        except TidingsError as error:
            response = _error("BadRequestException", error.message, 400)
        return respond(response, start_response)

    def _answer(self, request: Request) -> Response:
        handler = self._router.find(request.method, request.path)
        if handler is None:
            known = ", ".join(self.operations)
            raise UnknownOperation(
                f"The local SES carrier does not know {request.method} {request.path}; it knows {known}."
            )
        return handler(request)

    def _send_email(self, request: Request) -> Response:
        call = self._sending.check(request.json())
        faults = self._faults.take(call.recipients)
        if SendFault.THROTTLE in faults or not self._rate.take():
            raise TooManyRequests
        if SendFault.REJECT in faults:
            raise MessageRejected("The message was rejected, as ordered at the outbox.")
        if lost := faults.get(SendFault.TIMEOUT_BEFORE_ACCEPT):
            time.sleep(lost.seconds)
            return Response(200, b"", "application/json", cut_short=True)
        message_id = self._sending.accept(call, caller_of(request), SendFault.DROP_EVENTS in faults)
        self._publisher.wake()
        if lost := faults.get(SendFault.TIMEOUT_AFTER_ACCEPT):
            time.sleep(lost.seconds)
            return Response(200, b"", "application/json", cut_short=True)
        return json_response({"MessageId": message_id})

    def _get_account(self, request: Request) -> Response:
        day = milliseconds(self._clock.now() - timedelta(days=1))
        return json_response(
            {
                "DedicatedIpAutoWarmupEnabled": False,
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": True,
                "SendQuota": {
                    "Max24HourSend": 50000.0,
                    "MaxSendRate": float(self._rate.limit() or Rate.SHOWN),
                    "SentLast24Hours": float(self._mails.count(day)),
                },
                "SendingEnabled": True,
                "SuppressionAttributes": {"SuppressedReasons": self._account.suppressed_reasons()},
            }
        )

    def _put_account_suppression(self, request: Request) -> Response:
        self._account.set_suppressed_reasons(request.json().get("SuppressedReasons") or [])
        return json_response(_EMPTY)

    def _create_identity(self, request: Request) -> Response:
        name = str(request.json().get("EmailIdentity") or "")
        self._account.create_identity(name)
        return json_response(_described(self._account.identity(name)))

    def _get_identity(self, request: Request, name: str) -> Response:
        found = self._account.identity(name)
        mail_from = {
            "MailFromDomain": found.mail_from,
            "MailFromDomainStatus": found.status,
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        }
        return json_response(
            {
                **_described(found),
                "FeedbackForwardingStatus": True,
                "Policies": {},
                "Tags": [],
                "VerificationStatus": found.status,
                **({"MailFromAttributes": mail_from} if found.mail_from else {}),
            }
        )

    def _put_mail_from(self, request: Request, name: str) -> Response:
        self._account.set_mail_from(name, str(request.json().get("MailFromDomain") or ""))
        return json_response(_EMPTY)

    def _delete_identity(self, request: Request, name: str) -> Response:
        self._account.delete_identity(name)
        return json_response(_EMPTY)

    def _list_identities(self, request: Request) -> Response:
        found = [
            {
                "IdentityType": accounts.identity_type(name),
                "IdentityName": name,
                "SendingEnabled": verified,
                "VerificationStatus": _status(verified),
            }
            for name, verified in self._account.identities()
        ]
        return json_response(_page("EmailIdentities", found, request.json()))

    def _put_suppressed(self, request: Request) -> Response:
        body = request.json()
        self._account.suppress(str(body.get("EmailAddress") or ""), str(body.get("Reason") or ""))
        return json_response(_EMPTY)

    def _get_suppressed(self, request: Request, address: str) -> Response:
        entry = self._account.suppression(address)
        about = _summary(entry)
        if entry.message and entry.feedback:
            about["Attributes"] = {"MessageId": entry.message, "FeedbackId": entry.feedback}
        return json_response({"SuppressedDestination": about})

    def _delete_suppressed(self, request: Request, address: str) -> Response:
        self._account.release(address)
        return json_response(_EMPTY)

    def _list_suppressed(self, request: Request) -> Response:
        reasons = request.query.get("Reason", [])
        start, end = (_instant(request, name) for name in ("StartDate", "EndDate"))
        found = [
            _summary(entry)
            for entry in self._account.suppressions()
            if (not reasons or entry.reason in reasons)
            and (start is None or start <= entry.epoch)
            and (end is None or entry.epoch <= end)
        ]
        paging = {name: request.one(name) for name in ("NextToken", "PageSize") if request.one(name)}
        return json_response(_page("SuppressedDestinationSummaries", found, paging))


def _instant(request: Request, name: str) -> float | None:
    """A query parameter that is a point in time, in seconds since 1970."""
    text = request.one(name)
    try:
        return from_text(text).timestamp() if text else None
    except ValueError:
        raise BadRequest(f"{name} <{text}> is not a timestamp.") from None


def _summary(entry: Suppressed) -> dict[str, Any]:
    return {"EmailAddress": entry.address, "Reason": entry.reason, "LastUpdateTime": entry.epoch}


def _described(identity: Identity) -> dict[str, Any]:
    return {
        "IdentityType": accounts.identity_type(identity.name),
        "VerifiedForSendingStatus": identity.verified,
        "DkimAttributes": _dkim(identity),
    }


def _dkim(identity: Identity) -> dict[str, Any]:
    domain = identity.name.rpartition("@")[2]
    return {
        "SigningEnabled": True,
        "Status": identity.status,
        "Tokens": [hashlib.sha256(f"{number} {domain}".encode()).hexdigest()[:32] for number in (1, 2, 3)],
        "SigningHostedZone": "dkim.amazonses.com",
        "SigningAttributesOrigin": "AWS_SES",
        "NextSigningKeyLength": "RSA_2048_BIT",
        "CurrentSigningKeyLength": "RSA_2048_BIT",
    }


def _status(verified: bool) -> str:
    return "SUCCESS" if verified else "PENDING"


def _page(name: str, found: list[dict[str, Any]], paging: dict[str, Any]) -> dict[str, Any]:
    """One page of a list; the token of the next is the number of its first element."""
    try:
        start, size = int(paging.get("NextToken") or 0), int(paging.get("PageSize") or 1000)
    except ValueError:
        raise BadRequest("NextToken or PageSize is invalid.") from None
    if start < 0 or not 1 <= size <= 1000:
        raise BadRequest("NextToken or PageSize is invalid.")
    page: dict[str, Any] = {name: found[start : start + size]}
    if start + size < len(found):
        page["NextToken"] = str(start + size)
    return page


def _error(code: str, message: str, status: int) -> Response:
    return json_response({"message": message}, status, {"x-amzn-ErrorType": code})
