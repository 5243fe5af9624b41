"""The reader of the templates says what CloudFormation would."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from tests.support.template import (
    Grant,
    Stack,
    grants,
    names_of,
    not_granted,
    not_used,
    root_stack,
    table_variables,
    tables,
    times_to_live,
)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


def test_every_table_can_be_created_as_described(dynamodb) -> None:
    for arguments in tables():
        dynamodb.create_table(**arguments)
    for table, attribute in times_to_live().items():
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
        )

    assert set(dynamodb.list_tables()["TableNames"]) == set(table_variables().values())
    events = dynamodb.describe_table(TableName="Events")["Table"]
    assert events["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert [index["IndexName"] for index in events["LocalSecondaryIndexes"]] == ["received"]


def test_a_table_s_variable_is_its_name_in_capitals() -> None:
    variables = table_variables()
    assert variables["TABLE_API_KEYS"] == "ApiKeys"
    assert variables["TABLE_EVENTS"] == "Events"


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Data:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: data.yaml, Parameters: {Suffix: !Sub "${AWS::StackName}_"}}
  TrackFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/track/
      Policies:
        - Statement:
            - Effect: Allow
              Action: [dynamodb:PutItem, dynamodb:Query]
              Resource: [!GetAtt Data.Outputs.EventsArn, !Sub "${Data.Outputs.EventsArn}/index/*"]
            - {Effect: Deny, Action: dynamodb:DeleteItem, Resource: !GetAtt Data.Outputs.EventsArn}
            - {Sid: ForLambdaToRead, Effect: Allow, Action: sqs:ReceiveMessage, Resource: !GetAtt Data.Outputs.QueueArn}
"""
DATA = """
Parameters: {Suffix: {Type: String}, Loud: {Type: String, Default: "false"}}
Conditions: {Loud: !Equals [!Ref Loud, "true"]}
Resources:
  Events:
    Type: AWS::DynamoDB::Table
    Properties:
      Kept: !If [Loud, {Text: "!"}, !Ref AWS::NoValue]
      Text: !Sub ["${AWS::Region} ${Suffix} ${Events.Arn} ${Own}", {Own: !Join ["-", [a, !Ref AWS::AccountId]]}]
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  EventsArn: {Value: !GetAtt Events.Arn}
  QueueArn: {Value: !GetAtt Queue.Arn}
"""
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/Events"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:Queue"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "data.yaml").write_text(DATA, encoding="utf-8")
    return tmp_path


def call(function: str, action: str, resource: str) -> dict[str, str]:
    return {"function": function, "action": action, "resource": resource}


def test_values_come_to_what_cloudformation_makes_of_them(small: Path) -> None:
    data = root_stack(small).nested("Data")
    assert data.properties("Events") == {"Text": f"us-east-1 tidings_ {TABLE} a-000000000000"}


def test_a_condition_chooses_by_the_parameter(small: Path) -> None:
    data = Stack(small / "data.yaml", {"Suffix": "", "Loud": "true"})
    assert data.properties("Events")["Kept"] == {"Text": "!"}


def test_grants_pair_every_action_with_every_resource_of_what_is_allowed(small: Path) -> None:
    assert set(grants(small)["TrackFunction"]) == {
        Grant("dynamodb:PutItem", TABLE),
        Grant("dynamodb:PutItem", f"{TABLE}/index/*"),
        Grant("dynamodb:Query", TABLE),
        Grant("dynamodb:Query", f"{TABLE}/index/*"),
        Grant("sqs:ReceiveMessage", QUEUE, by_lambda=True),
    }


@pytest.mark.parametrize(
    ("action", "resource", "covered"),
    [
        ("dynamodb:Query", f"{TABLE}/index/received", True),
        ("dynamodb:Query", TABLE, False),
        ("dynamodb:Query", f"{TABLE}s/index/received", False),
        ("dynamodb:Scan", f"{TABLE}/index/received", False),
    ],
)
def test_a_grant_covers_its_action_on_what_its_pattern_matches(action: str, resource: str, covered: bool) -> None:
    assert Grant("dynamodb:Query", f"{TABLE}/index/*").covers(action, resource) is covered


def test_a_call_that_nothing_grants_is_named_once(small: Path) -> None:
    calls = [
        call("TrackFunction", "dynamodb:PutItem", TABLE),
        call("TrackFunction", "dynamodb:DeleteItem", TABLE),
        call("TrackFunction", "dynamodb:DeleteItem", TABLE),
        call("BatchFunction", "dynamodb:PutItem", TABLE),
    ]
    assert not_granted(calls, small) == [
        ("BatchFunction", "dynamodb:PutItem", TABLE),
        ("TrackFunction", "dynamodb:DeleteItem", TABLE),
    ]


def test_a_grant_that_nothing_used_is_named_unless_lambda_uses_it(small: Path) -> None:
    calls = [
        call("TrackFunction", "dynamodb:PutItem", TABLE),
        call("TrackFunction", "dynamodb:PutItem", f"{TABLE}/index/received"),
        call("TrackFunction", "dynamodb:Query", f"{TABLE}/index/received"),
        call("BatchFunction", "dynamodb:Query", TABLE),
    ]
    assert not_used(calls, small) == [("TrackFunction", "dynamodb:Query", TABLE)]


def test_on_a_running_stack_grants_bear_its_names(small: Path) -> None:
    assert grants(small, {"Events": "tidings-Data-Events-1X"})["TrackFunction"][0].resource.endswith(
        ":table/tidings-Data-Events-1X"
    )


def test_the_names_of_a_running_stack_are_in_its_outputs() -> None:
    stack = root_stack()
    outputs = {key: str(stack.output(key)) for key in stack.template["Outputs"]}
    outputs |= {"TableEvents": "t-Events-1", "SetAsideQueueUrl": "http://127.0.0.1/000000000000/t-SetAsideQueue-1"}
    names = names_of(outputs)
    assert names["Events"] == "t-Events-1"
    assert names["SetAsideQueue"] == "t-SetAsideQueue-1"
    assert names["MachinesRole"] == "MachinesRole"
