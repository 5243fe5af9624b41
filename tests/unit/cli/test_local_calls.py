"""Which permissions an AWS request needs, read from real requests: botocore makes them, nothing is sent."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tidings_cli.local.calls import calls_in, function_of, service_of
from tidings_cli.local.exchange import Request

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/Events"
OTHER = "arn:aws:dynamodb:us-east-1:000000000000:table/Steps"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:tidings_x"
QUEUE = "http://127.0.0.1:4566/000000000000/starts"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:starts"
TOPIC = "arn:aws:sns:us-east-1:000000000000:feedback"
KEY = {"pk": {"S": "a"}}


class NotSent(Exception):
    """Carries a request that was ready to be sent."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__()
        self.request = request


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "TrackFunction")


def request_of(service: str, operation: str, **arguments: Any) -> Request:
    """The request that a function's client would send."""
    client = boto3.client(service, region_name="us-east-1", endpoint_url="http://127.0.0.1:1")

    def keep(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        raise NotSent(request)

    client.meta.events.register("before-send", keep)
    call: Callable[..., Any] = getattr(client, operation)
    with pytest.raises(NotSent) as caught:
        call(**arguments)
    sent = caught.value.request
    parts = urlsplit(sent.url)
    body = sent.body or b""
    headers = [
        (name.lower(), value.decode() if isinstance(value, bytes) else str(value))
        for name, value in sent.headers.items()
    ]
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Request(sent.method, target, headers, body.encode() if isinstance(body, str) else body)


def permissions(service: str, operation: str, **arguments: Any) -> list[tuple[str, str]]:
    return [(call.action, call.resource) for call in calls_in(request_of(service, operation, **arguments))]


def test_a_request_says_which_function_sent_it_and_to_which_service() -> None:
    request = request_of("dynamodb", "get_item", TableName="Events", Key=KEY)
    assert function_of(request) == "TrackFunction"
    assert service_of(request) == "dynamodb"


def test_a_request_that_is_not_signed_names_nobody() -> None:
    request = Request("GET", "/x", [], b"")
    assert (function_of(request), service_of(request)) == ("", "")
    assert [call.action for call in calls_in(request)] == ["unsigned:GET /x"]


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        ("put_item", {"TableName": "Events", "Item": KEY}, [("dynamodb:PutItem", TABLE)]),
        ("put_item", {"TableName": TABLE, "Item": KEY}, [("dynamodb:PutItem", TABLE)]),
        (
            "query",
            {"TableName": "Events", "IndexName": "received", "KeyConditionExpression": "pk = :a"},
            [("dynamodb:Query", f"{TABLE}/index/received")],
        ),
        ("query", {"TableName": "Events", "KeyConditionExpression": "pk = :a"}, [("dynamodb:Query", TABLE)]),
        (
            "batch_get_item",
            {"RequestItems": {"Events": {"Keys": [KEY]}, "Steps": {"Keys": [KEY]}}},
            [("dynamodb:BatchGetItem", TABLE), ("dynamodb:BatchGetItem", OTHER)],
        ),
        (
            "transact_write_items",
            {
                "TransactItems": [
                    {"Put": {"TableName": "Events", "Item": KEY}},
                    {"Put": {"TableName": "Events", "Item": KEY}},
                    {"Update": {"TableName": "Steps", "Key": KEY, "UpdateExpression": "SET a = :a"}},
                    {"Delete": {"TableName": "Steps", "Key": KEY}},
                    {"ConditionCheck": {"TableName": "Steps", "Key": KEY, "ConditionExpression": "a = :a"}},
                ]
            },
            [
                ("dynamodb:PutItem", TABLE),
                ("dynamodb:UpdateItem", OTHER),
                ("dynamodb:DeleteItem", OTHER),
                ("dynamodb:ConditionCheckItem", OTHER),
            ],
        ),
        (
            "batch_execute_statement",
            {
                "Statements": [
                    {"Statement": "INSERT INTO \"Events\" VALUE {'pk': ?}"},
                    {"Statement": "INSERT INTO Events value {'pk': ?}"},
                    {"Statement": 'UPDATE "Steps" SET a = 1 WHERE pk = ?'},
                    {"Statement": 'DELETE FROM "Steps" WHERE pk = ?'},
                    {"Statement": 'SELECT pk, a\nFROM "Events"."received" WHERE pk = ?'},
                ]
            },
            [
                ("dynamodb:PartiQLInsert", TABLE),
                ("dynamodb:PartiQLUpdate", OTHER),
                ("dynamodb:PartiQLDelete", OTHER),
                ("dynamodb:PartiQLSelect", f"{TABLE}/index/received"),
            ],
        ),
        ("execute_statement", {"Statement": 'SELECT * FROM "Events"'}, [("dynamodb:PartiQLSelect", TABLE)]),
        ("list_tables", {}, [("dynamodb:ListTables", "*")]),
    ],
)
def test_dynamodb(operation: str, arguments: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert permissions("dynamodb", operation, **arguments) == expected


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"),
    [
        ("stepfunctions", "start_execution", {"stateMachineArn": MACHINE}, [("states:StartExecution", MACHINE)]),
        (
            "stepfunctions",
            "create_state_machine",
            {
                "name": "tidings_x",
                "definition": "{}",
                "roleArn": "arn:aws:iam::000000000000:role/machines",
                "tags": [{"key": "a", "value": "b"}],
            },
            [
                ("states:CreateStateMachine", MACHINE),
                ("iam:PassRole", "arn:aws:iam::000000000000:role/machines"),
                ("states:TagResource", MACHINE),
            ],
        ),
        (
            "stepfunctions",
            "describe_execution",
            {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:tidings_x:e"},
            [("states:DescribeExecution", "arn:aws:states:us-east-1:000000000000:execution:tidings_x:e")],
        ),
        ("stepfunctions", "send_task_success", {"taskToken": "t", "output": "{}"}, [("states:SendTaskSuccess", "*")]),
        ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "b"}, [("sqs:SendMessage", QUEUE_ARN)]),
        (
            "sqs",
            "send_message_batch",
            {"QueueUrl": QUEUE, "Entries": [{"Id": "1", "MessageBody": "b"}]},
            [("sqs:SendMessage", QUEUE_ARN)],
        ),
        ("sns", "publish", {"TopicArn": TOPIC, "Message": "m"}, [("sns:Publish", TOPIC)]),
        (
            "lambda",
            "invoke",
            {"FunctionName": "tidings-React"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:tidings-React")],
        ),
    ],
)
def test_other_services(
    service: str, operation: str, arguments: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert permissions(service, operation, **arguments) == expected


@pytest.mark.parametrize(
    ("content", "action"),
    [
        ({"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}, "ses:SendEmail"),
        ({"Raw": {"Data": b"m"}}, "ses:SendRawEmail"),
    ],
)
def test_sending_a_mail_needs_the_senders_identity_and_the_configuration_set(
    content: dict[str, Any], action: str
) -> None:
    found = permissions(
        "sesv2",
        "send_email",
        FromEmailAddress="Ada <ada@mail.example.org>",
        Destination={"ToAddresses": ["b@example.com"]},
        ConfigurationSetName="cs",
        Content=content,
    )
    assert found == [
        (action, "arn:aws:ses:us-east-1:000000000000:identity/mail.example.org"),
        (action, "arn:aws:ses:us-east-1:000000000000:configuration-set/cs"),
    ]


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("create_email_identity", "ses:CreateEmailIdentity"),
        ("get_email_identity", "ses:GetEmailIdentity"),
        ("delete_email_identity", "ses:DeleteEmailIdentity"),
        ("put_email_identity_mail_from_attributes", "ses:PutEmailIdentityMailFromAttributes"),
    ],
)
@pytest.mark.parametrize("identity", ["example.org", "ada@example.org"])
def test_what_is_done_with_an_identity_needs_that_identity(operation: str, action: str, identity: str) -> None:
    found = permissions("sesv2", operation, EmailIdentity=identity)
    assert found == [(action, f"arn:aws:ses:us-east-1:000000000000:identity/{identity}")]


@pytest.mark.parametrize(
    ("operation", "arguments", "action"),
    [
        ("list_suppressed_destinations", {"Reasons": ["BOUNCE"]}, "ses:ListSuppressedDestinations"),
        ("get_suppressed_destination", {"EmailAddress": "a@example.org"}, "ses:GetSuppressedDestination"),
        ("delete_suppressed_destination", {"EmailAddress": "a@example.org"}, "ses:DeleteSuppressedDestination"),
    ],
)
def test_the_accounts_suppression_list_is_no_resource(operation: str, arguments: dict[str, Any], action: str) -> None:
    assert permissions("sesv2", operation, **arguments) == [(action, "*")]


SMS = "arn:aws:sms-voice:us-east-1:000000000000:"
TEXT = {"DestinationPhoneNumber": "+48600100200", "MessageBody": "m"}


@pytest.mark.parametrize(
    ("operation", "asked", "needed"),
    [
        ("send_text_message", TEXT, [("SendTextMessage", "phone-number/*")]),
        ("send_text_message", TEXT | {"OriginationIdentity": "+48455500100"},
         [("SendTextMessage", "phone-number/+48455500100")]),
        ("send_text_message", TEXT | {"OriginationIdentity": "pool-1"}, [("SendTextMessage", "pool/pool-1")]),
        ("send_text_message", TEXT | {"OriginationIdentity": "ACME"}, [("SendTextMessage", "sender-id/ACME/*")]),
        ("send_text_message", TEXT | {"OriginationIdentity": "pool-1", "ConfigurationSetName": "texts"},
         [("SendTextMessage", "pool/pool-1"), ("SendTextMessage", "configuration-set/texts")]),
        ("send_text_message", TEXT | {"OriginationIdentity": f"{SMS}sender-id/ACME/PL"},
         [("SendTextMessage", "sender-id/ACME/PL")]),
        ("describe_phone_numbers", {}, [("DescribePhoneNumbers", "phone-number/*")]),
        ("update_phone_number", {"PhoneNumberId": "phone-1"}, [("UpdatePhoneNumber", "phone-number/phone-1")]),
        ("describe_sender_ids", {"SenderIds": [{"SenderId": "ACME", "IsoCountryCode": "PL"}]},
         [("DescribeSenderIds", "sender-id/ACME/PL")]),
        ("put_opted_out_number", {"OptOutListName": "Default", "OptedOutNumber": "+48600100200"},
         [("PutOptedOutNumber", "opt-out-list/Default")]),
        ("describe_registrations", {"RegistrationIds": ["registration-1"]},
         [("DescribeRegistrations", "registration/registration-1")]),
    ],
)  # fmt: skip
def test_what_end_user_messaging_is_asked_for(
    operation: str, asked: dict[str, Any], needed: list[tuple[str, str]]
) -> None:
    wanted = [(f"sms-voice:{action}", f"{SMS}{resource}") for action, resource in needed]
    assert permissions("pinpoint-sms-voice-v2", operation, **asked) == wanted


def test_a_sender_id_is_no_resource_before_it_is_there_but_its_tags_are_put_on_one() -> None:
    asked = {"SenderId": "ACME", "IsoCountryCode": "PL", "Tags": [{"Key": "k", "Value": "v"}]}
    assert permissions("pinpoint-sms-voice-v2", "request_sender_id", **asked) == [
        ("sms-voice:RequestSenderId", "*"),
        ("sms-voice:TagResource", f"{SMS}sender-id/ACME/PL"),
    ]


def test_an_operation_of_end_user_messaging_that_names_nothing_needs_all() -> None:
    assert permissions("pinpoint-sms-voice-v2", "describe_spend_limits") == [("sms-voice:DescribeSpendLimits", "*")]


def test_what_is_not_known_is_still_written_down() -> None:
    assert permissions("ssm", "get_parameter", Name="/a") == [("ssm:GetParameter", "*")]
