"""The HTTP API in front of the functions, in one process: a WSGI application over the real handlers.

It makes of a request the event that API Gateway would send (payload format 2.0), and of the function's answer a
response. What API Gateway answers itself carries the header `x-amzn-errortype`, as there.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.support.template import routes
from tests.support.world import World

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

OWN_ANSWER = "x-amzn-errortype"
_TEXT = re.compile(r"^(?:text/|application/(?:json|javascript|xml|x-www-form-urlencoded))", re.IGNORECASE)


class Front:
    """Routes requests to a world's functions. A handler's exception is raised: it would be a 500 to the caller."""

    def __init__(self, world: World) -> None:
        self._world = world
        # A route without variables comes before one that has some in its place.
        self._routes = [
            (*route.split(" "), function)
            for route, function in sorted(routes().items(), key=lambda entry: entry[0].count("{"))
        ]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request, as WSGI has it."""
        raw = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
        found = self._find(environ["REQUEST_METHOD"], once_decoded(raw))
        if found is None:
            return _answer(start_response, 404, {OWN_ANSWER: "NotFoundException"}, b'{"message":"Not Found"}')
        function, route, variables = found
        answer = self._world.invoke(function, _event(environ, route, raw, variables))
        body = answer.get("body", "")
        data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        return _answer(start_response, answer["statusCode"], answer.get("headers", {}), data)

    def _find(self, method: str, path: str) -> tuple[str, str, dict[str, str]] | None:
        for routed, pattern, function in self._routes:
            variables = _variables(pattern, path) if routed == method else None
            if variables is not None:
                return function, f"{routed} {pattern}", variables
        return None


def once_decoded(path: str) -> str:
    """A path as API Gateway hands it on: every escape is decoded but that of the percent sign itself."""
    return "%25".join(unquote(part) for part in path.split("%25"))


def _variables(pattern: str, path: str) -> dict[str, str] | None:
    expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern))
    match = re.fullmatch(expression, path, re.DOTALL)
    return match.groupdict() if match else None


def _event(environ: Environ, route: str, raw: str, variables: dict[str, str]) -> dict[str, Any]:
    data = environ["wsgi.input"].read() if environ.get("wsgi.input") else b""
    headers = dict(_headers(environ))
    is_text = bool(_TEXT.match(headers.get("content-type", "")))
    query: dict[str, str] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    path = once_decoded(raw)
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": environ.get("QUERY_STRING", ""),
        "headers": headers,
        "requestContext": {
            "http": {"method": environ["REQUEST_METHOD"], "path": path, "sourceIp": "203.0.113.9", "userAgent": "test"},
            "routeKey": route,
            "stage": "$default",
        },
        "isBase64Encoded": bool(data) and not is_text,
    }
    if data:
        event["body"] = data.decode("utf-8", "replace") if is_text else base64.b64encode(data).decode()
    return (
        event
        | ({"pathParameters": variables} if variables else {})
        | ({"queryStringParameters": query} if query else {})
    )


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-").lower(), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-").lower(), value


def _answer(start_response: StartResponse, status: int, headers: Mapping[str, str], body: bytes) -> list[bytes]:
    given = {"content-type": "application/json", **{name.lower(): value for name, value in headers.items()}}
    start_response(f"{status} {HTTPStatus(status).phrase}", [*given.items(), ("content-length", str(len(body)))])
    return [body]


def ask(
    front: Front, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    """One request: status, headers, and JSON or else text. The path is escaped already and may have a query."""
    from werkzeug.test import Client

    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {"content-type": "application/json", **(headers or {})}
    answer = Client(front).open(path, method=method, data=data, headers=given)
    said = answer.get_json() if answer.is_json and answer.data else answer.get_data(as_text=True)
    return answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, said
