"""End User Messaging: what is asked of it, held against its own model, and what each of its answers means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore import exceptions as faults
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.texts import require_taken, service

from tidings.consent.model import Kind
from tidings.messages.orders import Accepted, NoAnswer, Refused
from tidings.sms.gateway import SmsVoiceGateway
from tidings.sms.model import Outgoing

TEXT = Outgoing(
    recipient="+48600100200",
    origin="ACME",
    body="Hello",
    kind=Kind.TRANSACTIONAL,
    context={"tidings_message": "c1-m1", "tidings_workspace": "acme"},
)


class Service:
    """A client that looks at every request as the service does, and answers as it is told."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer or {"MessageId": "sms-1"}
        self.asked: list[dict[str, Any]] = []

    def send_text_message(self, **arguments: Any) -> Any:
        require_taken(service().operation_model("SendTextMessage"), arguments)
        self.asked.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def asked(text: Outgoing) -> dict[str, Any]:
    client = Service()
    assert SmsVoiceGateway("texts", client).send(text) == Accepted("sms-1")
    return client.asked[0]


def refusal(code: str, status: int = 400, reason: str = "") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({**response, **({"Reason": reason} if reason else {})}, "SendTextMessage")


def test_a_text_goes_to_one_number_with_our_ids_and_configuration_set() -> None:
    assert asked(TEXT) == {
        "DestinationPhoneNumber": "+48600100200",
        "OriginationIdentity": "ACME",
        "MessageBody": "Hello",
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "texts",
        "Context": {"tidings_message": "c1-m1", "tidings_workspace": "acme"},
    }


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"kind": Kind.MARKETING}, {"MessageType": "PROMOTIONAL"}),
        ({"max_price": "0.05"}, {"MaxPrice": "0.05"}),
        ({"max_price": "1"}, {"MaxPrice": "1.0"}),
        ({"lifetime": 300}, {"TimeToLive": 300}),
        ({"dry_run": True}, {"DryRun": True}),
        ({"origin": "+48732100200"}, {"OriginationIdentity": "+48732100200"}),
        (
            {"country_parameters": {"IN_ENTITY_ID": "1", "IN_TEMPLATE_ID": "2"}},
            {"DestinationCountryParameters": {"IN_ENTITY_ID": "1", "IN_TEMPLATE_ID": "2"}},
        ),
    ],
)
def test_what_an_order_says_more_is_told(fields: dict[str, Any], more: dict[str, Any]) -> None:
    assert asked(replace(TEXT, **fields)) == asked(TEXT) | more


@given(
    st.builds(
        Outgoing,
        recipient=st.just("+48600100200"),
        origin=st.sampled_from(["ACME", "+48732100200", "pool-0123456789abcdef"]),
        body=st.text(min_size=1, max_size=1600).filter(lambda text: bool(text.strip())),
        kind=st.sampled_from(Kind),
        context=st.just(TEXT.context),
        max_price=st.sampled_from(["", "0.05", "12.00001", "3"]),
        lifetime=st.sampled_from([0, 5, 259_200]),
        dry_run=st.booleans(),
    )
)
def test_whatever_is_sent_the_service_takes(text: Outgoing) -> None:
    asked(text)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (refusal("ValidationException"), Refused("ValidationException", again=False)),
        (
            refusal("ConflictException", 409, "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            Refused("ConflictException: DESTINATION_PHONE_NUMBER_OPTED_OUT", again=False),
        ),
        (refusal("ResourceNotFoundException", 404), Refused("ResourceNotFoundException", again=False)),
        (refusal("ThrottlingException", 429), Refused("ThrottlingException", again=True)),
        (
            refusal("ServiceQuotaExceededException", 402, "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            Refused("ServiceQuotaExceededException: MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", again=True),
        ),
        (refusal("AccessDeniedException", 403), Refused("AccessDeniedException", again=True)),
        (refusal("RequestTimeoutException", 408), Refused("RequestTimeoutException", again=True)),
        (refusal("", 429), Refused("HTTP 429", again=True)),
        (refusal("InternalServerException", 500), NoAnswer("InternalServerException")),
        (refusal("", 502), NoAnswer("HTTP 502")),
        (faults.ReadTimeoutError(endpoint_url="x"), NoAnswer("ReadTimeoutError")),
        (faults.ConnectionClosedError(endpoint_url="x"), NoAnswer("ConnectionClosedError")),
        (faults.ConnectTimeoutError(endpoint_url="x"), Refused("ConnectTimeoutError", again=True)),
        (faults.EndpointConnectionError(endpoint_url="x"), Refused("EndpointConnectionError", again=True)),
        (faults.NoCredentialsError(), Refused("NoCredentialsError", again=True)),
        (faults.ParamValidationError(report="x"), Refused("ParamValidationError", again=False)),
    ],
)
def test_each_fault_is_a_refusal_or_no_answer_and_only_what_was_certainly_not_taken_is_a_refusal(
    fault: Exception, answer: object
) -> None:
    assert SmsVoiceGateway("texts", Service(fault)).send(TEXT) == answer


def test_the_client_tries_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = SmsVoiceGateway("texts")._client.meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.connect_timeout <= 5
    assert config.read_timeout <= 20
