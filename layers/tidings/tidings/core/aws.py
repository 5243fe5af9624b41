"""One botocore session for all clients of a process.

A session of its own for each would read the descriptions of regions and endpoints again. boto3 is left out: what it
adds to botocore (resources, S3 transfers) nothing here uses, and every cold start would import it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session


@cache
def session() -> Session:
    """The process's session."""
    return get_session()


def client(service: str, config: Config) -> Any:
    """A client of a service, in the region and with the rights of the function."""
    return session().create_client(service, config=config)
