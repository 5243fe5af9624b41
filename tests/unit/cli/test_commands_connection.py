"""Which system a command talks to, and what it says when it cannot."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tidings_cli.client import ApiError, Client, Unreachable
from tidings_cli.connection import Local, choose, find_local
from tidings_cli.errors import CommandFailed

LOCAL = Local("http://127.0.0.1:4100", "sk_local")


class Answering(BaseHTTPRequestHandler):
    """Answers what its server was told to, and keeps what it was asked."""

    def answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        asked = (self.command, self.path, self.headers["authorization"], self.rfile.read(length))
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        self.server.hosts.append(self.headers["host"])  # type: ignore[attr-defined]
        status, body = self.server.told  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


class Server(HTTPServer):
    """A system that answers `told` to everything."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.hosts: list[str] = []
        self.told: tuple[int, bytes] = (200, b"{}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def told(client: Client) -> tuple[str, str]:
    return client.url, client._headers["authorization"]


def test_options_win_over_the_environment_and_that_over_a_local_system() -> None:
    environment = {"TIDINGS_URL": "https://env.example", "TIDINGS_SECRET_KEY": "sk_env"}
    assert told(choose("https://x.example/", "sk_x", environment, LOCAL)) == ("https://x.example", "Bearer sk_x")
    assert told(choose(None, None, environment, LOCAL)) == ("https://env.example", "Bearer sk_env")
    assert told(choose(None, None, {}, LOCAL)) == (LOCAL.url, "Bearer sk_local")


def test_the_local_system_named_by_its_address_needs_no_key() -> None:
    assert told(choose(LOCAL.url, None, {}, LOCAL)) == (LOCAL.url, "Bearer sk_local")
    assert told(choose(LOCAL.url, "sk_other", {}, LOCAL)) == (LOCAL.url, "Bearer sk_other")


def test_the_key_of_the_local_system_goes_nowhere_else() -> None:
    with pytest.raises(CommandFailed, match=r"No key was given; .* TIDINGS_SECRET_KEY"):
        choose("https://x.example", None, {}, LOCAL)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [(None, "none runs here; start one with: tidings local"), ("x.example", "is no address; write it like https://")],
)
def test_what_is_missing_is_said_with_what_to_do(url: str | None, sentence: str) -> None:
    with pytest.raises(CommandFailed, match=sentence):
        choose(url, "sk_x", {}, None)


def test_the_nearest_state_folder_is_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / ".tidings" / "local"
    state.mkdir(parents=True)
    (state / "state.json").write_text(json.dumps({"url": LOCAL.url, "keys": {"secret": "sk_local"}}))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_local(None) == LOCAL
    assert find_local(state) == LOCAL


def test_a_folder_without_a_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="is no state folder of a local system"):
        find_local(tmp_path)


def test_a_call_carries_the_key_and_quotes_what_stands_in_its_path(server: Server) -> None:
    Client(server.url, "sk_x").put("suppressions", "email", "a/b+c@example.com", body={"a": 1})
    assert server.asked == [("PUT", "/v1/suppressions/email/a%2Fb%2Bc%40example.com", "Bearer sk_x", b'{"a": 1}')]


def test_a_name_below_localhost_is_this_machine_and_is_called_by_that_name(server: Server) -> None:
    port = server.server_address[1]
    Client(f"http://api.execute-api.localhost:{port}", "sk_1").get("templates")
    assert server.hosts == [f"api.execute-api.localhost:{port}"]
    assert [path for _, path, _, _ in server.asked] == ["/v1/templates"]


def test_a_query_leaves_out_what_is_empty(server: Server) -> None:
    Client(server.url, "sk_x").get("contacts", user_id="", email="a+b@example.com")
    assert server.asked[0][1] == "/v1/contacts?email=a%2Bb%40example.com"


def test_a_refusal_has_the_code_and_what_to_do(server: Server) -> None:
    server.told = 404, b'{"code": "unknown_template", "message": "There is no template named x."}'
    with pytest.raises(
        ApiError, match=r"no template named x\. \(unknown_template\) .* tidings template apply"
    ) as error:
        Client(server.url, "sk_x").get("templates", "x")
    assert (error.value.status, error.value.code) == (404, "unknown_template")


def test_a_refusal_without_a_code_is_told_too(server: Server) -> None:
    server.told = 404, b'{"message": "Not Found"}'
    with pytest.raises(ApiError, match=r"^Not Found$"):
        Client(server.url, "sk_x").get("nothing")


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]"])
def test_an_answer_of_somebody_else_is_told_as_such(server: Server, body: bytes) -> None:
    server.told = 200, body
    with pytest.raises(CommandFailed, match="not from a Tidings API; check the address"):
        Client(server.url, "sk_x").get("contacts")


def test_nobody_there_is_told_with_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable, match=f"Nothing answers at {url}; check the address"):
        Client(url, "sk_x").get("contacts")
    with pytest.raises(Unreachable, match="start the local system again with: tidings local"):
        choose(None, None, {}, Local(url, "sk_x")).get("contacts")
