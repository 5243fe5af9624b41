"""Servers of the launcher's own, on 127.0.0.1: plain handlers behind hypercorn.

Hypercorn comes with the engine and speaks HTTP properly (keep-alive, chunks, Expect); a handler here is a blocking
function from a whole request to a whole answer, run in a thread of its server's own. Servers never share threads: a
call that waits for a function that waits for a call must not starve it.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tidings_cli.errors import CommandFailed
from tidings_cli.local.exchange import HOST, Handler, Request, Response


def listen(port: int, purpose: str) -> socket.socket:
    """A socket that takes connections on 127.0.0.1; port 0 is any free one. Raises CommandFailed if it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise CommandFailed(
            f"The port {port} for {purpose} cannot be had ({error.strerror}); free it, or name another with --port."
        ) from error
    return listener


def port_of(listener: socket.socket) -> int:
    """The port of a listening socket."""
    return int(listener.getsockname()[1])


def free_port(preferred: int = 0) -> int:
    """`preferred` if it is free, else any free port."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port_of(probe)
    raise CommandFailed("No port is free on 127.0.0.1.")


class Server:
    """Serves one handler on one listening socket, in the background, until it is stopped."""

    def __init__(self, handler: Handler, listener: socket.socket, log: Path, threads: int = 64) -> None:
        self._handler = handler
        self._listener = listener
        self._log = log
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="serve")
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def start(self) -> None:
        """Begin to answer; those who connected before are answered now."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests under way and close, within a few seconds."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        config = Config()
        config.bind = [f"fd://{self._listener.detach()}"]
        config.errorlog = str(self._log)
        config.loglevel = "WARNING"
        config.include_server_header = False
        config.keep_alive_timeout = 75
        config.keep_alive_max_requests = sys.maxsize
        config.graceful_timeout = 2
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(serve(self._app, config, shutdown_trigger=self._stopping.wait, mode="asgi"))
        self._loop.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            request = await _read(scope, receive)
            answer = await self._loop.run_in_executor(self._workers, self._handler, request)
            await _write(answer, send, bodiless=request.method == "HEAD")


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _read(scope: Any, receive: Any) -> Request:
    body = bytearray()
    while True:
        message = await receive()
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            break
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    client = scope.get("client") or (HOST, 0)
    return Request(scope["method"], target, headers, bytes(body), client[0])


async def _write(answer: Response, send: Any, bodiless: bool) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if not any(name == b"content-length" for name, _ in headers) and answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})
