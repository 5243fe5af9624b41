"""A site of another origin than ours for a browser to look at."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.sdks.installed import PAGES, SDKS


class _Site(SimpleHTTPRequestHandler):
    """Pages of a shop, and the SDK as its package ships it for script tags below /sdk/."""

    def __init__(self, *args: Any, pages: Mapping[str, bytes], **named: Any) -> None:
        self._pages = pages
        super().__init__(*args, directory=str(SDKS), **named)

    def do_GET(self) -> None:
        page = self._pages.get(self.path.partition("?")[0])
        if page is None:
            return super().do_GET()
        self.send_response(200)
        self.send_header("content-type", "text/javascript" if self.path.endswith(".js") else "text/html; charset=utf-8")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        return None

    def translate_path(self, path: str) -> str:
        if path.startswith("/sdk/"):
            return str(PAGES / path.removeprefix("/sdk/").partition("?")[0])
        return super().translate_path(path)

    def log_message(self, *said: Any) -> None:
        """Tests have their own output."""


@contextmanager
def serve_shop(pages: Mapping[str, bytes] | None = None) -> Iterator[str]:
    """A site on a port of its own; its address. `pages` are more pages, by path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Site, pages=pages or {}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
