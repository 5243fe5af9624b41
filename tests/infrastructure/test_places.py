"""The owner's data of where addresses are reaches `react`, and nobody else."""

import re

import pytest
from tests.support.template import ROOT, Stack

from tidings.contacts.places import SETTING

ARN = "arn:aws:lambda:eu-central-1:123456789012:layer:tidings-geo:7"
TEMPLATE = ROOT / "template.yaml"


def test_without_a_layer_of_places_no_function_is_told_of_a_file() -> None:
    stack = Stack(TEMPLATE)
    for function in stack.of_type("AWS::Serverless::Function"):
        properties = stack.properties(function)
        assert SETTING not in properties["Environment"]["Variables"]
        assert properties.get("Layers", []) == []


def test_react_gets_the_layer_beside_the_others_and_the_path_of_the_file_in_it() -> None:
    stack = Stack(TEMPLATE, {"GeoDatabaseLayerArn": ARN})
    # Lambda unpacks layers into /opt.
    assert stack.properties("ReactFunction")["Environment"]["Variables"][SETTING] == "/opt/geo.mmdb"
    layers = {
        name: [layer for layer in entry["Properties"]["Layers"] if "Ref" not in layer]
        for name, entry in stack.expanded.items()
        if entry["Type"] == "AWS::Lambda::Function"
    }
    assert stack.resolve(layers.pop("ReactFunction")) == [ARN]
    assert not any(layers.values())


@pytest.mark.parametrize(
    ("arn", "taken"),
    [
        ("", True),
        (ARN, True),
        ("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:layer:geo:12", True),
        ("arn:aws:lambda:eu-central-1:123456789012:layer:tidings-geo", False),  # a layer without its version
        ("geo.mmdb", False),
    ],
)
def test_the_parameter_takes_a_version_of_a_layer_or_nothing(arn: str, taken: bool) -> None:
    pattern = Stack(TEMPLATE).template["Parameters"]["GeoDatabaseLayerArn"]["AllowedPattern"]
    assert (re.search(pattern, arn) is not None) is taken
