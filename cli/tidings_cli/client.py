"""A small client of the HTTP API: JSON in, JSON out, and errors that say what went wrong and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from tidings_cli.errors import CommandFailed

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0

_NEXT = {
    "missing_api_key": "give the secret key with --key or TIDINGS_SECRET_KEY",
    "invalid_api_key": "give a valid secret key with --key or TIDINGS_SECRET_KEY",
    "secret_key_required": "give the workspace's secret key, which starts with sk_",
    "unknown_template": "apply it first: tidings template apply FILE",
    "unknown_node": "copy one from tidings contact timeline, messages or enrolments",
    "invalid_node": "copy one from tidings contact timeline, messages or enrolments",
    "unknown_sender": "add it first: tidings domain add DOMAIN",
    "unknown_automation": "see which there are: tidings automation list",
}


class ApiError(CommandFailed):
    """The API refused a call. `code` and `problems` are the API's own; see the table in docs/developers.md."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", ""))
        self.problems: list[dict[str, str]] = list(body.get("problems", []))
        message = str(body.get("message", "")) or f"the API answered {status}"
        advice = f" To mend it, {_NEXT[self.code]}." if self.code in _NEXT else ""
        super().__init__(f"{message}{f' ({self.code})' if self.code else ''}{advice}")


class Unreachable(CommandFailed):
    """Nobody answers at the address."""


class Client:
    """Calls one system with one secret key."""

    def __init__(self, url: str, key: str, hint: str = "") -> None:
        self.url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._hint = hint or "check the address given with --url or TIDINGS_URL"
        self._base, host = _here(self.url)
        self._headers |= {"host": host} if host else {}
        self._pool = _pool(self._base)

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        """The answer to a GET. Raises ApiError and Unreachable."""
        return self._call("GET", path, _query(query))

    def put(self, *path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a PUT. Raises ApiError and Unreachable."""
        return self._call("PUT", path, body=body)

    def post(self, *path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a POST. Raises ApiError and Unreachable."""
        return self._call("POST", path, body=body or {})

    def patch(self, *path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a PATCH. Raises ApiError and Unreachable."""
        return self._call("PATCH", path, body=body)

    def delete(self, *path: str, **query: str) -> dict[str, Any]:
        """The answer to a DELETE. Raises ApiError and Unreachable."""
        return self._call("DELETE", path, _query(query))

    def _call(
        self, method: str, path: tuple[str, ...], query: str = "", body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        address = f"{self._base}/v1/{'/'.join(quote(part, safe='') for part in path)}{query}"
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, address, body=data, headers=self._headers)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Unreachable(f"{self.url} did not answer in time; try again.") from error
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"Nothing answers at {self.url}; {self._hint}") from error
        return _read(answer.status, answer.data)


def _query(query: Mapping[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _here(url: str) -> tuple[str, str]:
    """The address that is called, and the host that it is called by, if that is another.

    Names below localhost are this machine (RFC 6761, section 6.3), which not every resolver knows.
    """
    to = urlsplit(url)
    if not (to.hostname or "").endswith(".localhost"):
        return url, ""
    port = f":{to.port}" if to.port else ""
    return urlunsplit((to.scheme, f"127.0.0.1{port}", to.path, "", "")), to.netloc


def _pool(url: str) -> urllib3.PoolManager:
    """Connections, through the proxy that the environment names, except to this machine."""
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    to = urlsplit(url)
    proxy = getproxies().get(to.scheme)
    host = to.hostname or ""
    if not proxy or host in ("127.0.0.1", "localhost", "::1") or proxy_bypass(host):
        return urllib3.PoolManager(timeout=timeout, retries=False)
    return urllib3.ProxyManager(proxy, timeout=timeout, retries=False)


def _read(status: int, data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise CommandFailed(f"The answer ({status}) is not from a Tidings API; check the address.")
    if status >= 400:
        raise ApiError(status, body)
    return body
