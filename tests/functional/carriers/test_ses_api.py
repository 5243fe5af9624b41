"""The SES carrier speaks SESv2: botocore's own service model is the judge."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator
from tests.functional.carriers.local import SENDER, SET, Local

MODEL: ServiceModel = botocore.session.get_session().get_service_model("sesv2")
SIMPLE = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hi"}}}
RAW = b"From: hello@example.org\r\nTo: ada@example.com\r\nSubject: Raw\r\n\r\nHi\r\n"


def error_of(call: Callable[[], object]) -> tuple[str, int, str]:
    """Code, HTTP status and message of the error that a call ends with."""
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


# Every operation that the carrier claims, with what it is called with.
CALLS: Mapping[str, dict[str, Any]] = {
    "SendEmail": {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": ["ada@example.com"]},
        "Content": {"Simple": SIMPLE},
    },
    "GetAccount": {},
    "PutAccountSuppressionAttributes": {"SuppressedReasons": ["BOUNCE"]},
    "CreateEmailIdentity": {"EmailIdentity": "new.example.org"},
    "GetEmailIdentity": {"EmailIdentity": "known.example.org"},
    "PutEmailIdentityMailFromAttributes": {
        "EmailIdentity": "known.example.org",
        "MailFromDomain": "mail.known.example.org",
        "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
    },
    "DeleteEmailIdentity": {"EmailIdentity": "known.example.org"},
    "ListEmailIdentities": {"PageSize": 1},
    "PutSuppressedDestination": {"EmailAddress": "gone@example.com", "Reason": "BOUNCE"},
    "GetSuppressedDestination": {"EmailAddress": "old@example.com"},
    "ListSuppressedDestinations": {"Reasons": ["COMPLAINT"], "PageSize": 1},
    "DeleteSuppressedDestination": {"EmailAddress": "old@example.com"},
}


def unknown_fields(value: object, shape: Shape, path: str = "") -> list[str]:
    """Fields of a JSON answer that the service model does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        strange = [f"{path}.{name}" for name in value if name not in shape.members]
        return strange + [
            field
            for name, member in shape.members.items()
            if name in value
            for field in unknown_fields(value[name], member, f"{path}.{name}")
        ]
    if shape.type_name == "list" and isinstance(value, list):
        return [field for one in value for field in unknown_fields(one, shape.member, f"{path}[]")]
    return []


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_stands_where_the_model_says_and_answers_its_shape(local: Local, name: str) -> None:
    local.ses.put_suppressed_destination(EmailAddress="old@example.com", Reason="COMPLAINT")
    local.ses.create_email_identity(EmailIdentity="known.example.org")
    claimed: Any = local.carriers.ses_app
    assert set(claimed.operations) == set(CALLS)
    method, path, _ = claimed.operations[name]
    model = MODEL.operation_model(name)
    assert method == model.http["method"]
    assert path.split("{")[0] == model.http["requestUri"].split("{")[0]

    raw: list[bytes] = []
    client = local.ses
    client.meta.events.register("before-parse.*", lambda response_dict, **_: raw.append(response_dict["body"]))
    answer = getattr(client, botocore.xform_name(name))(**CALLS[name])
    assert unknown_fields(json.loads(raw[-1]), model.output_shape) == []
    del answer["ResponseMetadata"]
    report = ParamValidator().validate(answer, model.output_shape)
    assert not report.has_errors(), report.generate_report()


def test_an_operation_that_is_not_there_says_which_are(local: Local) -> None:
    code, status, message = error_of(lambda: local.ses.create_email_template(TemplateName="t", TemplateContent={}))
    assert (code, status) == ("UnknownOperationException", 404)
    assert "POST /v2/email/templates" in message
    assert "SendEmail" in message


def test_the_account_counts_what_was_sent(local: Local) -> None:
    local.send()
    account = local.ses.get_account()
    assert account["SendQuota"]["SentLast24Hours"] == 1
    assert account["SuppressionAttributes"]["SuppressedReasons"] == ["BOUNCE", "COMPLAINT"]
    assert account["ProductionAccessEnabled"]


def test_identities_are_verified_unless_listed_otherwise(local: Local) -> None:
    created = local.ses.create_email_identity(EmailIdentity="Acme.example")
    assert (created["IdentityType"], created["VerifiedForSendingStatus"]) == ("DOMAIN", True)
    assert len(set(created["DkimAttributes"]["Tokens"])) == 3
    again = lambda: local.ses.create_email_identity(EmailIdentity="acme.example")  # noqa: E731
    assert error_of(again)[:2] == ("AlreadyExistsException", 400)

    local.call("PUT", "/outbox/api/identities/example.org", {"verified": False})
    assert local.ses.get_email_identity(EmailIdentity="example.org")["VerificationStatus"] == "PENDING"
    code, status, message = error_of(local.send)
    assert (code, status) == ("MessageRejected", 400)
    assert "Email address is not verified" in message
    assert "hello@example.org" in message
    local.call("PUT", "/outbox/api/identities/hello@example.org", {"verified": True})
    assert local.send()


@pytest.mark.parametrize(
    ("status", "verified"), [("success", True), ("pending", False), ("failed", False), ("temporary_failure", False)]
)
def test_an_identity_can_be_listed_by_each_status_of_ses(local: Local, status: str, verified: bool) -> None:
    local.ses.create_email_identity(EmailIdentity="acme.example")
    local.ses.put_email_identity_mail_from_attributes(EmailIdentity="acme.example", MailFromDomain="m.acme.example")
    answer = local.call("PUT", "/outbox/api/identities/acme.example", {"status": status})
    assert json.loads(answer.body) == {"identity": "acme.example", "verified": verified, "status": status}
    found = local.ses.get_email_identity(EmailIdentity="acme.example")
    assert found["VerifiedForSendingStatus"] is verified
    statuses = (
        found["VerificationStatus"],
        found["DkimAttributes"]["Status"],
        found["MailFromAttributes"]["MailFromDomainStatus"],
    )
    assert statuses == (status.upper(),) * 3


def test_what_was_listed_before_it_was_created_stays_so(local: Local) -> None:
    local.call("PUT", "/outbox/api/identities/acme.example", {"status": "failed"})
    created = local.ses.create_email_identity(EmailIdentity="acme.example")
    assert (created["VerifiedForSendingStatus"], created["DkimAttributes"]["Status"]) == (False, "FAILED")


def test_an_identity_that_is_not_there_can_be_neither_read_nor_changed_nor_deleted(local: Local) -> None:
    local.ses.create_email_identity(EmailIdentity="acme.example")
    local.ses.delete_email_identity(EmailIdentity="ACME.example")
    for operation in (local.ses.get_email_identity, local.ses.delete_email_identity):
        assert error_of(lambda call=operation: call(EmailIdentity="acme.example"))[:2] == ("NotFoundException", 404)
    change = local.ses.put_email_identity_mail_from_attributes
    changed = lambda: change(EmailIdentity="acme.example", MailFromDomain="mail.acme.example")  # noqa: E731
    assert error_of(changed)[0] == "NotFoundException"


def test_mail_from_is_a_subdomain_of_the_identity(local: Local) -> None:
    local.ses.create_email_identity(EmailIdentity="acme.example")
    change = local.ses.put_email_identity_mail_from_attributes
    elsewhere = lambda: change(EmailIdentity="acme.example", MailFromDomain="mail.other.example")  # noqa: E731
    assert error_of(elsewhere)[0] == "BadRequestException"
    change(EmailIdentity="acme.example", MailFromDomain="mail.acme.example")
    found = local.ses.get_email_identity(EmailIdentity="acme.example")
    assert found["MailFromAttributes"]["MailFromDomain"] == "mail.acme.example"


def test_a_subdomain_inherits_from_the_nearest_identity_above(local: Local) -> None:
    local.call("PUT", "/outbox/api/identities/example.org", {"verified": False})
    send = lambda: local.send(FromEmailAddress="hello@news.example.org")  # noqa: E731
    assert error_of(send)[0] == "MessageRejected"
    local.call("PUT", "/outbox/api/identities/news.example.org", {"verified": True})
    assert send()


def test_identities_are_listed_page_by_page(local: Local) -> None:
    for name in ("c.example", "a.example", "b@example.com"):
        local.ses.create_email_identity(EmailIdentity=name)
    first = local.ses.list_email_identities(PageSize=2)
    rest = local.ses.list_email_identities(PageSize=2, NextToken=first["NextToken"])
    found = [one["IdentityName"] for one in (*first["EmailIdentities"], *rest["EmailIdentities"])]
    assert found == ["a.example", "b@example.com", "c.example"]
    assert "NextToken" not in rest
    assert error_of(lambda: local.ses.list_email_identities(NextToken="nonsense"))[0] == "BadRequestException"


def test_the_suppression_list_is_kept(local: Local) -> None:
    local.ses.put_suppressed_destination(EmailAddress="Ada@Example.com", Reason="BOUNCE")
    local.ses.put_suppressed_destination(EmailAddress="bob@example.com", Reason="COMPLAINT")
    about = local.ses.get_suppressed_destination(EmailAddress="ada@example.com")["SuppressedDestination"]
    assert about["Reason"] == "BOUNCE"
    assert abs(about["LastUpdateTime"] - datetime.now(UTC)) < timedelta(minutes=1)
    listed = local.ses.list_suppressed_destinations(Reasons=["COMPLAINT"])["SuppressedDestinationSummaries"]
    assert [one["EmailAddress"] for one in listed] == ["bob@example.com"]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert local.ses.list_suppressed_destinations(StartDate=tomorrow)["SuppressedDestinationSummaries"] == []
    assert len(local.ses.list_suppressed_destinations(EndDate=tomorrow)["SuppressedDestinationSummaries"]) == 2
    local.ses.delete_suppressed_destination(EmailAddress="ADA@example.com")
    for operation in (local.ses.get_suppressed_destination, local.ses.delete_suppressed_destination):
        assert error_of(lambda call=operation: call(EmailAddress="ada@example.com"))[:2] == ("NotFoundException", 404)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ConfigurationSetName": "nobody"}, "NotFoundException"),
        ({"ListManagementOptions": {"ContactListName": "all"}}, "NotFoundException"),
        ({"Destination": {}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": [f"a{n}@example.com" for n in range(51)]}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": ["not an address"]}}, "BadRequestException"),
        ({"FromEmailAddress": None}, "BadRequestException"),
        ({"ReplyToAddresses": ["nobody"]}, "BadRequestException"),
        ({"EmailTags": [{"Name": "a b", "Value": "x"}]}, "BadRequestException"),
        ({"Content": {"Template": {"TemplateName": "t", "TemplateData": "{}"}}}, "BadRequestException"),
        ({"Content": {"Simple": SIMPLE, "Raw": {"Data": RAW}}}, "BadRequestException"),
        ({"Content": {}}, "BadRequestException"),
        ({"Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {}}}}, "BadRequestException"),
        ({"Content": {"Simple": SIMPLE | {"Subject": {"Data": "a\nb"}}}}, "BadRequestException"),
        ({"Content": {"Simple": SIMPLE | {"Headers": [{"Name": "X-A", "Value": "ż"}]}}}, "BadRequestException"),
        (
            {"Content": {"Simple": SIMPLE | {"Attachments": [{"FileName": "a.exe", "RawContent": b"x"}]}}},
            "BadRequestException",
        ),
        ({"Content": {"Raw": {"Data": b"no header at all"}}}, "BadRequestException"),
    ],
)
def test_a_call_that_ses_refuses_is_refused_and_keeps_nothing(local: Local, changes: dict[str, Any], code: str) -> None:
    call = {**CALLS["SendEmail"], "ConfigurationSetName": SET, **changes}
    sent = {key: value for key, value in call.items() if value is not None}
    assert error_of(lambda: local.ses.send_email(**sent))[0] == code
    assert local.get("/outbox/api/mails").json == []
    assert local.events() == []


def test_a_body_that_is_no_json_is_a_bad_request(local: Local) -> None:
    request = Request(f"{local.ses_url}/v2/email/outbound-emails", b"{", method="POST")
    with pytest.raises(HTTPError) as raised:
        urlopen(request)
    assert raised.value.code == 400
    assert raised.value.headers["x-amzn-ErrorType"] == "BadRequestException"
