"""A whole HTTP request and a whole answer, and what passes them on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

HOST = "127.0.0.1"
Headers = list[tuple[str, str]]

# RFC 9110 section 7.6.1: what concerns one connection is not passed on. Content-Length is set anew.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `target` is path and query as sent, still percent-encoded; header names are lower case."""

    method: str
    target: str
    headers: Headers
    body: bytes
    client: str = HOST

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        """The first value of a header, or an empty text."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""


Handler = Callable[[Request], Response]


def error_response(status: HTTPStatus, message: str) -> Response:
    """An error in the shape of API Gateway's own: JSON with a `message`."""
    return Response(int(status), [("content-type", "application/json")], json.dumps({"message": message}).encode())
