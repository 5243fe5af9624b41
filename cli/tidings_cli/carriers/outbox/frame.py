"""What every page of the outbox stands in: it is sent only when something has changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from tidings.core.errors import TidingsError
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.outbox.render import Renderer
from tidings_cli.carriers.web import Request, Response


class Frame:
    """Renders pages. One asked for with the revision it shows answers 204 while nothing changed."""

    def __init__(self, desk: Desk) -> None:
        self._database = desk.database
        self._public_url = desk.public_url.rstrip("/")
        self._renderer = Renderer()
        self._boot = secrets.token_hex(4)

    def page(self, request: Request, name: str, tab: str, values: Callable[[], dict[str, Any]]) -> Response:
        """A page with the tab it belongs to."""
        if request.headers.get("x-seen-revision") == self._revision():
            return Response(204)
        # Read first: what changes while the page is put together then shows up at the next look.
        about = self._about(tab)
        return self._renderer.page(name, **about, **values())

    def failed(self, error: TidingsError, tab: str = "mail") -> Response:
        """A page that says what went wrong."""
        return self._renderer.page("failed", error.status, **self._about(tab), message=error.message)

    def _about(self, tab: str) -> dict[str, Any]:
        return {"tab": tab, "revision": self._revision(), "public_url": self._public_url}

    def _revision(self) -> str:
        return f"{self._boot}-{self._database.revision}"


def back(path: str) -> Response:
    """See what came of a form."""
    return Response(303, headers={"Location": path})
