"""Calls to servers of somebody else, at an address that a user wrote: never at a private one.

A name is looked up once; every address that it has must be public; and the connection goes to one that was looked at,
so that a name that leads elsewhere the next time it is asked leads nowhere. The certificate must be the name's.
Redirects are not followed, and no proxy of the environment is used. The whole call is over within `CALL_SECONDS`,
however slowly a server speaks, and of its answer `MAX_ANSWER_BYTES` are read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from tidings.automations.webhooks.urls import Target, read_url
from tidings.core.clock import ticks

MAX_ANSWER_BYTES = 16 * 1024
CALL_SECONDS = 20.0
LOOKUP_SECONDS = CONNECT_SECONDS = 5.0
ADDRESSES_TRIED = 3

# IANA's registry of special-purpose addresses, as far as `is_global` of some Python says otherwise; 6to4 relays.
_RESERVED_V4 = [ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24")]
# All that is given out to anybody. What leads on to an IPv4 address (::ffff:0:0/96, 64:ff9b::/96) lies outside of it.
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# Within it: protocols (Teredo among them), documentation twice, and 6to4, behind which any IPv4 address may stand.
_RESERVED_V6 = [ipaddress.ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# What a repeat may change: the server was busy, or something in between.
_AGAIN = frozenset({408, 425, 429})

Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[tuple[str, int], float], socket.socket]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a call. `status` is 0 where no answer came, and `reason` says why; `again` if a repeat may help.

    `body` is empty where it was too long, compressed, or did not come whole.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    reason: str = ""
    again: bool = False

    @property
    def went_well(self) -> bool:
        """Whether the server took it."""
        return 200 <= self.status < 300


class _Refused(Exception):
    """The call is not made; the text says why."""


class WebhookGateway:
    """Calls servers outside.

    `trusted` are hosts with their ports that may be private, such as `127.0.0.1:8000`, or `127.0.0.1:*` for any port.
    """

    def __init__(
        self,
        trusted: Iterable[str] = (),
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        seconds: float = CALL_SECONDS,
    ) -> None:
        self._trusted = frozenset(trusted)
        self._resolve = resolve or _resolved
        self._connect = connect or socket.create_connection
        self._context = context
        self._seconds = seconds
        self._secured: ssl.SSLContext | None = None

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        """One attempt; never raises for what the other side does. Logs nothing."""
        deadline = ticks() + self._seconds
        try:
            target = _target(url)
            with self._connection(target, deadline) as connection:
                return _exchanged(connection, method, target, headers, body)
        except _Refused as error:
            return Heard(0, reason=f"not called: {error}")
        # Some of what Python raises for an answer that is none is a ValueError, as is what it says of certificates.
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Heard(0, reason=_silence(error, deadline, self._seconds), again=True)

    @contextmanager
    def _connection(self, target: Target, deadline: float) -> Iterator[_Cut]:
        sock = self._reach(self._addresses(target, deadline), target.port, deadline)
        try:
            if target.secure:
                sock.settimeout(_left(deadline))  # that of the whole handshake
                sock = self._secure().wrap_socket(sock, server_hostname=target.host)
            with _Cut(sock, deadline) as cut:
                yield cut
        finally:
            sock.close()

    def _addresses(self, target: Target, deadline: float) -> Sequence[str]:
        """Where the name leads, if it may be called. Raises OSError where nobody knows it."""
        trusted = not self._trusted.isdisjoint({f"{target.host}:{target.port}", f"{target.host}:*"})
        if not trusted and (not target.secure or target.is_loopback):
            raise _Refused(f"{target.host} is not a public address")
        seconds = min(LOOKUP_SECONDS, _left(deadline))
        addresses = _within(seconds, lambda: self._resolve(target.host, target.port))
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        if not trusted and not all(map(is_public, addresses)):
            raise _Refused(f"{target.host} is not a public address")
        return addresses

    def _reach(self, addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
        """A connection to the first address that takes one: a name may have some that cannot be reached from here."""
        tried = addresses[:ADDRESSES_TRIED]
        for address in tried[:-1]:
            try:
                return self._connect((address, port), min(CONNECT_SECONDS, _left(deadline)))
            except OSError:
                continue
        return self._connect((tried[-1], port), min(CONNECT_SECONDS, _left(deadline)))

    def _secure(self) -> ssl.SSLContext:
        # Reading all the certificates of the world takes tens of milliseconds: once, and only if somebody is called.
        if self._secured is None:
            self._secured = self._context()
        return self._secured


class _Cut:
    """A connection that is cut when the time is up, so that a server that sends a byte a second gets no more of it."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock = sock
        self.is_cut = False
        seconds = _left(deadline)
        sock.settimeout(seconds)
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Cut:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.is_cut = True
        with suppress(OSError):  # it is closed already
            # Not the SSLSocket's own, which takes TLS away from whoever is reading just now.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def is_public(address: str) -> bool:
    """Whether an IP address may be somebody's server in public.

    IPv6 that carries an IPv4 address, whatever that is, counts as private: no server has only such a one.
    """
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv4Address):
        reserved = place.is_multicast or place.is_reserved or any(place in network for network in _RESERVED_V4)
        return place.is_global and not reserved
    if place.scope_id is not None or place not in _GLOBAL_V6:
        return False
    return place.is_global and not any(place in network for network in _RESERVED_V6)


def _target(url: str) -> Target:
    try:
        return read_url(url)
    except ValueError as error:
        raise _Refused(f"the address {error}") from None


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _exchanged(connection: _Cut, method: str, target: Target, headers: Mapping[str, str], body: bytes) -> Heard:
    """Ask and read. Raises OSError and HTTPException where no whole head of an answer comes."""
    asking = http.client.HTTPConnection(target.host, target.port)
    asking.sock = connection.sock
    asking.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
    for name, value in {**headers, "Host": target.authority, "Connection": "close"}.items():
        asking.putheader(name, value)
    asking.putheader("Content-Length", str(len(body)))
    asking.endheaders(body)
    answer = asking.getresponse()
    if connection.is_cut:  # to Python, a head without its last lines is one
        raise TimeoutError
    status = answer.status
    if 300 <= status < 400:
        return Heard(status, reason=f"HTTP {status}: redirects are not followed")
    told = _body_of(answer, connection)
    reason = "" if 200 <= status < 300 else f"HTTP {status}"
    return Heard(status, told, answer.headers.get_content_type(), reason, status in _AGAIN or status >= 500)


def _body_of(answer: http.client.HTTPResponse, connection: _Cut) -> bytes:
    """The body, if it is short, not compressed and came whole; the status counts without it too."""
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return b""
    try:
        told = answer.read(MAX_ANSWER_BYTES + 1)
    except (OSError, http.client.HTTPException, ValueError):
        return b""
    whole = not connection.is_cut and not answer.length
    return told if whole and len(told) <= MAX_ANSWER_BYTES else b""


def _silence(error: Exception, deadline: float, seconds: float) -> str:
    """Why no answer came, in words that name nothing of what was sent."""
    if isinstance(error, socket.gaierror):
        return "no answer: nobody knows the name of the server"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"no answer: the certificate is not good ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "no answer: no secure connection came about"
    if ticks() >= deadline:
        return f"no answer within {seconds:g} seconds"
    if isinstance(error, TimeoutError):
        return "no answer: the server cannot be reached"
    return f"no answer: {type(error).__name__}"


def _left(deadline: float) -> float:
    left = deadline - ticks()
    if left <= 0:
        raise TimeoutError
    return left


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What the work gives, if it does so in time. The system's look-up of names knows no limit: who waits for it does.

    Raises TimeoutError, and what the work raises.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            failed.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError
    return done[0]
