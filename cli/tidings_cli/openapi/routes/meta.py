"""The description itself."""

from __future__ import annotations

from tidings_cli.openapi.routes.route import Key, Route

ROUTES = (
    Route(
        "GET", "/openapi.json", "getOpenApi", "This document", {"type": "object", "required": ["openapi", "paths"]},
        key=Key.NONE,
    ),
)  # fmt: skip
