"""What the webhook fetches from SNS: once, whole, soon and small, and never from where a redirect leads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tidings.core.errors import Unavailable
from tidings.email import webhook
from tidings.email.webhook import MOST_BYTES, HttpsFetcher

Answer = Callable[[BaseHTTPRequestHandler], None]


def answering(status: int, body: bytes, **headers: str) -> Answer:
    """A server's answer."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


@contextmanager
def served(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server on this machine: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self)

        def log_message(self, *told: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/certificate.pem", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("size", [0, 1, MOST_BYTES])
def test_a_small_document_comes_whole(size: int) -> None:
    with served(answering(200, b"x" * size)) as (url, asked):
        assert HttpsFetcher().get(url) == b"x" * size
    assert asked == ["/certificate.pem"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with served(answering(status, b"moved", Location="/elsewhere")) as (url, asked), pytest.raises(Unavailable):
        HttpsFetcher().get(url)
    assert asked == ["/certificate.pem"]


@pytest.mark.parametrize("status", [204, 400, 403, 404, 500, 503])
def test_what_is_not_there_is_asked_for_once_and_not_had(status: int) -> None:
    with served(answering(status, b"")) as (url, asked), pytest.raises(Unavailable) as caught:
        HttpsFetcher().get(url)
    assert (caught.value.code, asked) == ("sns_unreachable", ["/certificate.pem"])


def test_what_is_too_large_is_not_had() -> None:
    with served(answering(200, b"x" * (MOST_BYTES + 1))) as (url, _), pytest.raises(Unavailable):
        HttpsFetcher().get(url)


def test_what_breaks_off_is_not_had() -> None:
    with served(answering(200, b"half", Content_Length="8")) as (url, _), pytest.raises(Unavailable):
        HttpsFetcher().get(url)


def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that listens, and that nobody answers at: the time is up at once, as it would be after seconds."""
    monkeypatch.setattr(webhook, "READ_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable) as caught:
        HttpsFetcher().get(f"http://127.0.0.1:{silent.getsockname()[1]}/certificate.pem")
    assert caught.value.code == "sns_unreachable"


def test_where_nobody_listens_nothing_is_had() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unavailable):
        HttpsFetcher().get(f"http://127.0.0.1:{port}/certificate.pem")
