"""Every error that Tidings raises on purpose.

TidingsError
├── InvalidInput        400  the caller sent something that can never work; names the field
├── Unauthorized        401  no key, or one that nobody knows
├── Forbidden           403  the key is known but may not do this
├── NotFound            404
├── Conflict            409  somebody else changed it first, or the same id came with another body
├── Throttled           429  carries the seconds to wait
└── Unavailable         503  a fault of ours or of AWS; trying again is right

`core.http` maps them to answers, once. On the wire each is `{"code", "message", "field"?}`.
"""

from __future__ import annotations

from typing import Any


class TidingsError(Exception):
    """Base of all; `code` is stable and for programs, `message` is for people, `field` says where."""

    status = 500

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field

    def as_dict(self) -> dict[str, Any]:
        """The error as it stands on the wire."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        return body


class InvalidInput(TidingsError):
    """The caller sent something that can never work."""

    status = 400


class Unauthorized(TidingsError):
    """No key, or one that nobody knows."""

    status = 401


class Forbidden(TidingsError):
    """The key is known but may not do this."""

    status = 403


class NotFound(TidingsError):
    """What was asked for is not there, or not in the caller's workspace."""

    status = 404


class Conflict(TidingsError):
    """Somebody changed it first, or the same id came with another body."""

    status = 409


class Throttled(TidingsError):
    """Too much at once; `retry_after` is in seconds."""

    status = 429

    def __init__(self, code: str, message: str, retry_after: int = 1) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class Unavailable(TidingsError):
    """A fault of ours or of AWS; trying again is right."""

    status = 503
