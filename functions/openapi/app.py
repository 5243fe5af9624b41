"""Woken by GET /openapi.json: the description of this API. `make openapi` writes the file that it serves."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from pathlib import Path
from typing import Any

from tidings.core import http

DOCUMENT = (Path(__file__).parent / "openapi.json").read_text(encoding="utf-8")
HEADERS = {"content-type": "application/json", "cache-control": "public, max-age=300", "vary": "accept-encoding"}


@http.answers
def handler(event: dict[str, Any], context: Any) -> http.Answer:
    """Serve the document to anybody, compressed for whoever takes that: API Gateway does not do it for HTTP APIs."""
    if _takes_gzip(http.Request.of(event).headers.get("accept-encoding", "")):
        headers = {**HEADERS, "content-encoding": "gzip"}
        return {"statusCode": 200, "headers": headers, "body": _packed(), "isBase64Encoded": True}
    return {"statusCode": 200, "headers": HEADERS, "body": DOCUMENT}


@cache
def _packed() -> str:
    return base64.b64encode(gzip.compress(DOCUMENT.encode(), mtime=0)).decode()


def _takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding admits gzip (RFC 9110, 12.5.3): it is named, and its weight is not 0."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() == "gzip":
            return not weight.replace(" ", "").rstrip("0.").endswith("q=")
    return False
