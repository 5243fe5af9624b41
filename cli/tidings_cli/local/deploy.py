"""Brings the stack in the engine to what the checkout says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tidings_cli.errors import CommandFailed
from tidings_cli.local.artifacts import BUCKET, Artifact
from tidings_cli.local.expanded import Expanded

STACK = "tidings"
# On the machine that somebody develops on, webhooks may call it.
PARAMETERS = {"WebhookTrustedHosts": "127.0.0.1:*,localhost:*"}
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
DEPLOY_SECONDS = 120.0
POLL_SECONDS = 0.05

# A stack in one of these was never there, as far as an update is concerned: it can only be deleted and made anew.
UNUSABLE = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"})


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that stands: its outputs, and the id of its HTTP API."""

    outputs: dict[str, str]
    api_id: str
    changed: bool


def deploy(expanded: Expanded, check: Callable[[], None]) -> Deployed:
    """Upload, create or update the stack, and do what the engine leaves undone. Data is kept. Raises CommandFailed."""
    stored = _upload(expanded.artifacts)
    changed = _create_or_update(expanded.body.url, check)
    resources = _resources(expanded)
    _switch_on_time_to_live(resources)
    _forget(stored - {artifact.key for artifact in expanded.artifacts})
    stack = _describe()
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
    return Deployed(outputs, _http_api(expanded, resources), changed)


def _upload(artifacts: Iterable[Artifact]) -> set[str]:
    """Put what is not there yet; returns the keys that were there."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    stored = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
    for artifact in artifacts:
        if artifact.key not in stored:
            s3.put_object(Bucket=BUCKET, Key=artifact.key, Body=artifact.make())
    return stored


def _forget(keys: Iterable[str]) -> None:
    s3 = boto3.client("s3")
    for key in keys:
        s3.delete_object(Bucket=BUCKET, Key=key)


def _create_or_update(template_url: str, check: Callable[[], None]) -> bool:
    """Whether anything changed."""
    cloudformation = boto3.client("cloudformation")
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
    arguments = {
        "StackName": STACK,
        "TemplateURL": template_url,
        "Parameters": given,
        "Capabilities": CAPABILITIES,
    }
    status = _status()
    if status in UNUSABLE:
        cloudformation.delete_stack(StackName=STACK)
        status = _settled(check)
    if status in ("", "DELETE_COMPLETE"):
        _request(cloudformation.create_stack, arguments)
    else:
        try:
            cloudformation.update_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return False
            raise _refused(error) from error
    if _settled(check) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise CommandFailed(f"The template was not deployed: {_first_failure(STACK)}")
    return True


def _request(call: Any, arguments: dict[str, Any]) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        raise _refused(error) from error


def _refused(error: ClientError) -> CommandFailed:
    return CommandFailed(f"The template was refused: {error.response['Error']['Message']}")


def _describe() -> dict[str, Any]:
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        # CloudFormation's answer for a stack that is not there is a ValidationError.
        return {}
    return dict(stacks[0]) if stacks else {}


def _status() -> str:
    return str(_describe().get("StackStatus", ""))


def _settled(check: Callable[[], None]) -> str:
    """The status once nothing is under way any more."""
    deadline = time.monotonic() + DEPLOY_SECONDS
    while (status := _status()).endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise CommandFailed(f"The template was not deployed within {DEPLOY_SECONDS:.0f} s.")
        check()
        time.sleep(POLL_SECONDS)
    return status


def _first_failure(stack: str) -> str:
    """The resource that failed first, and why."""
    events = boto3.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    if not failed:
        return "no resource says why."
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', 'no reason given')}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that stands: as the expanded template describes it, and its physical id."""

    logical_id: str
    described: dict[str, Any]
    physical_id: str


def _resources(expanded: Expanded) -> list[Resource]:
    described = expanded.template["Resources"]
    answer = boto3.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    physical = {entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in answer}
    return [Resource(name, described[name], physical[name]) for name in described if name in physical]


def _switch_on_time_to_live(resources: Iterable[Resource]) -> None:
    """The engine reads a table's TimeToLiveSpecification and leaves it at that."""
    dynamodb = boto3.client("dynamodb")
    for resource in resources:
        wanted = resource.described.get("Properties", {}).get("TimeToLiveSpecification")
        if resource.described["Type"] == "AWS::DynamoDB::Table" and wanted:
            dynamodb.update_time_to_live(
                TableName=resource.physical_id,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": wanted["AttributeName"]},
            )


def _http_api(expanded: Expanded, resources: Iterable[Resource]) -> str:
    found = [resource.physical_id for resource in resources if resource.logical_id in expanded.http_apis]
    if not found:
        raise CommandFailed("The template has no HTTP API to serve.")
    return found[0]
