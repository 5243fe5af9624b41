"""SES: what is asked of it, and what each of its answers means."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as faults
from botocore.exceptions import ClientError

from tidings.consent.model import Kind
from tidings.email.gateway import SesGateway
from tidings.email.model import Mail
from tidings.messages.orders import Accepted, NoAnswer, Refused

SETS = {Kind.MARKETING: "news", Kind.TRANSACTIONAL: "receipts"}
MAIL = Mail(
    sender="Acme <hello@acme.example>",
    recipient="ada@people.example",
    subject="Tips",
    text="Hello",
    html="<p>Hello</p>",
    tags={"tidings_workspace": "acme", "tidings_message": "c1-m1"},
)


class Ses:
    """An SES client that answers as it is told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def send_email(self, **arguments: Any) -> Any:
        self.asked.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def refusal(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "SendEmail")


def test_one_mail_goes_to_one_recipient_with_our_tags_and_configuration_set() -> None:
    ses = Ses({"MessageId": "0100-a"})
    assert SesGateway(SETS, ses).send(MAIL) == Accepted("0100-a")
    assert ses.asked == [
        {
            "FromEmailAddress": "Acme <hello@acme.example>",
            "Destination": {"ToAddresses": ["ada@people.example"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": "Tips", "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": "Hello", "Charset": "UTF-8"},
                        "Html": {"Data": "<p>Hello</p>", "Charset": "UTF-8"},
                    },
                }
            },
            "ConfigurationSetName": "receipts",
            "EmailTags": [
                {"Name": "tidings_message", "Value": "c1-m1"},
                {"Name": "tidings_workspace", "Value": "acme"},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (refusal("MessageRejected"), Refused("MessageRejected", again=False)),
        (refusal("MailFromDomainNotVerifiedException"), Refused("MailFromDomainNotVerifiedException", again=False)),
        (refusal("AccountSuspendedException"), Refused("AccountSuspendedException", again=False)),
        (refusal("BadRequestException"), Refused("BadRequestException", again=False)),
        (refusal("NotFoundException", 404), Refused("NotFoundException", again=False)),
        (refusal("TooManyRequestsException", 429), Refused("TooManyRequestsException", again=True)),
        (refusal("LimitExceededException"), Refused("LimitExceededException", again=True)),
        (refusal("SendingPausedException"), Refused("SendingPausedException", again=True)),
        (refusal("ThrottlingException"), Refused("ThrottlingException", again=True)),
        (refusal("Throttling"), Refused("Throttling", again=True)),
        (refusal("AccessDeniedException", 403), Refused("AccessDeniedException", again=True)),
        (refusal("ExpiredTokenException", 403), Refused("ExpiredTokenException", again=True)),
        (refusal("UnrecognizedClientException", 403), Refused("UnrecognizedClientException", again=True)),
        (refusal("InvalidSignatureException", 403), Refused("InvalidSignatureException", again=True)),
        (refusal("RequestTimeout"), Refused("RequestTimeout", again=True)),
        (refusal("RequestTimeoutException", 408), Refused("RequestTimeoutException", again=True)),
        (refusal("", 429), Refused("HTTP 429", again=True)),
        (refusal("InternalFailure", 500), NoAnswer("InternalFailure")),
        (refusal("ServiceUnavailable", 503), NoAnswer("ServiceUnavailable")),
        (refusal("", 502), NoAnswer("HTTP 502")),
        (faults.ReadTimeoutError(endpoint_url="x"), NoAnswer("ReadTimeoutError")),
        (faults.ConnectionClosedError(endpoint_url="x"), NoAnswer("ConnectionClosedError")),
        (faults.HTTPClientError(error="x"), NoAnswer("HTTPClientError")),
        (faults.ConnectTimeoutError(endpoint_url="x"), Refused("ConnectTimeoutError", again=True)),
        (faults.EndpointConnectionError(endpoint_url="x"), Refused("EndpointConnectionError", again=True)),
        (faults.NoCredentialsError(), Refused("NoCredentialsError", again=True)),
        (faults.ParamValidationError(report="x"), Refused("ParamValidationError", again=False)),
    ],
)
def test_each_fault_is_a_refusal_or_no_answer_and_only_what_was_certainly_not_taken_is_a_refusal(
    fault: Exception, answer: object
) -> None:
    assert SesGateway(SETS, Ses(fault)).send(MAIL) == answer


def test_the_client_tries_once() -> None:
    client = SesGateway(SETS)._client
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.connect_timeout <= 5
    assert client.meta.config.read_timeout <= 20


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
