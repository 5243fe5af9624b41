"""A template with others nested in it, made one."""

from typing import Any

import pytest

from tidings_cli.errors import CommandFailed
from tidings_cli.local.flatten import flatten


def stack(parameters: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "x", "Parameters": parameters or {}},
        **more,
    }


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def names_of(queue_properties: Any, inner: dict[str, Any], **root: Any) -> Any:
    """What the properties of a queue in the root become beside a nested stack `In`."""
    template = {"Resources": {"In": stack({"Size": {"Ref": "Big"}}), "Own": queue(**queue_properties)}, **root}
    return flatten(template, {"In": inner})["Resources"]["Own"]["Properties"]


INNER = {
    "Parameters": {"Size": {"Type": "String"}, "Kind": {"Type": "String", "Default": "plain"}},
    "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
    "Resources": {
        "Q": {**queue(QueueName={"Fn::Sub": "${AWS::StackName}-${Size}-${Kind}"}), "Condition": "Large"},
        "P": {
            "Type": "AWS::SQS::QueuePolicy",
            "DependsOn": "Q",
            "Properties": {
                "Queues": [{"Ref": "Q"}],
                "PolicyDocument": {
                    "Resource": {"Fn::GetAtt": ["Q", "Arn"]},
                    "Condition": {"Bool": {"aws:SecureTransport": {"Fn::If": ["Large", "true", "false"]}}},
                },
            },
        },
    },
    "Outputs": {
        "Name": {"Value": {"Ref": "Q"}},
        "Arn": {"Value": {"Fn::GetAtt": "Q.Arn"}},
        "Index": {"Value": {"Fn::Sub": "${Q.Arn}/index/${Size}"}},
        "Kind": {"Value": {"Ref": "Kind"}},
    },
}


@pytest.mark.parametrize(
    ("used", "meant"),
    [
        ({"Fn::GetAtt": ["In", "Outputs.Name"]}, {"Ref": "InQ"}),
        ({"Fn::GetAtt": "In.Outputs.Arn"}, {"Fn::GetAtt": ["InQ", "Arn"]}),
        ({"Fn::GetAtt": ["In", "Outputs.Kind"]}, "plain"),
        ({"Fn::GetAtt": ["In", "Outputs.Index"]}, {"Fn::Sub": "${InQ.Arn}/index/${Big}"}),
        ({"Fn::Sub": "${In.Outputs.Name}/${!kept}/${AWS::Region}"}, {"Fn::Sub": "${InQ}/${!kept}/${AWS::Region}"}),
        ({"Fn::Sub": ["${a}-${In.Outputs.Arn}", {"a": "b"}]}, {"Fn::Sub": ["${a}-${InQ.Arn}", {"a": "b"}]}),
        ({"Fn::Sub": "${In.Outputs.Kind}"}, {"Fn::Sub": ["${InOutputsKind}", {"InOutputsKind": "plain"}]}),
        ({"Fn::GetAtt": ["Own", "Arn"]}, {"Fn::GetAtt": ["Own", "Arn"]}),
        ({"Fn::If": ["Some", {"Ref": "AWS::NoValue"}, 1]}, {"Fn::If": ["Some", {"Ref": "AWS::NoValue"}, 1]}),
    ],
)  # fmt: skip
def test_outputs_become_what_they_stand_for(used: Any, meant: Any) -> None:
    assert names_of({"QueueName": used}, INNER) == {"QueueName": meant}


def test_nested_resources_keep_their_meaning_under_new_names() -> None:
    flat = flatten({"Resources": {"In": stack({"Size": "large"})}}, {"In": INNER})
    assert flat["Conditions"] == {"InLarge": {"Fn::Equals": ["large", "large"]}}
    assert flat["Resources"]["InQ"]["Condition"] == "InLarge"
    name = flat["Resources"]["InQ"]["Properties"]["QueueName"]
    assert name == {"Fn::Sub": ["${AWS::StackName}-${Size}-${Kind}", {"Size": "large", "Kind": "plain"}]}
    policy = flat["Resources"]["InP"]
    assert policy["DependsOn"] == ["InQ"]
    assert policy["Properties"]["Queues"] == [{"Ref": "InQ"}]
    document = policy["Properties"]["PolicyDocument"]
    assert document["Resource"] == {"Fn::GetAtt": ["InQ", "Arn"]}
    assert document["Condition"] == {"Bool": {"aws:SecureTransport": {"Fn::If": ["InLarge", "true", "false"]}}}


def test_one_nested_stack_may_be_given_what_another_puts_out() -> None:
    root = {"Resources": {"In": stack({"Size": "s"}), "Two": stack({"Target": {"Fn::GetAtt": ["In", "Outputs.Arn"]}})}}
    two = {"Parameters": {"Target": {"Type": "String"}}, "Resources": {"Q": queue(QueueName={"Ref": "Target"})}}
    flat = flatten(root, {"In": INNER, "Two": two})
    assert flat["Resources"]["TwoQ"]["Properties"] == {"QueueName": {"Fn::GetAtt": ["InQ", "Arn"]}}


def test_who_waits_for_a_stack_waits_for_all_in_it_and_what_is_in_it_for_what_the_stack_waits_for() -> None:
    resources = {
        "First": queue(),
        "In": stack({"Size": "s"}, DependsOn="First"),
        "Last": {**queue(), "DependsOn": ["In"]},
    }
    flat = flatten({"Resources": resources}, {"In": INNER})
    assert flat["Resources"]["Last"]["DependsOn"] == ["InQ", "InP"]
    assert flat["Resources"]["InQ"]["DependsOn"] == ["First"]


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ({"In": stack()}, "does not give In its parameter Size"),
        ({"In": stack({"Size": "s"}), "A": queue(QueueName={"Fn::GetAtt": "In.Outputs.X"})}, "uses the output X of In"),
        ({"In": stack({"Size": "s"}, Condition="C")}, "under a condition"),
        ({"In": stack({"Size": "s"}), "InQ": queue()}, "has a resource InQ"),
    ],
)
def test_what_cannot_be_made_one_is_refused(root: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandFailed, match=said):
        flatten({"Resources": root}, {"In": INNER})


def test_a_template_with_nothing_nested_stays_as_it_is() -> None:
    template = {"Resources": {"Own": queue()}}
    assert flatten(template, {}) is template
