"""Another server that requests are passed on to."""

from __future__ import annotations

from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tidings_cli.local.exchange import HOP_BY_HOP, Request, Response, error_response


class Upstream:
    """A server that requests are passed on to, over a pool of kept connections."""

    def __init__(self, host: str, port: int, read_seconds: float = 70) -> None:
        # No retries: a request that was sent may have been acted on, and its sender knows better whether to repeat it.
        self._pool = urllib3.HTTPConnectionPool(
            host, port, maxsize=64, retries=False, timeout=urllib3.Timeout(connect=3, read=read_seconds)
        )

    def send(self, request: Request) -> Response:
        """Pass a request on as it is, and the answer back. An upstream that does not answer is a 502 or 504."""
        headers = urllib3.HTTPHeaderDict()
        for name in ("accept-encoding", "user-agent"):
            headers[name] = urllib3.util.SKIP_HEADER  # else urllib3 would add its own where the sender had none
        for name, value in request.headers:
            if headers.get(name) == urllib3.util.SKIP_HEADER:
                headers[name] = value
            elif name not in HOP_BY_HOP:
                headers.add(name, value)
        body = request.body if request.body or request.method in ("POST", "PUT", "PATCH") else None
        try:
            answer = self._pool.urlopen(
                request.method,
                request.target,
                body=body,
                headers=headers,
                redirect=False,
                decode_content=False,
                preload_content=True,
            )
        except ReadTimeoutError:
            return error_response(HTTPStatus.GATEWAY_TIMEOUT, "The local engine did not answer in time.")
        except HTTPError:
            return error_response(HTTPStatus.BAD_GATEWAY, "The local engine does not answer.")
        kept = [
            (name, value) for name, value in answer.headers.iteritems() if name.lower() not in HOP_BY_HOP | {"date"}
        ]
        return Response(answer.status, kept, answer.data)

    def close(self) -> None:
        """Let go of kept connections."""
        self._pool.close()
