"""One botocore session for all clients of a process.

A session of its own for each would read the descriptions of regions and endpoints again. boto3 is left out: what it
adds to botocore (resources, S3 transfers) nothing here uses, and every cold start would import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

# For a client that somebody waits for, who gets what they came for without its answer too.
HASTY = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 3, "mode": "standard"})


@cache
def session() -> Session:
    """The process's session."""
    return get_session()


def client(service: str, config: Config) -> Any:
    """A client of a service, in the region and with the rights of the function."""
    return session().create_client(service, config=config)


def code_of(error: Exception) -> str:
    """The code of what a service answered, or what kept it from answering."""
    response: Mapping[str, Any] = getattr(error, "response", {}) or {}
    return str(response.get("Error", {}).get("Code", "")) or type(error).__name__
