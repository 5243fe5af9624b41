"""What the two carriers share of AWS: its errors, and who is calling."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tidings.core.errors import TidingsError
from tidings_cli.carriers.web import Request

# Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-central-1/ses/aws4_request, …
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/")


class AwsError(TidingsError):
    """An error with the name, message and HTTP status that AWS itself would answer with."""

    def __init__(self, code: str, message: str, status: int = 400, details: dict[str, object] | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.details = details or {}


@dataclass(frozen=True)
class Caller:
    """Who signed the request, from where, and for which region. Signatures are not checked locally."""

    identity: str
    region: str
    ip: str


def caller_of(request: Request) -> Caller:
    """The caller as the request's signature names it; us-east-1 for an unsigned request."""
    match = _CREDENTIAL.search(request.headers.get("authorization", ""))
    identity, region = match.groups() if match else ("anonymous", "us-east-1")
    return Caller(identity=identity, region=region, ip=request.remote)
