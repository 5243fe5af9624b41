"""The environments of the engine, of its functions and of this process: nothing in them leads to another AWS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tidings.contacts.places import SETTING, MaxMindPlaces, UnusableGeoDatabase
from tidings_cli.errors import CommandFailed

REGION = "us-east-1"
ACCOUNT = "000000000000"

# A variable of the user's that starts like this would change what the engine or an AWS client does.
FOREIGN = ("AWS_", "MINISTACK_", "LOCALSTACK_", "LAMBDA_", "SFN_", "TABLE_", "TIDINGS_", "BOTO_")
FOREIGN_NAMES = frozenset(
    {"AUTH", "SERVICES", "EDGE_PORT", "USE_SSL", "LOG_LEVEL", "CLOUDTRAIL_RECORDING", "GEO_DATABASE"}
)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what steers AWS clients or the engine, and with no proxy between local parts."""
    kept = {
        name: value for name, value in environment.items() if not name.startswith(FOREIGN) and name not in FOREIGN_NAMES
    }
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, [environment.get(name, ""), "127.0.0.1", "localhost"]))
    return kept


def client_environment(aws: str, ses: str, sms: str) -> dict[str, str]:
    """What sends an AWS client to the local system: `aws` for the engine, `ses` and `sms` for the carriers (URLs)."""
    return {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ENDPOINT_URL_SESV2": ses,
        "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": sms,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def engine_environment(port: int, folder: Path, wait_scale: float | None) -> dict[str, str]:
    """What the engine is told: one port on this machine, data in `folder`, no other listeners, no containers."""
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "engine"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder / "tmp"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        # With a container service in reach the engine would remove containers that are not ours when it starts.
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "PYTHONUNBUFFERED": "1",
        # Functions ask no resolver: nothing leaves this machine, and the senders of tests are in no DNS.
        "DNS_LOOKUPS": "off",
    }
    if wait_scale is not None:
        environment["SFN_WAIT_SCALE"] = str(wait_scale)
    return environment


def geo_environment(file: Path | None) -> dict[str, str]:
    """What tells functions of the file that they look places up in. Raises CommandFailed if it cannot be used.

    The template names no file unless it is given a layer, so that functions see the variable of their engine.
    """
    if file is None:
        return {}
    path = file.expanduser().resolve()
    try:
        MaxMindPlaces(path, named_by="--geo")
    except UnusableGeoDatabase as error:
        raise CommandFailed(f"{error}.") from error
    return {SETTING: str(path)}


def enter(environment: Mapping[str, str]) -> None:
    """Make `environment` this process's own: the AWS clients that the launcher opens then meet the local system."""
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
