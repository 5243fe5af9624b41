"""What a POST to a page says: the fields of its form, or the one-click unsubscribing of RFC 8058."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from tidings.core.errors import InvalidInput
from tidings.core.http import Request

FORM_BYTES = 64 * 1024
FIELDS = 200
ONE_CLICK = "List-Unsubscribe"

Fields = Mapping[str, tuple[str, ...]]


def fields_in(request: Request) -> Fields:
    """The fields of a form, `application/x-www-form-urlencoded` or `multipart/form-data`; none of what is no form."""
    try:
        data = request.body(FORM_BYTES)
        kind = request.headers.get("content-type", "")
        pairs = _multipart(kind, data) if kind.lower().startswith("multipart/") else _urlencoded(data)
    except (InvalidInput, ValueError, LookupError, RecursionError):  # the last for parts within parts within parts
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def action_of(fields: Fields) -> str:
    """Which button of a page was pressed; empty for one-click unsubscribing, and for what nobody can read.

    Whoever POSTs to such an address wants no more mail: that is so of an empty body, too.
    """
    return "" if ONE_CLICK in fields else fields.get("action", ("",))[0]


def _urlencoded(data: bytes) -> list[tuple[str, str]]:
    return parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=FIELDS)


def _multipart(kind: str, data: bytes) -> list[tuple[str, str]]:
    from email import message_from_bytes, policy  # late: few come this way

    head = " ".join(kind.split()).encode("ascii", "replace")
    message = message_from_bytes(b"Content-Type: " + head + b"\r\n\r\n" + data, policy=policy.HTTP)
    found = []
    for part in list(message.walk())[1 : FIELDS + 1]:
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found.append((name, content.decode().strip("\r\n")))
    return found
