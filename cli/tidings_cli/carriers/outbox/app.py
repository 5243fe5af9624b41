"""The outbox as a WSGI application: pages, JSON API and the links that count opens and clicks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from tidings.core.errors import Conflict, Forbidden, NotFound, TidingsError
from tidings_cli.carriers.outbox.api import OutboxApi, device
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.outbox.frame import Frame
from tidings_cli.carriers.outbox.pages import Pages
from tidings_cli.carriers.outbox.phone import Phone
from tidings_cli.carriers.outbox.sms_api import OutboxSmsApi
from tidings_cli.carriers.web import Handler, Request, Response, Router, json_response, read_request, respond

PREFIX = "/outbox"

# A transparent GIF of one pixel.
_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class Outbox:
    """Serves everything under `/outbox`, whether or not the server that mounts it strips that prefix."""

    def __init__(self, desk: Desk) -> None:
        self._recipient = desk.recipient
        self._public_host = urlsplit(desk.public_url).netloc
        self._frame = Frame(desk)
        tracking: list[tuple[str, str, Handler]] = [
            ("GET", "/t/{mail}/open.gif", self._open),
            ("GET", "/t/{mail}/{number}", self._click),
        ]
        parts = (OutboxApi(desk), OutboxSmsApi(desk), Pages(desk, self._frame), Phone(desk, self._frame))
        self._router = Router([*tracking, *(route for part in parts for route in part.routes())])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            request = read_request(environ)
        except TidingsError as error:
            return respond(json_response(error.as_dict(), error.status), start_response)
        path = request.path.removeprefix(PREFIX).rstrip("/") or "/"
        try:
            response = self._answer(request, path)
        except TidingsError as error:
            response = self._failed(error, path)
        lines = respond(response, start_response)
        return [] if request.method == "HEAD" else lines

    def _answer(self, request: Request, path: str) -> Response:
        # HEAD reads as GET does, but it neither opens nor clicks: those who ask so only check that a link is there.
        method = "GET" if request.method == "HEAD" and not path.startswith("/t/") else request.method
        handler = self._router.find(method, path)
        if handler is None:
            raise NotFound("unknown_path", f"The outbox has no {request.method} {PREFIX}{path}")
        if request.method not in ("GET", "HEAD"):
            self._check_origin(request)
        return handler(request)

    def _failed(self, error: TidingsError, path: str) -> Response:
        if path.startswith("/api/"):
            return json_response(error.as_dict(), error.status)
        return self._frame.failed(error, "sms" if path.startswith("/sms") else "mail")

    def _check_origin(self, request: Request) -> None:
        """Keep other websites, and scripts of mails, from acting here. Raises Forbidden."""
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc not in (request.headers.get("host"), self._public_host):
            raise Forbidden("foreign_origin", f"The outbox does not take orders from {origin}")

    def _open(self, request: Request, mail: str) -> Response:
        # A picture comes back in any case, also for a mail that never arrived, whose opens count for nothing.
        with suppress(Conflict):
            self._recipient.open(mail, device(request))
        return Response(200, _PIXEL, "image/gif", _NO_STORE)

    def _click(self, request: Request, mail: str, number: str) -> Response:
        if not number.isdigit():
            raise NotFound("unknown_link", "This is not a link of a mail")
        link = self._recipient.click(mail, int(number), device(request))
        return Response(302, headers={"Location": link.url, **_NO_STORE})
