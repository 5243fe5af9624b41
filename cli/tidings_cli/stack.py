"""A deployed stack as its operators reach it: with AWS credentials, by what CloudFormation says it put out.

AWS_ENDPOINT_URL is honoured, so that the same commands work on a local system.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tidings_cli.errors import CommandFailed

DEFAULT_STACK = "tidings"


def add_stack(parser: argparse.ArgumentParser) -> None:
    """The options that say which stack is meant."""
    group = parser.add_argument_group("which stack", "Needs AWS credentials, as the AWS command line finds them.")
    group.add_argument("--stack", default=DEFAULT_STACK, metavar="NAME", help="its name (%(default)s)")
    group.add_argument("--region", metavar="REGION", help="else AWS_REGION, or that of the profile")
    group.add_argument("--profile", metavar="NAME", help="else AWS_PROFILE")


@dataclass(frozen=True)
class Stack:
    """A stack's outputs, and the session that found them."""

    name: str
    session: Any
    outputs: Mapping[str, str]

    def output(self, name: str) -> str:
        """One of the outputs. Raises CommandFailed."""
        if name not in self.outputs:
            raise CommandFailed(f"The stack {self.name} puts out no {name}; deploy this version of Tidings first.")
        return self.outputs[name]

    def client(self, service: str) -> Any:
        """A client of an AWS service."""
        return self.session.client(service)


def open_stack(args: argparse.Namespace) -> Stack:
    """The stack that is meant. Raises CommandFailed."""
    import boto3
    from botocore.exceptions import ClientError, ProfileNotFound

    try:
        session = boto3.Session(profile_name=args.profile, region_name=args.region or os.environ.get("AWS_REGION"))
    except ProfileNotFound as error:
        raise CommandFailed(f"{error}; name another with --profile.") from error
    if session.region_name is None:
        raise CommandFailed("No region is set; give one with --region or AWS_REGION.")
    _pass_on(session.region_name, args.profile)
    with aws_faults():
        try:
            found = session.client("cloudformation").describe_stacks(StackName=args.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise CommandFailed(
                f"There is no stack {args.stack} in {session.region_name}; name it with --stack and --region."
            ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    return Stack(args.stack, session, outputs)


@contextmanager
def aws_faults() -> Iterator[None]:
    """Turn what AWS and our own rules refuse into sentences."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    from tidings.core.errors import TidingsError

    try:
        yield
    except NoCredentialsError as error:
        raise CommandFailed("No AWS credentials were found; sign in with: aws configure, or aws sso login") from error
    except ClientError as error:
        said = error.response["Error"]
        raise CommandFailed(f"AWS refused {error.operation_name}: {said.get('Message') or said.get('Code')}") from error
    except BotoCoreError as error:
        raise CommandFailed(f"AWS could not be asked: {error}.") from error
    except TidingsError as error:
        raise CommandFailed(f"{error.message} ({error.code})") from error


def _pass_on(region: str, profile: str | None) -> None:
    """The stores open sessions of their own, which must meet the same account and region."""
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region
    if profile:
        os.environ["AWS_PROFILE"] = profile
