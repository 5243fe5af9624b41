"""What the engine is not told of, and what stands where the rest of the template names it."""

from typing import Any

import pytest

from tidings_cli.local.leaving_out import leave_out

SET = {"Type": "AWS::SMSVOICE::ConfigurationSet", "Properties": {"ConfigurationSetName": "texts"}}
UNNAMED = {"Type": "AWS::SMSVOICE::ConfigurationSet", "Properties": {}}
RULES = {"Type": "AWS::SES::ReceiptRuleSet", "Properties": {"RuleSetName": {"Fn::Sub": "${AWS::StackName}-in"}}}
ROLE = "AWS::IAM::Role"


def after(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    template = {"Resources": resources, "Outputs": outputs or {}}
    leave_out(template)
    return template


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::SMSVOICE::ConfigurationSet",
        "AWS::SMSVOICE::PhoneNumber",
        "AWS::SES::ReceiptRule",
        "AWS::Logs::LogGroup",
        "AWS::CloudWatch::Alarm",
    ],
)
def test_what_is_not_the_engines_stays_out(kind: str) -> None:
    assert after({"Gone": {"Type": kind, "Properties": {}}, "Topic": {"Type": "AWS::SNS::Topic"}})["Resources"] == {
        "Topic": {"Type": "AWS::SNS::Topic"}
    }


def test_an_ordinary_configuration_set_of_ses_stays() -> None:
    assert "Mails" in after({"Mails": {"Type": "AWS::SES::ConfigurationSet", "Properties": {}}})["Resources"]


def test_the_leave_of_the_api_to_call_a_function_stays_out_and_that_of_a_rule_stays() -> None:
    def permission(principal: str) -> dict[str, Any]:
        return {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": principal, "FunctionName": "f"}}

    left = after({"Api": permission("apigateway.amazonaws.com"), "Rule": permission("events.amazonaws.com")})
    assert list(left["Resources"]) == ["Rule"]


def test_a_reference_becomes_the_name() -> None:
    left = after({"Texts": SET}, {"Texts": {"Value": {"Ref": "Texts"}}})
    assert left["Outputs"] == {"Texts": {"Value": "texts"}}


def test_what_has_no_name_of_its_own_gets_one_from_the_stack() -> None:
    left = after({"Texts": UNNAMED}, {"Texts": {"Value": {"Ref": "Texts"}}})
    assert left["Outputs"] == {"Texts": {"Value": {"Fn::Sub": "${AWS::StackName}-Texts"}}}


def test_a_name_may_be_put_together_itself() -> None:
    left = after({"Rules": RULES}, {"Rules": {"Value": {"Ref": "Rules"}}})
    assert left["Outputs"] == {"Rules": {"Value": {"Fn::Sub": "${AWS::StackName}-in"}}}


def test_an_attribute_becomes_the_arn() -> None:
    left = after({"Texts": SET}, {"Arn": {"Value": {"Fn::GetAtt": ["Texts", "Arn"]}}})
    text, given = left["Outputs"]["Arn"]["Value"]["Fn::Sub"]
    assert text == "arn:${AWS::Partition}:sms-voice:${AWS::Region}:${AWS::AccountId}:configuration-set/${Name}"
    assert given == {"Name": "texts"}


def test_a_name_within_a_text_is_filled_in() -> None:
    policy = {"Type": ROLE, "Properties": {"Resource": {"Fn::Sub": "arn:aws:sms-voice:::configuration-set/${Texts}"}}}
    written = after({"Texts": SET, "Role": policy})["Resources"]["Role"]["Properties"]["Resource"]
    assert written == {"Fn::Sub": ["arn:aws:sms-voice:::configuration-set/${Texts}", {"Texts": "texts"}]}


@pytest.mark.parametrize(
    ("needs", "left"), [("Texts", None), (["Texts", "Queue"], ["Queue"]), (["Texts"], None), ("Queue", ["Queue"])]
)
def test_nobody_waits_for_what_is_not_made(needs: Any, left: Any) -> None:
    resources = {"Texts": SET, "Queue": {"Type": "AWS::SQS::Queue"}, "Role": {"Type": ROLE, "DependsOn": needs}}
    assert after(resources)["Resources"]["Role"].get("DependsOn") == left
