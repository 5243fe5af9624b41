"""What operators' commands say when AWS cannot be asked, or has no such stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tidings_cli.main import main

TEMPLATE = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Other": {"Value": "x"}}}'


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no account and no region; what a command sets in it is undone."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A simulated account with a stack that is not ours."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        import boto3

        boto3.client("cloudformation", region_name="eu-central-1").create_stack(
            StackName="other", TemplateBody=TEMPLATE
        )
        yield


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_no_region_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No region is set; give one with --region or AWS_REGION." in told(capsys, "replay")


def test_no_credentials_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    # A region of its own, since tests share their clients: one without credentials.
    said = told(capsys, "workspace", "create", "acme", "--region", "eu-west-3")
    assert "No AWS credentials were found; sign in with: aws configure" in said


def test_an_unknown_profile_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "name another with --profile" in told(capsys, "replay", "--profile", "nobody")


@pytest.mark.usefixtures("aws")
def test_an_unknown_stack_is_told_with_its_region(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "key", "create", "--workspace", "a", "--kind", "write", "--region", "eu-central-1")
    assert "There is no stack tidings in eu-central-1; name it with --stack and --region." in said


@pytest.mark.usefixtures("aws")
def test_a_stack_of_something_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "replay", "--stack", "other", "--region", "eu-central-1")
    assert "The stack other puts out no SetAsideQueueUrl" in said


def test_a_limit_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--limit", "0"])
    assert ended.value.code == 2
    assert "--limit" in capsys.readouterr().err
