"""The owner's data of where addresses are reaches those functions that read contexts, and nobody else."""

import re

import pytest
from tests.support.template import ROOT, Stack

from tidings.contacts.places import SETTING

ARN = "arn:aws:lambda:eu-central-1:123456789012:layer:tidings-geo:7"
TEMPLATE = ROOT / "template.yaml"


def test_without_a_layer_of_places_no_function_is_told_of_a_file() -> None:
    assert told(Stack(TEMPLATE)) == set()


def test_who_is_told_of_the_file_has_the_layer_beside_the_others() -> None:
    stack = Stack(TEMPLATE, {"GeoDatabaseLayerArn": ARN})
    layers = {
        name: stack.resolve([layer for layer in entry["Properties"]["Layers"] if "Ref" not in layer])
        for name, entry in stack.expanded.items()
        if entry["Type"] == "AWS::Lambda::Function"
    }
    assert {name for name, own in layers.items() if own} == told(stack)
    assert "ReactFunction" in told(stack)
    assert all(own in ([], [ARN]) for own in layers.values())


def told(stack: Stack) -> set[str]:
    """The functions that are told where the file is: in a layer, which Lambda unpacks into /opt."""
    variables = {
        function: stack.properties(function).get("Environment", {}).get("Variables", {})
        for function in stack.of_type("AWS::Serverless::Function")
    }
    paths = {function: told[SETTING] for function, told in variables.items() if SETTING in told}
    assert set(paths.values()) <= {"/opt/geo.mmdb"}
    return set(paths)


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
