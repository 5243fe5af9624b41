"""The SMS carrier speaks End User Messaging SMS v2, and the outbox shows and answers."""

import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from tests.functional.carriers.local import INBOUND_TOPIC, SMS_TOPIC, Local

MODEL: ServiceModel = botocore.session.get_session().get_service_model("pinpoint-sms-voice-v2")
PHONE = "+48600100200"


def send(local: Local, body: str = "Hi", **more: Any) -> str:
    call = {"DestinationPhoneNumber": PHONE, "MessageBody": body, "ConfigurationSetName": "texts", **more}
    answer = local.sms.send_text_message(**{key: value for key, value in call.items() if value is not None})
    return str(answer["MessageId"])


def heard(local: Local, topic: str) -> list[dict[str, Any]]:
    assert local.carriers.drain()
    return [one.event for one in local.published if one.topic == topic]


def error_of(call: Callable[[], object]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    response: dict[str, Any] = raised.value.response
    return response


POLISH = "+48455500100"
FORM = {"RegistrationType": "SG_SENDER_ID_REGISTRATION"}
FIRST_FORM = "registration-00000000000000000000000000000001"


def a_form(local: Local) -> str:
    """A registration in Singapore that asks for a name, not submitted yet."""
    made: str = local.sms.create_registration(**FORM)["RegistrationId"]
    local.sms.put_registration_field_value(RegistrationId=made, FieldPath="senderIdInfo.senderId", TextValue="ACME")
    return made


def nothing(local: Local) -> None:
    """An operation that needs nothing to be there."""


def a_denied_form(local: Local) -> None:
    made = a_form(local)
    local.sms.submit_registration_version(RegistrationId=made)
    local.post(f"/outbox/api/registrations/{made}", {"status": "denied"})


def somebody_stopped(local: Local) -> None:
    local.sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber=PHONE)


OF_FORM = {"RegistrationId": FIRST_FORM}
OF_STOPPED = {"OptOutListName": "Default", "OptedOutNumber": PHONE}
NAME = {"SenderId": "TIDINGS", "IsoCountryCode": "PL"}
OPERATIONS: list[tuple[str, dict[str, Any], Callable[[Local], object]]] = [
    ("SendTextMessage", {"DestinationPhoneNumber": PHONE, "MessageBody": "Hi"}, nothing),
    ("DescribeConfigurationSets", {}, nothing),
    ("DescribePhoneNumbers", {}, nothing),
    ("UpdatePhoneNumber", {"PhoneNumberId": "phone-poland", "SelfManagedOptOutsEnabled": False}, nothing),
    ("DescribePools", {}, nothing),
    ("RequestSenderId", {"SenderId": "ACME", "IsoCountryCode": "PL"}, nothing),
    ("DescribeSenderIds", {"SenderIds": [NAME]}, nothing),
    ("ReleaseSenderId", NAME, nothing),
    ("DescribeOptOutLists", {}, nothing),
    ("PutOptedOutNumber", OF_STOPPED, nothing),
    ("DeleteOptedOutNumber", OF_STOPPED, somebody_stopped),
    ("DescribeOptedOutNumbers", {"OptOutListName": "Default"}, somebody_stopped),
    ("CreateRegistration", FORM, nothing),
    ("PutRegistrationFieldValue", {**OF_FORM, "FieldPath": "companyInfo.companyName", "TextValue": "Acme"}, a_form),
    ("CreateRegistrationAssociation", {**OF_FORM, "ResourceId": "TIDINGS/PL"}, a_form),
    ("SubmitRegistrationVersion", OF_FORM, a_form),
    ("CreateRegistrationVersion", OF_FORM, a_denied_form),
    ("DescribeRegistrations", {}, a_denied_form),
    ("DescribeRegistrationVersions", OF_FORM, a_denied_form),
    ("DeleteRegistration", OF_FORM, a_form),
]


def test_every_operation_is_held_against_the_model(local: Local) -> None:
    claimed: Any = local.carriers.sms_app
    assert set(claimed.operations) == {name for name, _, _ in OPERATIONS}


@pytest.mark.parametrize(("name", "call", "before"), OPERATIONS, ids=[name for name, _, _ in OPERATIONS])
def test_an_operation_answers_its_shape(
    local: Local, name: str, call: dict[str, Any], before: Callable[[Local], object]
) -> None:
    before(local)
    raw: list[bytes] = []
    local.sms.meta.events.register("before-parse.*", lambda response_dict, **_: raw.append(response_dict["body"]))
    answer = getattr(local.sms, botocore.xform_name(name))(**call)
    del answer["ResponseMetadata"]
    shape = MODEL.operation_model(name).output_shape
    assert_known(json.loads(raw[-1]), shape)
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()


def assert_known(value: Any, shape: Any) -> None:
    """Nothing in an answer that the service could not have given, at any depth."""
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members)
        for member, inner in value.items():
            assert_known(inner, shape.members[member])
    elif shape.type_name == "list":
        for inner in value:
            assert_known(inner, shape.member)
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum


def test_a_delivery_is_told_field_by_field(local: Local) -> None:
    sent = send(local, "Zażółć", Context={"send_id": "s-43"}, MessageType="PROMOTIONAL", OriginationIdentity="TIDINGS")
    pending, delivered = heard(local, SMS_TOPIC)
    assert (pending["eventType"], pending["isFinal"]) == ("TEXT_PENDING", False)
    assert set(delivered) == {
        "eventType", "eventVersion", "eventTimestamp", "isFinal", "originationPhoneNumber", "destinationPhoneNumber",
        "isInternationalSend", "mcc", "mnc", "messageId", "messageRequestTimestamp", "messageEncoding", "messageType",
        "messageStatus", "messageStatusDescription", "context", "totalMessageParts", "totalMessagePrice",
        "totalCarrierFee", "isoCountryCode", "carrierName",
    }  # fmt: skip
    assert delivered["messageId"] == sent
    assert (delivered["eventType"], delivered["eventVersion"], delivered["isFinal"]) == ("TEXT_DELIVERED", "1.0", True)
    assert (delivered["originationPhoneNumber"], delivered["destinationPhoneNumber"]) == ("TIDINGS", PHONE)
    assert (delivered["messageEncoding"], delivered["messageType"]) == ("Unicode", "PROMOTIONAL")
    assert delivered["context"] == {"send_id": "s-43"}
    assert delivered["totalMessageParts"] == 1
    assert delivered["eventTimestamp"] >= delivered["messageRequestTimestamp"] > 1_600_000_000_000


def test_a_number_of_the_simulator_that_fails_is_unreachable(local: Local) -> None:
    send(local, DestinationPhoneNumber="+33755512502")
    assert [event["eventType"] for event in heard(local, SMS_TOPIC)] == ["TEXT_PENDING", "TEXT_UNREACHABLE"]


def test_without_a_configuration_set_nothing_is_told(local: Local) -> None:
    sent = send(local, ConfigurationSetName=None)
    assert heard(local, SMS_TOPIC) == []
    assert local.get(f"/outbox/api/sms/{sent}").json["status"] == "DELIVERED"


def test_a_dry_run_sends_nothing(local: Local) -> None:
    assert send(local, DryRun=True)
    assert local.get("/outbox/api/sms").json == []


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"DestinationPhoneNumber": "nobody"}, "ValidationException", "DestinationPhoneNumber"),
        ({"MessageBody": "  "}, "ValidationException", "MessageBody"),
        ({"MessageBody": "a" * 1601}, "ValidationException", "MessageBody"),
        ({"MessageBody": "ą" * 631}, "ValidationException", "MessageBody"),
        ({"MessageType": "LOUD"}, "ValidationException", "MessageType"),
        ({"TimeToLive": 259_201}, "ValidationException", "TimeToLive"),
        ({"Context": {str(n): "x" for n in range(6)}}, "ValidationException", "Context"),
        ({"ConfigurationSetName": "nobody"}, "ResourceNotFoundException", "nobody"),
        ({"OriginationIdentity": "-bad-"}, "ResourceNotFoundException", "-bad-"),
        ({"OriginationIdentity": "1234567890ABC"}, "ResourceNotFoundException", "1234567890ABC"),
    ],
)
def test_a_message_that_aws_refuses_is_refused(local: Local, changes: dict[str, Any], code: str, detail: str) -> None:
    answer = error_of(lambda: send(local, **changes))
    assert answer["Error"]["Code"] == code
    assert detail in answer["Error"]["Message"]
    assert local.get("/outbox/api/sms").json == []


def test_a_refusal_names_the_field(local: Local) -> None:
    answer = error_of(lambda: send(local, MessageBody=" "))
    assert answer["Reason"] == "FIELD_VALIDATION_FAILED"
    assert [field["Name"] for field in answer["Fields"]] == ["MessageBody"]


def test_an_operation_that_is_not_there_says_which_are(local: Local) -> None:
    answer = error_of(local.sms.describe_spend_limits)
    assert (answer["Error"]["Code"], answer["Reason"]) == ("ValidationException", "UNKNOWN_OPERATION")
    assert "SendTextMessage" in answer["Error"]["Message"]


def test_the_number_says_where_answers_go(local: Local) -> None:
    number, *_ = local.sms.describe_phone_numbers()["PhoneNumbers"]
    assert (number["TwoWayEnabled"], number["TwoWayChannelArn"]) == (True, INBOUND_TOPIC)
    send(local, OriginationIdentity=number["PhoneNumberArn"])
    assert local.get("/outbox/api/sms").json[0]["from"] == number["PhoneNumber"]
    wrong = error_of(lambda: local.sms.describe_phone_numbers(PhoneNumberIds=["phone-other"]))
    assert wrong["Error"]["Code"] == "ResourceNotFoundException"


def test_an_answer_is_told_as_a_two_way_message(local: Local) -> None:
    sent = send(local, "Reply TAK", Keyword="KEYWORD_1")
    answer = local.post(f"/outbox/api/sms/{sent}/reply", {"body": "TAK"})
    assert answer.status == 201
    (event,) = heard(local, INBOUND_TOPIC)
    assert event == {
        "originationNumber": PHONE,
        "destinationNumber": "+12065550100",
        "messageKeyword": "KEYWORD_1",
        "messageBody": "TAK",
        "inboundMessageId": answer.json["id"],
        "previousPublishedMessageId": sent,
    }
    assert [one["direction"] for one in local.get(f"/outbox/api/sms?person=%2B{PHONE[1:]}").json] == ["out", "in"]


def test_nobody_answers_a_sender_id(local: Local) -> None:
    sent = send(local, OriginationIdentity="TIDINGS")
    assert local.post(f"/outbox/api/sms/{sent}/reply", {"body": "TAK"}).json["code"] == "one_way"
    assert local.post(f"/outbox/api/sms/{sent}/reply", {"body": " "}).json["code"] == "empty_reply"
    assert local.post("/outbox/api/sms/nobody/reply", {"body": "TAK"}).status == 404


def test_the_pages_show_a_conversation_and_take_an_answer(local: Local) -> None:
    sent = send(local, "<b>Hello</b> 👍")
    assert PHONE in local.get("/outbox/sms").text
    thread = f"/outbox/sms/{PHONE}/+12065550100"
    page = local.get(thread).text
    assert "&lt;b&gt;Hello&lt;/b&gt; 👍" in page
    assert "1 part · Unicode" in page
    answer = local.call("POST", f"/outbox/sms/{sent}/reply", b"body=TAK+dzi%C4%99ki")
    assert (answer.status, answer.headers["location"]) == (303, "/outbox/sms/%2B48600100200/%2B12065550100")
    assert "TAK dzięki" in local.get(thread).text
    assert local.get("/outbox/sms/+1/+2").status == 404


def test_text_messages_can_be_thrown_away(local: Local) -> None:
    send(local)
    assert local.call("DELETE", "/outbox/api/sms").json == {"deleted": 1}
    assert local.get("/outbox/api/sms").json == []
