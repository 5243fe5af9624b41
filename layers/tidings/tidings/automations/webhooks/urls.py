"""Which addresses a webhook may have, and which headers: what can be said before anybody is asked where a name leads.

An address is https, by a name. What a user wrote is never a number, however spelled (`127.0.0.1`, `0x7f.1`,
`2130706433`, `[::1]`), holds no password and no fragment. The machine that somebody develops on is the one exception:
`http://127.0.0.1:8000`, `http://localhost:8000`. Whether a name is one of the world outside says the gateway, when it
looks at where the name leads: `gateway`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

MAX_URL = 2000
MAX_HEADERS = 20
MAX_HEADER_VALUE = 4000

# All of ASCII that can be seen, but for what clients and servers read differently.
_URL = re.compile(r"[!-~]+")
_STRANGE = frozenset('\\"<>^`{|}')
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# A name whose last part begins so is a number to those that look it up: inet_aton(3), WHATWG URL "ends in a number".
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# RFC 9110, section 5.6.2: what the name of a header is made of.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_TEXT = re.compile(r"[ -~]*")
# Those that say how the call itself is made, and those that sign it.
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "expect", "te", "trailer", "upgrade"}
)
_OUR_PREFIXES = ("webhook-", "proxy-")


@dataclass(frozen=True, slots=True)
class Target:
    """An address in its parts; `authority` is the host with the port as written, `path` includes what is asked."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str

    @property
    def is_loopback(self) -> bool:
        """Whether it is the machine itself."""
        return self.host in _LOOPBACK


def read_url(url: str) -> Target:
    """The parts of an address. Raises ValueError, saying what is wrong, for one that no webhook can have."""
    if len(url) > MAX_URL:
        raise ValueError(f"must have at most {MAX_URL} characters")
    if not _URL.fullmatch(url) or _STRANGE & set(url):
        raise ValueError("must be an address of visible ASCII characters; others are written %C3%A9, or xn--… in names")
    if "#" in url:
        raise ValueError("must have no # part, which is not sent")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be an address such as https://hooks.example.com/tidings") from None
    target = Target(
        secure=parts.scheme == "https",
        host=(parts.hostname or "").lower(),
        port=port if port is not None else 443 if parts.scheme == "https" else 80,
        authority=parts.netloc,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    _require_form(parts, target)
    return target


def _require_form(parts: SplitResult, target: Target) -> None:
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not target.is_loopback):
        raise ValueError("must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("must hold no user name or password; a secret belongs into a header")
    if parts.netloc.endswith(":"):
        raise ValueError("must name a port after the colon")
    if target.is_loopback:
        return
    labels = target.host.split(".")
    if ":" in target.host or _NUMERIC.fullmatch(labels[-1]):
        raise ValueError("must have the name of a server, and not its number")
    if len(labels) < 2 or len(target.host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("must have the full name of a server, such as hooks.example.com")
    if target.port != 443 and target.port < 1024:
        raise ValueError("must have port 443, or one from 1024 on")


def checked_url(url: str) -> str:
    """The address as it is written. Raises ValueError as `read_url`."""
    read_url(url)
    return url


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they are written. Raises ValueError, naming the header but never its value, which may be a secret."""
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"must be at most {MAX_HEADERS} headers")
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name[:100]!r} is no name of a header")
        if lower in _OURS or lower.startswith(_OUR_PREFIXES):
            raise ValueError(f"{name} is not yours to set")
        if lower in seen:
            raise ValueError(f"{name} stands there twice")
        if len(value) > MAX_HEADER_VALUE or not _TEXT.fullmatch(value) or value != value.strip():
            raise ValueError(f"the value of {name} must be at most {MAX_HEADER_VALUE} ASCII characters in one line")
        seen.add(lower)
    return dict(headers)
