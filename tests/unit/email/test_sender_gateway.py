"""SES's identities and DNS: what is asked, and what each answer means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dns.exception
import dns.message
import dns.rdatatype
import dns.resolver
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.session import get_session
from botocore.stub import Stubber

from tidings.core.errors import Conflict, InvalidInput, Throttled, TidingsError, Unavailable
from tidings.core.settings import Settings
from tidings.email.dns_gateway import DnsTexts, NoTexts, dns_of
from tidings.email.sender_gateway import SesIdentities
from tidings.email.sender_model import Dkim, MailFrom, SenderState

CALLS: dict[str, tuple[Callable[[SesIdentities], Any], dict[str, Any]]] = {
    "create_email_identity": (lambda ses: ses.create("acme.example"), {"EmailIdentity": "acme.example"}),
    "get_email_identity": (lambda ses: ses.show("acme.example"), {"EmailIdentity": "acme.example"}),
    "put_email_identity_mail_from_attributes": (
        lambda ses: ses.set_mail_from("acme.example", "mail.acme.example"),
        {
            "EmailIdentity": "acme.example",
            "MailFromDomain": "mail.acme.example",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        },
    ),
    "delete_email_identity": (lambda ses: ses.delete("acme.example"), {"EmailIdentity": "acme.example"}),
}


@pytest.fixture
def client() -> Any:
    return get_session().create_client(
        "sesv2", "eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )


@pytest.mark.parametrize("operation", CALLS)
def test_every_call_is_one_that_ses_knows(client: Any, operation: str) -> None:
    call, arguments = CALLS[operation]
    with Stubber(client) as stub:
        stub.add_response(operation, {}, arguments)  # botocore's model of SES checks the arguments
        call(SesIdentities(client))
        stub.assert_no_pending_responses()


def test_the_region_is_the_client_s(client: Any) -> None:
    assert SesIdentities(client).region == "eu-central-1"


def test_a_new_identity_is_read_as_ses_describes_it(client: Any) -> None:
    answer = {
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": False,
        "VerificationStatus": "PENDING",
        "DkimAttributes": {"Status": "PENDING", "Tokens": ["a", "b", "c"], "SigningHostedZone": "dkim.example"},
        "MailFromAttributes": {
            "MailFromDomain": "mail.acme.example",
            "MailFromDomainStatus": "TEMPORARY_FAILURE",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        },
    }
    with Stubber(client) as stub:
        stub.add_response("get_email_identity", answer)
        assert SesIdentities(client).show("acme.example") == SenderState(
            verified=False,
            status="pending",
            dkim=Dkim("pending", ("a", "b", "c"), "dkim.example"),
            mail_from=MailFrom("mail.acme.example", "temporary_failure"),
        )


def test_what_ses_leaves_out_counts_as_not_begun(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("get_email_identity", {"VerifiedForSendingStatus": True, "DkimAttributes": {}})
        found = SesIdentities(client).show("acme.example")
    assert found is not None
    assert (found.verified, found.status, found.dkim.status) == (True, "success", "not_started")
    assert found.mail_from.domain == ""


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("create_email_identity", "AlreadyExistsException"),
        ("get_email_identity", "NotFoundException"),
        ("delete_email_identity", "NotFoundException"),
    ],
)
def test_what_is_so_already_is_no_error(client: Any, operation: str, code: str) -> None:
    with Stubber(client) as stub:
        stub.add_client_error(operation, code)
        assert CALLS[operation][0](SesIdentities(client)) is None


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("code", "error", "ours"),
    [
        ("TooManyRequestsException", Throttled, "ses_throttled"),
        ("ThrottlingException", Throttled, "ses_throttled"),
        ("BadRequestException", InvalidInput, "ses_refused"),
        ("LimitExceededException", Conflict, "ses_identities_full"),
        ("ConcurrentModificationException", Unavailable, "ses_failed"),
        ("AccessDeniedException", Unavailable, "ses_failed"),
    ],
)
def test_what_ses_refuses_is_one_of_our_errors(
    client: Any, operation: str, code: str, error: type[TidingsError], ours: str
) -> None:
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, "No.")
        with pytest.raises(error) as refused:
            CALLS[operation][0](SesIdentities(client))
    assert refused.value.code == ours


def test_ses_that_cannot_be_reached_is_worth_a_repeat() -> None:
    class Silent:
        def get_email_identity(self, **arguments: Any) -> Any:
            raise ConnectTimeoutError(endpoint_url="https://email")

    with pytest.raises(Unavailable, match="ConnectTimeoutError"):
        SesIdentities(Silent()).show("acme.example")


# --- DNS -------------------------------------------------------------------------------------------------------------


def resolved(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Let the resolver answer, or raise, this; what it is asked."""
    asked: list[tuple[str, str, dict[str, Any]]] = []

    class Resolver:
        def resolve(self, name: str, kind: str, **more: Any) -> Any:
            asked.append((name, kind, more))
            if isinstance(answer, BaseException):
                raise answer
            return answer

    monkeypatch.setattr(dns.resolver, "Resolver", Resolver)
    return asked


def test_a_text_in_pieces_is_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['_dmarc.acme.example. 60 IN TXT "v=DMARC1; " "p=none"', '_dmarc.acme.example. 60 IN TXT "hello"']
    message = dns.message.from_text("id 1\nopcode QUERY\nflags QR\n;ANSWER\n" + "\n".join(lines))
    asked = resolved(monkeypatch, list(message.answer[0]))
    assert DnsTexts().texts("_dmarc.acme.example") == ["v=DMARC1; p=none", "hello"]
    (one,) = asked
    assert one[:2] == ("_dmarc.acme.example.", "TXT")  # with the dot: no domain of this machine is put behind it
    assert one[2] == {"lifetime": 1.5, "search": False}


@pytest.mark.parametrize("nothing", [dns.resolver.NXDOMAIN(), dns.resolver.NoAnswer(response=dns.message.Message())])
def test_a_name_without_texts_has_none(monkeypatch: pytest.MonkeyPatch, nothing: Exception) -> None:
    resolved(monkeypatch, nothing)
    assert DnsTexts().texts("_dmarc.acme.example") == []


@pytest.mark.parametrize(
    "fault", [dns.exception.Timeout(), dns.resolver.NoNameservers(), dns.resolver.NoResolverConfiguration(), OSError()]
)
def test_a_resolver_that_does_not_answer_is_no_error(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    resolved(monkeypatch, fault)
    assert DnsTexts().texts("_dmarc.acme.example") is None


def test_the_local_system_asks_nobody() -> None:
    off = dns_of(Settings({"DNS_LOOKUPS": "off"}))
    assert isinstance(off, NoTexts)
    assert off.texts("_dmarc.acme.example") is None
    assert isinstance(dns_of(Settings()), DnsTexts)
