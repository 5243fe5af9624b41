"""The front port, the recorder and the servers behind them, over real sockets."""

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tidings_cli.errors import CommandFailed
from tidings_cli.local.exchange import Handler, Request, Response
from tidings_cli.local.proxy import LARGEST_BODY, front
from tidings_cli.local.recorder import Recorder
from tidings_cli.local.server import Server, free_port, listen, port_of
from tidings_cli.local.upstream import Upstream
from tidings_cli.local.wsgi import wsgi


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Handler], int]]:
    """Serves handlers and stops them when the test is over; returns their ports."""
    with ExitStack() as stack:

        def begin(handler: Handler, threads: int = 16) -> int:
            listener = listen(0, "a test")
            port = port_of(listener)
            server = Server(handler, listener, tmp_path / "servers.log", threads)
            stack.callback(server.stop)
            server.start()
            return port

        yield begin


class Engine:
    """Stands for the engine: keeps what it was asked, and answers as it was told."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer = Response(200, [("content-type", "application/json")], b"{}")

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answer


@pytest.fixture
def engine() -> Engine:
    return Engine()


def outbox(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response(
        "200 OK", [("content-type", "text/plain; charset=utf-8"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
    )
    said = {key: environ[key] for key in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME")}
    said["body"] = environ["wsgi.input"].read().decode()
    return [json.dumps(said).encode()]


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def url(serve: Callable[[Handler], int], engine: Engine, warnings: list[str]) -> str:
    upstream = Upstream("127.0.0.1", serve(engine))
    return f"http://127.0.0.1:{serve(front(upstream, 'api1', wsgi(outbox), warnings.append))}"


def ask(method: str, url: str, **arguments: Any) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, url, retries=False, timeout=10, **arguments)


@pytest.mark.parametrize("path", ["/", "/outbox", "/outbox/mails?state=new"])
def test_people_reach_the_outbox(url: str, engine: Engine, path: str) -> None:
    said = ask("GET", url + path).json()
    assert said["PATH_INFO"] == path.partition("?")[0]
    assert said["QUERY_STRING"] == path.partition("?")[2]
    assert engine.asked == []


@pytest.mark.parametrize("path", ["/v1/track", "/u/abc", "/outboxes", "/v1/contacts?email=a%2Bb%40example.com"])
def test_everything_else_goes_to_the_api(url: str, engine: Engine, path: str) -> None:
    assert ask("GET", url + path).status == 200
    assert engine.asked[0].target == f"/_aws/execute-api/api1/$default{path}"


def test_an_escaped_path_arrives_as_it_was_sent(url: str, engine: Engine) -> None:
    ask("PUT", f"{url}/v1/suppressions/email/a%2Fb%40example.com", body=b"{}")
    assert engine.asked[0].path.endswith("/v1/suppressions/email/a%2Fb%40example.com")


def test_the_function_sees_who_called_and_by_which_name(url: str, engine: Engine) -> None:
    ask("GET", f"{url}/v1/x", headers={"host": "tidings.test:4100", "x-forwarded-for": "6.6.6.6", "x-own": "kept"})
    seen = engine.asked[0]
    assert seen.header("host") == "tidings.test:4100"
    assert seen.header("x-forwarded-for") == "127.0.0.1"
    assert seen.header("x-forwarded-port") == "4100"
    assert seen.header("x-own") == "kept"


def test_a_compressed_body_arrives_byte_for_byte_and_as_binary(url: str, engine: Engine) -> None:
    body = gzip.compress(b'{"event": "x"}')
    ask("POST", f"{url}/v1/track", body=body, headers={"content-type": "application/json", "content-encoding": "gzip"})
    assert engine.asked[0].body == body
    assert engine.asked[0].header("content-encoding") == "gzip"
    assert engine.asked[0].header("content-type") == "application/octet-stream"


def test_binary_bodies_pass_both_ways(url: str, engine: Engine) -> None:
    everything = bytes(range(256)) * 40
    engine.answer = Response(201, [("content-type", "image/png"), ("content-encoding", "gzip")], everything)
    answer = ask("POST", f"{url}/v1/x", body=everything, decode_content=False)
    assert (answer.status, answer.data, engine.asked[0].body) == (201, everything, everything)


def test_a_chunked_body_arrives_whole(url: str, engine: Engine) -> None:
    ask("POST", f"{url}/v1/x", body=iter([b"one ", b"two"]), headers={"transfer-encoding": "chunked"})
    assert engine.asked[0].body == b"one two"
    assert engine.asked[0].header("transfer-encoding") == ""


def test_a_preflight_reaches_the_api_and_its_answer_comes_back(url: str, engine: Engine) -> None:
    engine.answer = Response(204, [("access-control-allow-headers", "authorization"), ("vary", "Origin")])
    answer = ask("OPTIONS", f"{url}/v1/track", headers={"origin": "https://a.example"})
    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == "authorization"
    assert (engine.asked[0].method, engine.asked[0].header("origin")) == ("OPTIONS", "https://a.example")


def test_headers_that_come_twice_are_not_joined(url: str) -> None:
    assert ask("GET", f"{url}/outbox").headers.getlist("set-cookie") == ["a=1", "b=2"]


def test_a_body_larger_than_api_gateway_takes_is_refused(url: str, engine: Engine) -> None:
    assert ask("POST", f"{url}/v1/batch", body=b"x" * (LARGEST_BODY + 1)).status == 413
    assert engine.asked == []


def test_an_answer_to_head_has_no_body(url: str, engine: Engine) -> None:
    engine.answer = Response(200, [("content-length", "17")], b"")
    answer = ask("HEAD", f"{url}/v1/x")
    assert (answer.status, answer.data) == (200, b"")


def test_a_fault_is_told_and_a_refusal_is_not(url: str, engine: Engine, warnings: list[str]) -> None:
    engine.answer = Response(404, [], b'{"message": "no"}')
    ask("GET", f"{url}/v1/x")
    engine.answer = Response(502, [], b'{"errorMessage": "a setting is missing"}')
    assert ask("POST", f"{url}/v1/x?key=secret").status == 502
    assert warnings == ['POST /v1/x was answered with 502: {"errorMessage": "a setting is missing"}']


def test_an_engine_that_is_gone_is_a_bad_gateway(serve: Callable[[Handler], int], warnings: list[str]) -> None:
    port = serve(front(Upstream("127.0.0.1", free_port()), "api1", wsgi(outbox), warnings.append))
    answer = ask("GET", f"http://127.0.0.1:{port}/v1/x")
    assert (answer.status, answer.json()) == (502, {"message": "The local engine does not answer."})


def test_requests_are_handled_at_the_same_time(serve: Callable[[Handler], int]) -> None:
    together = threading.Barrier(8, timeout=10)

    def wait_for_the_others(request: Request) -> Response:
        together.wait()
        return Response(200)

    port = serve(wait_for_the_others)
    answers: list[int] = []
    callers = [
        threading.Thread(target=lambda: answers.append(ask("GET", f"http://127.0.0.1:{port}/").status))
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [200] * 8


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with (
        listen(0, "a test") as taken,
        pytest.raises(CommandFailed, match=r"^The port \d+ for the local system cannot be had"),
    ):
        listen(port_of(taken), "the local system")


def test_a_port_that_is_taken_is_not_free() -> None:
    with listen(0, "a test") as taken:
        assert free_port(port_of(taken)) != port_of(taken)


def signed(service: str, function: str, body: bytes = b"{}", **headers: str) -> dict[str, Any]:
    credential = f"AWS4-HMAC-SHA256 Credential=0/20261121/us-east-1/{service}/aws4_request, SignedHeaders=host"
    agent = f"Botocore/1 md/x app/{function}"
    return {"body": body, "headers": {"authorization": credential, "user-agent": agent, **headers}}


def test_calls_are_written_down_and_passed_on_unchanged(
    serve: Callable[[Handler], int], engine: Engine, tmp_path: Path
) -> None:
    carrier = Engine()
    recorder = Recorder(tmp_path / "deep" / "calls.jsonl", engine, {"ses": carrier})
    url = f"http://127.0.0.1:{serve(recorder.handle)}"
    put = signed("dynamodb", "TrackFunction", b'{"TableName": "T"}', **{"x-amz-target": "DynamoDB_20120810.PutItem"})
    ask("POST", f"{url}/", **put)
    ask("POST", f"{url}/v2/email/outbound-emails", **signed("ses", "SendEmailFunction"))
    recorder.close()
    lines = [json.loads(line) for line in (tmp_path / "deep" / "calls.jsonl").read_text().splitlines()]
    assert [(line["function"], line["action"]) for line in lines] == [
        ("TrackFunction", "dynamodb:PutItem"),
        ("SendEmailFunction", "ses:SendEmail"),
    ]
    assert engine.asked[0].header("authorization") == put["headers"]["authorization"]
    assert engine.asked[0].header("host") == url.removeprefix("http://")
    assert [request.path for request in carrier.asked] == ["/v2/email/outbound-emails"]


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(CommandFailed, match="Calls cannot be recorded in"):
        Recorder(tmp_path, engine, {})
