"""Every table is paid for by use, encrypted, recoverable, and outlives the stack."""

import pytest
from tests.support.template import Stack, root_stack

TABLES = root_stack().nested("Data").of_type("AWS::DynamoDB::Table")

# Tables whose items are of no use after some time; of Identities only those that say who was erased lately. The others
# hold what somebody wrote and may still want: who a contact is, what a template says, which keys exist.
AGEING = {"Identities", "Events", "Messages", "Consents", "Sends", "ShortLinks", "Conversations", "Enrolments", "Steps"}

every_table = pytest.mark.parametrize("table", TABLES)


def test_no_table_stands_outside_the_data_stack(root: Stack) -> None:
    others = [root, *(root.nested(name) for name in ("Messaging", "Machines", "Observability"))]
    assert not any(stack.of_type("AWS::DynamoDB::Table") for stack in others)


@every_table
def test_a_table_outlives_the_stack_and_its_own_replacement(table: str) -> None:
    assert TABLES[table]["DeletionPolicy"] == "Retain"
    assert TABLES[table]["UpdateReplacePolicy"] == "Retain"


@every_table
def test_a_table_can_be_restored_to_any_second(data: Stack, table: str) -> None:
    assert data.properties(table)["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@every_table
def test_a_table_is_encrypted_with_a_key_whose_use_is_logged(data: Stack, table: str) -> None:
    assert data.properties(table)["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}


@every_table
def test_a_table_is_paid_for_by_use(data: Stack, table: str) -> None:
    properties = data.properties(table)
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert "ProvisionedThroughput" not in properties


@every_table
@pytest.mark.parametrize(("parameter", "protected"), [("true", True), ("false", False)])
def test_deletion_protection_follows_the_parameter(root: Stack, table: str, parameter: str, protected: bool) -> None:
    chosen = Stack(root.path, {"DeletionProtection": parameter})
    assert chosen.nested("Data").properties(table)["DeletionProtectionEnabled"] is protected


def test_deletion_protection_is_on_unless_turned_off(root: Stack) -> None:
    assert root.parameters["DeletionProtection"] == "true"


@every_table
def test_what_ages_expires_and_nothing_else_does(data: Stack, table: str) -> None:
    expected = {"AttributeName": "expires_at", "Enabled": True} if table in AGEING else None
    assert data.properties(table).get("TimeToLiveSpecification") == expected


@every_table
def test_key_attributes_have_the_same_names_everywhere(data: Stack, table: str) -> None:
    keys = [key["AttributeName"] for key in data.properties(table)["KeySchema"]]
    assert keys in (["pk"], ["pk", "sk"])


@every_table
def test_the_data_stack_tells_name_and_arns_of_a_table(data: Stack, table: str) -> None:
    assert data.output(table) == table
    assert data.output(f"{table}Arn").endswith(f":table/{table}")
    properties = data.properties(table)
    for index in properties.get("LocalSecondaryIndexes", []) + properties.get("GlobalSecondaryIndexes", []):
        name = "".join(part.capitalize() for part in index["IndexName"].split("_"))
        assert data.output(f"{table}{name}Arn").endswith(f":table/{table}/index/{index['IndexName']}")


def test_the_root_stack_tells_every_table_name(root: Stack) -> None:
    assert {key for key in root.template["Outputs"] if key.startswith("Table")} == {f"Table{name}" for name in TABLES}
