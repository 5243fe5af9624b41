"""The one port for people and SDKs: the outbox for people, and everything else to the HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from threading import BoundedSemaphore

from tidings_cli.local.exchange import Handler, Request, Response, error_response
from tidings_cli.local.upstream import Upstream

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
LARGEST_BODY = 10 * 1024 * 1024

# How much of what a fault says is passed on to the terminal, in bytes.
LONGEST_REASON = 300

# The engine starts a process for every call that runs at the same time, of 60 MB and more. Those above this many wait.
CALLS_AT_ONCE = 16


def front(engine: Upstream, api_id: str, outbox: Handler, warn: Callable[[str], None]) -> Handler:
    """A handler for the front port. `outbox` answers `/` and what stands under `/outbox`; `warn` is told of faults."""
    turns = BoundedSemaphore(CALLS_AT_ONCE)

    def handle(request: Request) -> Response:
        if request.path == "/" or request.path == "/outbox" or request.path.startswith("/outbox/"):
            return outbox(request)
        if len(request.body) > LARGEST_BODY:
            return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        with turns:
            answer = engine.send(_to_api(request, api_id))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            said = answer.body[:LONGEST_REASON].decode("utf-8", "replace")
            warn(f"{request.method} {request.path} was answered with {answer.status}: {said}")
        return answer

    return handle


def _to_api(request: Request, api_id: str) -> Request:
    """The request as the engine's API Gateway takes it.

    The API is named in the path, not by a host like `ID.execute-api.localhost`: such names do not resolve everywhere,
    and so the function sees the host that its caller used, as it would behind a domain of its own.
    """
    headers = [(name, value) for name, value in request.headers if not name.startswith("x-forwarded-")]
    if request.header("content-encoding") not in ("", "identity"):
        # API Gateway hands a compressed body over in base64. The engine decides by the content type alone, and would
        # decode the bytes as text where it says JSON: so it is told a type that is binary.
        headers = [(name, value) for name, value in headers if name != "content-type"]
        headers.append(("content-type", "application/octet-stream"))
    _, _, port = request.header("host").partition(":")
    headers += [
        ("x-forwarded-for", request.client),
        ("x-forwarded-port", port or "80"),
        ("x-forwarded-proto", "http"),
    ]
    target = f"/_aws/execute-api/{api_id}/$default{request.target}"
    return Request(request.method, target, headers, request.body, request.client)
