"""Calls to servers of somebody else: where they go, how long they take, and what is made of an answer."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.servers import Server, answered, secured, server

from tidings.automations.webhooks.gateway import MAX_ANSWER_BYTES, Heard, WebhookGateway, is_public

PUBLIC = "203.1.113.7"
OTHER = "203.1.113.8"
NAME = "hooks.example.com"


class Net:
    """The world outside: names, and addresses behind which a server here stands."""

    def __init__(self, there: Server, *addresses: str) -> None:
        self.addresses: list[Sequence[str]] = [list(addresses or [PUBLIC])]
        self.dead: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.reached: list[tuple[str, int]] = []
        self._port = there.port

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.reached.append(address)
        if address[0] in self.dead:
            raise TimeoutError
        return socket.create_connection(("127.0.0.1", self._port), timeout)


def posted(there: Server, seconds: float = 5, path: str = "/hook", body: bytes = b"{}") -> Heard:
    gateway = WebhookGateway([f"127.0.0.1:{there.port}"], seconds=seconds)
    return gateway.call("POST", f"http://127.0.0.1:{there.port}{path}", {"X-Key": "a"}, body)


# --- where it goes ----------------------------------------------------------------------------------------------------

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_none_of_the_world_outside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2606:4700::1111", "2a00:1450::1"])
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_that_python_calls_private_is_never_public_in_any_guise(address: ipaddress.IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))
    number = int(address)
    for carrier in (number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert not is_public(str(ipaddress.IPv6Address(carrier)))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_not_called(address: str) -> None:
    with server() as there:
        net = Net(there, address)
        heard = WebhookGateway(resolve=net.resolve, connect=net.connect).call("POST", f"https://{NAME}/", {}, b"{}")
        assert heard == Heard(0, reason=f"not called: {NAME} is not a public address")
        assert net.reached == []
        assert there.connections == 0


def test_one_private_address_among_public_ones_is_enough_to_refuse_the_name() -> None:
    with server() as there:
        net = Net(there, PUBLIC, "10.0.0.1")
        heard = WebhookGateway(resolve=net.resolve, connect=net.connect).call("POST", f"https://{NAME}/", {}, b"{}")
        assert not heard.again
        assert net.reached == []


def test_it_goes_to_the_address_that_was_looked_at_though_the_name_leads_elsewhere_by_now(tmp_path: Path) -> None:
    tls = secured(tmp_path, NAME)
    with server(context=tls.serving) as there:
        net = Net(there)
        net.addresses = [[PUBLIC], ["127.0.0.1"]]
        gateway = WebhookGateway(resolve=net.resolve, connect=net.connect, context=lambda: tls.trusting)
        assert gateway.call("POST", f"https://{NAME}:8443/in?a=b", {"X-Key": "a"}, b"{}").status == 204
        assert net.asked == [(NAME, 8443)]
        assert net.reached == [(PUBLIC, 8443)]
        (asked,) = there.asked
        assert asked.line == "POST /in?a=b HTTP/1.1"
        assert asked.headers["host"] == f"{NAME}:8443"
        assert not gateway.call("POST", f"https://{NAME}:8443/", {}, b"{}").went_well
        assert net.reached == [(PUBLIC, 8443)]


def test_a_certificate_of_another_name_is_no_answer(tmp_path: Path) -> None:
    tls = secured(tmp_path, "other.example.com")
    with server(context=tls.serving) as there:
        net = Net(there)
        gateway = WebhookGateway(resolve=net.resolve, connect=net.connect, context=lambda: tls.trusting)
        heard = gateway.call("POST", f"https://{NAME}/", {}, b"{}")
        assert heard.reason.startswith("no answer: the certificate is not good (Hostname mismatch")
        assert heard.again
        assert there.asked == []


def test_a_certificate_that_nobody_vouches_for_is_no_answer(tmp_path: Path) -> None:
    tls = secured(tmp_path, NAME)
    with server(context=tls.serving) as there:
        net = Net(there)
        heard = WebhookGateway(resolve=net.resolve, connect=net.connect).call("POST", f"https://{NAME}/", {}, b"{}")
        assert heard.reason.startswith("no answer: the certificate is not good (self-signed certificate")
        assert there.asked == []


def test_a_server_without_tls_is_no_answer() -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(answered(200))

    with server(speak) as there:
        net = Net(there)
        gateway = WebhookGateway(resolve=net.resolve, connect=net.connect, seconds=0.5)
        heard = gateway.call("POST", f"https://{NAME}/", {}, b"{}")
        assert (heard.status, heard.again) == (0, True)


def test_of_several_addresses_the_first_that_takes_a_connection_is_used(tmp_path: Path) -> None:
    tls = secured(tmp_path, NAME)
    with server(context=tls.serving) as there:
        net = Net(there, PUBLIC, OTHER)
        net.dead = {PUBLIC}
        gateway = WebhookGateway(resolve=net.resolve, connect=net.connect, context=lambda: tls.trusting)
        assert gateway.call("POST", f"https://{NAME}/", {}, b"{}").went_well
        assert net.reached == [(PUBLIC, 443), (OTHER, 443)]
        net.dead = {PUBLIC, OTHER}
        heard = gateway.call("POST", f"https://{NAME}/", {}, b"{}")
        assert heard == Heard(0, reason="no answer: the server cannot be reached", again=True)


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for resolve in (nowhere, lambda host, port: []):
        heard = WebhookGateway(resolve=resolve).call("POST", f"https://{NAME}/", {}, b"{}")
        assert heard == Heard(0, reason="no answer: nobody knows the name of the server", again=True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "https://127.0.0.1:{port}/", "http://[::1]:{port}/"]
)
def test_this_machine_is_called_only_where_it_is_trusted(url: str) -> None:
    with server() as there:
        heard = WebhookGateway().call("POST", url.format(port=there.port), {}, b"{}")
        assert "is not a public address" in heard.reason
        assert not heard.again
        assert there.connections == 0


@pytest.mark.parametrize(
    ("trusted", "goes"), [("127.0.0.1:{port}", True), ("127.0.0.1:*", True), ("127.0.0.1:1", False)]
)
def test_who_is_trusted_is_named_with_the_port_or_for_all_ports(trusted: str, goes: bool) -> None:
    with server() as there:
        gateway = WebhookGateway([trusted.format(port=there.port)])
        assert gateway.call("POST", there.url, {}, b"{}").went_well is goes


def test_a_trusted_name_may_lead_to_a_private_address(tmp_path: Path) -> None:
    tls = secured(tmp_path, NAME)
    with server(context=tls.serving) as there:
        net = Net(there, "10.0.0.1")
        gateway = WebhookGateway([f"{NAME}:443"], net.resolve, net.connect, lambda: tls.trusting)
        assert gateway.call("POST", f"https://{NAME}/", {}, b"{}").went_well


def test_an_address_that_no_webhook_may_have_is_not_called() -> None:
    heard = WebhookGateway().call("POST", "https://ada:s3cret@hooks.example.com/", {}, b"{}")
    assert (heard.status, heard.again) == (0, False)
    assert "s3cret" not in heard.reason


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as there:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert posted(there).went_well


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with server(answered(status, location="http://127.0.0.1:1/")) as there:
        assert posted(there) == Heard(status, reason=f"HTTP {status}: redirects are not followed")
        assert there.connections == 1


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_call_brings_its_headers_and_its_body_once() -> None:
    with server() as there:
        posted(there, path="/a?b=c", body=b'{"a": 1}')
        (asked,) = there.asked
        assert asked.line == "POST /a?b=c HTTP/1.1"
        assert asked.body == b'{"a": 1}'
        assert asked.headers == {
            "x-key": "a", "host": f"127.0.0.1:{there.port}", "connection": "close", "content-length": "8",
        }  # fmt: skip


# --- what is made of an answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "well", "again"),
    [
        (200, True, False),
        (201, True, False),
        (299, True, False),
        (400, False, False),
        (401, False, False),
        (404, False, False),
        (408, False, True),
        (409, False, False),
        (410, False, False),
        (425, False, True),
        (429, False, True),
        (500, False, True),
        (502, False, True),
        (503, False, True),
        (599, False, True),
    ],
)
def test_a_status_says_whether_it_went_well_and_whether_a_repeat_may_help(status: int, well: bool, again: bool) -> None:
    with server(answered(status, b"{}", content_type="application/json; charset=utf-8")) as there:
        heard = posted(there)
        assert (heard.status, heard.went_well, heard.again) == (status, well, again)
        assert (heard.body, heard.content_type) == (b"{}", "application/json")
        assert heard.reason == ("" if well else f"HTTP {status}")


LONG = b"a" * (MAX_ANSWER_BYTES + 1)


@pytest.mark.parametrize(
    "answer",
    [
        answered(200, LONG),
        answered(200, LONG, content_length=""),
        answered(200, b"abc", content_length="9"),
        answered(200, b"abc", content_encoding="gzip"),
        answered(200, b"zz\r\nabc", transfer_encoding="chunked", content_length=""),
        answered(200, b"3\r\nabc\r\n", transfer_encoding="chunked", content_length=""),
        answered(200, b"abc", content_length=str(10**12)),
    ],
    ids=["too long", "too long without a length", "cut off", "compressed", "no chunk", "no last chunk", "huge"],
)
def test_of_a_body_that_is_long_or_broken_the_status_counts(answer: bytes) -> None:
    with server(answer) as there:
        assert posted(there) == Heard(200, content_type="text/plain")


@pytest.mark.parametrize(
    "answer",
    [
        answered(200, b"abc", content_length=""),
        answered(200, b"3\r\nabc\r\n0\r\n\r\n", transfer_encoding="chunked", content_length=""),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answered(200, b"abc"),
        answered(200, b"abc", content_encoding="identity"),
    ],
    ids=["until its end", "in chunks", "after a while", "identity"],
)
def test_a_body_is_read_however_it_comes(answer: bytes) -> None:
    with server(answer) as there:
        assert posted(there).body == b"abc"


def test_the_longest_body_is_read_whole() -> None:
    with server(answered(200, LONG[1:])) as there:
        assert posted(there).body == LONG[1:]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\ncontent",
        b"\xff\xfe\x00",
    ],
    ids=["nothing", "another protocol", "no number", "a long header", "many headers", "half a head", "bytes"],
)
def test_what_is_no_answer_may_be_one_later(answer: bytes) -> None:
    with server(answer) as there:
        heard = posted(there)
        if heard.status:  # half a head is a head without its last line, to Python
            assert heard == Heard(200, content_type="text/plain")
        else:
            assert heard.again
            assert heard.reason.startswith("no answer: ")


@given(st.binary(max_size=200))
def test_whatever_a_server_says_is_an_answer_or_none(said: bytes) -> None:
    with server(said) as there:
        heard = posted(there)
        assert heard.status or heard.reason
    with server(b"HTTP/1.1 200 OK\r\n" + said) as there:
        heard = posted(there)
        assert heard.status or heard.reason


def test_a_port_at_which_nobody_listens_is_no_answer() -> None:
    with server() as there:
        pass
    heard = posted(there)
    assert heard == Heard(0, reason="no answer: ConnectionRefusedError", again=True)


# --- how long it takes ------------------------------------------------------------------------------------------------


def _silent(connection: socket.socket) -> None:
    connection.recv(1)


def _dripping(before: bytes) -> object:
    def drip(connection: socket.socket) -> None:
        connection.sendall(before)
        never = threading.Event()
        for _ in range(200):
            connection.sendall(b"a")
            never.wait(0.05)

    return drip


def _endless(connection: socket.socket) -> None:
    for _ in range(10_000_000):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [_silent, _dripping(b""), _dripping(b"HTTP/1.1 200 OK\r\nx: "), _endless],
    ids=["silent", "line", "header", "go on"],
)
def test_a_call_is_over_in_its_time_however_slowly_a_server_speaks(answer: object) -> None:
    with server(answer) as there:  # type: ignore[arg-type]
        began = monotonic()
        assert posted(there, 0.3) == Heard(0, reason="no answer within 0.3 seconds", again=True)
        assert monotonic() - began < 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"])
def test_a_body_that_drips_is_let_go_and_the_status_counts(head: bytes) -> None:
    with server(_dripping(head)) as there:  # type: ignore[arg-type]
        began = monotonic()
        assert posted(there, 0.3) == Heard(200, content_type="text/plain")
        assert monotonic() - began < 2


def test_a_server_that_drips_over_tls_is_cut_off_too(tmp_path: Path) -> None:
    tls = secured(tmp_path, NAME)
    with server(_dripping(b"HTTP/1.1 200 OK\r\nx: "), context=tls.serving) as there:  # type: ignore[arg-type]
        net = Net(there)
        gateway = WebhookGateway((), net.resolve, net.connect, lambda: tls.trusting, seconds=0.5)
        began = monotonic()
        assert gateway.call("POST", f"https://{NAME}/", {}, b"{}").reason == "no answer within 0.5 seconds"
        assert monotonic() - began < 2


def test_a_server_that_never_shakes_hands_is_let_go() -> None:
    with server(_silent) as there:
        net = Net(there)
        began = monotonic()
        gateway = WebhookGateway((), net.resolve, net.connect, seconds=0.3)
        assert gateway.call("POST", f"https://{NAME}/", {}, b"{}").again
        assert monotonic() - began < 2


def test_a_name_server_that_does_not_answer_is_not_waited_for() -> None:
    never = threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        never.wait(3)
        return []

    began = monotonic()
    heard = WebhookGateway(resolve=resolve, seconds=0.3).call("POST", f"https://{NAME}/", {}, b"{}")
    never.set()
    assert heard == Heard(0, reason="no answer within 0.3 seconds", again=True)
    assert monotonic() - began < 2


def test_a_server_that_does_not_read_is_let_go() -> None:
    def deaf(connection: socket.socket) -> None:
        _silent(connection)

    with server(deaf) as there:
        began = monotonic()
        assert posted(there, 0.3, body=b"a" * 256 * 1024).again
        assert monotonic() - began < 2
