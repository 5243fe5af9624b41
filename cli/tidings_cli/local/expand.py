"""The template of AWS as a template for the local engine.

What `sam build` and `sam deploy` do before CloudFormation is reached is done here in memory: folders become uploads,
and the SAM transform is applied. The rest are ways around the engine's gaps, each with its reason where it stands.
Nothing is rewritten that decides what a function may do.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError

from tidings_cli.errors import CommandFailed
from tidings_cli.local.artifacts import Artifact, function_code, layer_code, template_text
from tidings_cli.local.expanded import NESTED, Expanded, Template
from tidings_cli.local.flatten import flatten
from tidings_cli.local.httpapi import spell_out_http_apis
from tidings_cli.local.leaving_out import leave_out

# It warns, at the end of the process, of usage metrics that nobody asked it to send.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)

FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"

# The layer of third-party packages stays out. Its wheels are for Lambda's own runtime and processor, which this machine
# need not have, and the engine runs every function with its own interpreter, where the same packages are installed.
# That the layer is right by itself is what the packaging tests are for.
LEFT_OUT = "dependencies"


def expand(path: Path) -> Expanded:
    """The template at `path` with all those nested in it. Raises CommandFailed if one cannot be read or transformed."""
    template, artifacts = _whole(path)
    leave_out(template)
    http_apis = spell_out_http_apis(template["Resources"])
    artifacts.append(template_text(path.stem, template))
    return Expanded(template, artifacts, http_apis)


def _whole(path: Path) -> tuple[Template, list[Artifact]]:
    """A template, transformed and with those nested in it, and the code that it names."""
    template = _load(path)
    artifacts: list[Artifact] = []
    nested = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == NESTED:
            nested[name], code = _whole(path.parent / resource["Properties"]["TemplateURL"])
            artifacts += code
    left_out = _leave_out_dependencies(template)
    artifacts += _name_code(template, path.parent)
    template = _transform(template, path)
    _forget_layers(template["Resources"], left_out)
    _name_functions(template["Resources"])
    _rename_role_policies(template["Resources"])
    return flatten(template, nested), artifacts


def _name_code(template: Template, folder: Path) -> list[Artifact]:
    """Replace folders by where their code will be."""
    artifacts = []
    for resource in template["Resources"].values():
        key, make = {FUNCTION: ("CodeUri", function_code), LAYER: ("ContentUri", layer_code)}.get(
            resource["Type"], ("", function_code)
        )
        properties = resource.get("Properties", {})
        if key and isinstance(properties.get(key), str):
            artifact = make(folder / properties[key])
            artifacts.append(artifact)
            properties[key] = artifact.location
    return artifacts


def _load(path: Path) -> Template:
    try:
        template: Template = yaml_parse(path.read_text(encoding="utf-8"))
        template["Resources"].items()
    except (OSError, YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CommandFailed(f"The template {path} cannot be read: {reason}.") from error
    return template


def _leave_out_dependencies(template: Template) -> set[str]:
    resources = template["Resources"]
    left_out = {
        name
        for name, resource in resources.items()
        if resource["Type"] == LAYER and Path(str(resource["Properties"].get("ContentUri", ""))).name == LEFT_OUT
    }
    for name in left_out:
        # The reference stays for the transform, which would refuse one to a resource that is not there.
        resources[name]["Properties"]["ContentUri"] = {"Bucket": LEFT_OUT, "Key": LEFT_OUT}
    return left_out


def _transform(template: Template, path: Path) -> Template:
    try:
        transformed: Template = transform(template, {}, SimpleNamespace(load=dict))
    except InvalidDocumentException as error:
        raise CommandFailed(f"The template {path} is not valid: {_reasons(error)}") from error
    return transformed


def _reasons(error: InvalidDocumentException) -> str:
    return "; ".join(str(cause.message).rstrip(".") for cause in error.causes) + "."


def _forget_layers(resources: Template, left_out: set[str]) -> None:
    gone = {name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::LayerVersion"}
    gone = {name for name in gone if resources[name]["Properties"].get("Content", {}).get("S3Bucket") == LEFT_OUT}
    for name in gone:
        del resources[name]
    for resource in _functions(resources).values():
        layers = resource["Properties"].get("Layers", [])
        resource["Properties"]["Layers"] = [layer for layer in layers if layer.get("Ref") not in gone | left_out]


def _name_functions(resources: Template) -> None:
    """Let every AWS call say which function made it: botocore puts this variable into the User-Agent, as `app/NAME`."""
    for name, resource in _functions(resources).items():
        environment = resource["Properties"].setdefault("Environment", {})
        environment.setdefault("Variables", {})["AWS_SDK_UA_APP_ID"] = name


def _rename_role_policies(resources: Template) -> None:
    """The engine knows a role's inline policy by its older type only, which says the same."""
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::RolePolicy":
            resource["Type"] = "AWS::IAM::Policy"
            resource["Properties"]["Roles"] = [resource["Properties"].pop("RoleName")]


def _functions(resources: Template) -> Template:
    return {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Function"}
