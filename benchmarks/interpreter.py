"""Clean interpreters: the layers on the path as Lambda puts them there, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.world import REGION, ROOT, variables

CHILD = Path(__file__).with_name("child.py")
PINS = ROOT / "layers" / "dependencies" / "requirements.txt"


def functions() -> list[str]:
    """The folders of all functions."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


def environment() -> dict[str, str]:
    """All settings that any function asks for."""
    return {
        **variables(),
        "SMS_INBOUND_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:inbound",
        "SMS_CONFIGURATION_SET": "texts",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
        "POWERTOOLS_SERVICE_NAME": "tidings",
        "LOG_LEVEL": "ERROR",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "QUEUE_STARTS_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/starts",
        "QUEUE_SET_ASIDE_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/aside",
        "QUEUE_FEEDBACK_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/feedback",
        "QUEUE_SMS_EVENTS_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/sms-events",
        "FEEDBACK_TOPIC_ARNS": f"arn:aws:sns:{REGION}:123456789012:feedback,",
        "WEBHOOK_TRUSTED_HOSTS": ",",
        "QUEUE_ERASURES_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/erasures",
        "QUEUE_DELIVERIES_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/deliveries",
        "MACHINE_DELIVER_LATER_ARN": f"arn:aws:states:{REGION}:123456789012:stateMachine:deliver-later",
        "QUEUE_JOBS_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
        "MACHINE_AGENDA_ARN": f"arn:aws:states:{REGION}:123456789012:stateMachine:agenda",
        "MACHINE_SENDER_IDS_ARN": f"arn:aws:states:{REGION}:123456789012:stateMachine:sender-ids",
        "SES_CONFIGURATION_SET_MARKETING": "marketing-mails",
        "SES_CONFIGURATION_SET_TRANSACTIONAL": "transactional-mails",
        "MACHINES_ROLE_ARN": "arn:aws:iam::123456789012:role/machines",
        "MACHINE_PREFIX": "tidings_",
        **{
            f"FUNCTION_{name}_ARN": name.lower()
            for name in ("SEND_EMAIL", "SEND_SMS", "BRANCH", "CHECK_SUPPRESSION", "WAIT_FOR", "CALL_WEBHOOK", "ACT")
        },
    }


@dataclass(frozen=True)
class Interpreter:
    """Starts interpreters whose path holds the two layers."""

    layer: Path

    def run(self, function: str = "", recording: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What `child.py` tells about a function; about an empty interpreter if none is named."""
        path = [str(ROOT / "functions" / function)] if function else []
        path += [str(ROOT / "layers" / "tidings"), str(self.layer)]
        done = subprocess.run(
            # Without `site`, so that what the environment installs beside the layer's packages cannot be seen.
            [sys.executable, "-S", "-P", str(CHILD), *(["app"] if function else [])],
            input="" if recording is None else json.dumps(recording),
            env={**environment(), "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{function or 'nothing'} did not run in a clean interpreter:\n{done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


@contextmanager
def clean() -> Iterator[Interpreter]:
    """Interpreters that see what the dependencies layer holds: the pinned packages, from where they are installed."""
    with TemporaryDirectory() as folder:
        for name in pins():
            for part in _top_level(name):
                (Path(folder) / part.name).symlink_to(part)
        yield Interpreter(Path(folder))


@cache
def pins() -> dict[str, str]:
    """The pinned packages and their versions."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", PINS.read_text(), re.MULTILINE))


def _top_level(name: str) -> set[Path]:
    package = distribution(name)
    parts = {file.parts[0] for file in package.files or []} - {"..", "__pycache__", "bin"}
    return {Path(str(package.locate_file(part))) for part in parts}
