"""The few lines of HTTP that the carriers need on top of WSGI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from tidings.core.errors import InvalidInput

# SES takes messages of 40 MB, which are a third larger in the base64 of a JSON body, plus the text around them.
MAX_BODY_BYTES = 60 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One HTTP request: `path` is decoded, header names are lower case, `query` keeps repeated names."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    remote: str

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, an empty body as an empty one. Raises InvalidInput."""
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise InvalidInput("invalid_json", f"The body is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise InvalidInput("invalid_json", "The body must be a JSON object")
        return value

    def form(self) -> dict[str, str]:
        """The body as an HTML form, the first value of every name."""
        return {name: values[0] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    def parts(self) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
        """The body as a form with files (RFC 7578): the texts by name, and the name, type and content of every file."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return self.form(), []
        whole = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body, policy=policy.HTTP)
        fields: dict[str, str] = {}
        files: list[tuple[str, str, bytes]] = []
        for part in whole.iter_parts() if whole.is_multipart() else ():
            name = str(part.get_param("name", "", header="content-disposition"))
            content = part.get_payload(decode=True)
            if not isinstance(content, bytes):
                continue
            if part.get_filename() is None:
                fields[name] = content.decode("utf-8", "replace")
            elif part.get_filename():
                files.append((str(part.get_filename()), part.get_content_type(), content))
        return fields, files


@dataclass(frozen=True)
class Response:
    """One HTTP answer. With `cut_short` the connection ends before the body does: an answer that is lost."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_short: bool = False


Handler = Callable[..., Response]


class Router:
    """Finds the handler of a method and path; `{name}` stands for one part of the path."""

    def __init__(self, routes: Iterable[tuple[str, str, Handler]]) -> None:
        self._routes = [(method, _pattern(path), handler) for method, path, handler in routes]

    def find(self, method: str, path: str) -> Callable[[Request], Response] | None:
        """The handler with the parts of the path filled in, or None."""
        for known, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and known == method:
                return _bound(handler, match.groupdict())
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that a path answers to."""
        return [known for known, pattern, _ in self._routes if pattern.fullmatch(path)]


def read_request(environ: WSGIEnvironment) -> Request:
    """The request in a WSGI environment. Raises InvalidInput for a body that is too large."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY_BYTES:
        raise InvalidInput("too_large", f"The body has {length} bytes, more than {MAX_BODY_BYTES}")
    headers = {key[5:].replace("_", "-").lower(): str(value) for key, value in environ.items() if key[:5] == "HTTP_"}
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    return Request(
        method=str(environ["REQUEST_METHOD"]).upper(),
        # WSGI hands the decoded path over as Latin-1 whatever its bytes mean (PEP 3333).
        path=str(environ.get("PATH_INFO") or "/").encode("latin-1").decode("utf-8", "replace"),
        query=parse_qs(str(environ.get("QUERY_STRING") or ""), keep_blank_values=True),
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
        remote=str(environ.get("REMOTE_ADDR") or "127.0.0.1"),
    )


def respond(response: Response, start_response: StartResponse) -> list[bytes]:
    """Send an answer the WSGI way."""
    headers = list(response.headers.items())
    if response.status != 204:  # an answer without a body has no length either (RFC 9110)
        # An answer that is cut short promises one byte more than it sends, so that every client sees it break.
        length = len(response.body) + (1 if response.cut_short else 0)
        headers += [("Content-Type", response.content_type), ("Content-Length", str(length))]
    start_response(f"{response.status} {_reason(response.status)}", headers)
    return [response.body]


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of JSON."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, body, "application/json; charset=utf-8", headers or {})


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _bound(handler: Handler, parts: Mapping[str, str]) -> Callable[[Request], Response]:
    return lambda request: handler(request, **parts)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
