"""A server of somebody else: takes one call after the other at 127.0.0.1, and answers as a test says."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = bytes | Callable[[socket.socket], None]


@dataclass(frozen=True)
class Asked:
    """A call as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """What was asked, and what is answered next: bytes as they are, or a function that speaks by itself.

    The last answer is given again.
    """

    port: int
    answers: list[Answer] = field(default_factory=lambda: [answered(204)])
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook"


def answered(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer; underscores in names of headers are hyphens."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    told.setdefault("content-length", str(len(body)))
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in told.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def server(*answers: Answer, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server, while the block runs."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Server(listening.getsockname()[1])
    made.answers = list(answers) or made.answers
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            with suppress(OSError):
                plain, _ = listening.accept()
                made.connections += not over.is_set()
                plain.settimeout(5)
                with plain if context is None else context.wrap_socket(plain, server_side=True) as connection:
                    _serve(made, connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        over.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", made.port), 1).close()  # wakes the one that accepts
        listening.close()
        thread.join(6)


def _serve(made: Server, connection: socket.socket) -> None:
    reader = connection.makefile("rb")
    line = reader.readline().decode("latin-1").strip()
    if not line:
        return
    headers: dict[str, str] = {}
    while header := reader.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    made.asked.append(Asked(line, headers, reader.read(int(headers.get("content-length", "0")))))
    answer = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
    if callable(answer):
        answer(connection)
    else:
        connection.sendall(answer)


@dataclass(frozen=True)
class Secured:
    """TLS for a server with a name, and for who trusts it."""

    serving: ssl.SSLContext
    trusting: ssl.SSLContext


@cache
def secured(folder: Path, name: str) -> Secured:
    """A certificate of a name, or of an address, signed by itself; it is kept in a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = made.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(private + certificate)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return Secured(serving, ssl.create_default_context(cadata=certificate.decode()))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
