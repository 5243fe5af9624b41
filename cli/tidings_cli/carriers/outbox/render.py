"""The outbox's templates (Liquid, everything escaped) and the headers its pages are served with."""

from __future__ import annotations

from importlib import resources
from typing import Any

from liquid import Environment, FileSystemLoader

from tidings_cli.carriers.web import Response

_HERE = resources.files(__package__)
_STATIC_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}

# The outbox's own pages: nothing from elsewhere, no inline script or style, and nobody may frame them.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail: pictures and styles as in a mail program, never a script, form, frame or plug-in. The sandbox gives it an
# origin of its own even when somebody opens its address outside the frame.
MAIL_SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_MAIL_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' http: https:;"
    " font-src http: https: data:; media-src http: https:; form-action 'none'; base-uri 'none';"
    f" frame-ancestors 'self'; sandbox {MAIL_SANDBOX}"
)
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
_COMMON = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class Renderer:
    """Renders templates; each is compiled once."""

    def __init__(self) -> None:
        loader = FileSystemLoader(str(_HERE / "templates"))
        self._environment = Environment(loader=loader, autoescape=True, extra=True)

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """A page of the outbox."""
        html = self._environment.get_template(f"{name}.html").render(**values)
        headers = {
            **_COMMON,
            "Content-Security-Policy": _PAGE_POLICY,
            "X-Frame-Options": "DENY",
            # With no-referrer, browsers would send the page's own forms with `Origin: null`, which is turned away.
            "Referrer-Policy": "same-origin",
        }
        return Response(status, html.encode(), "text/html; charset=utf-8", headers)


def mail_body(html: str) -> Response:
    """The HTML of a mail, for the frame."""
    return Response(
        200, html.encode(), "text/html; charset=utf-8", {"Content-Security-Policy": _MAIL_POLICY, **_COMMON}
    )


def download(content: bytes, content_type: str, name: str, inline: bool = False) -> Response:
    """A file of a mail. Only pictures are shown; everything else is saved."""
    shown = "inline" if inline and content_type.startswith("image/") else "attachment"
    # RFC 6266 and RFC 8187: a plain fallback and the real name.
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in " ._-") else "_" for sign in name)
    encoded = "".join(f"%{byte:02X}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in name.encode())
    disposition = f"{shown}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": _FILE_POLICY, **_COMMON}
    return Response(200, content, content_type, headers)


def static(name: str) -> Response | None:
    """One of the outbox's own files."""
    kind = _STATIC_TYPES.get(name.rpartition(".")[2])
    file = _HERE / "static" / name
    if kind is None or "/" in name or "\\" in name or not file.is_file():
        return None
    return Response(200, file.read_bytes(), kind, {**_COMMON, "Cache-Control": "no-cache"})
