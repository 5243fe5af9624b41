"""The reader of the templates says what CloudFormation would."""

import boto3
import pytest
from moto import mock_aws
from tests.support.template import table_variables, tables, times_to_live


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
