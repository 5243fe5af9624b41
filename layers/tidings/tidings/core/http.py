"""HTTP API events (payload format 2.0) in, answers out; the one map from errors to answers."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from tidings.core.clock import to_text
from tidings.core.documents import parse_object, require_plain
from tidings.core.errors import InvalidInput, NotFound, Throttled, TidingsError, Unauthorized
from tidings.core.logs import logger

Event = Mapping[str, Any]
Answer = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], Answer]

API_BODY_BYTES = 512 * 1024
PATH_BYTES = 512  # the longest that a path can name is an address; DynamoDB's sort keys have 1,024 bytes
LONGER = {"company": 1024}  # an app's own id


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MILLISECOND = 253_402_300_799_000  # the end of the year 9999
MOST_WAITED = timedelta(seconds=30)  # API Gateway gives up then


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `path` values and `query` are decoded, `headers` are in lower case."""

    method: str
    route: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    source_ip: str
    event: Event = field(repr=False)

    @classmethod
    def of(cls, event: Event) -> Request:
        """The request that an HTTP API event carries. Raises NotFound for a path that no key could hold."""
        http = event.get("requestContext", {}).get("http", {})
        return cls(
            method=http.get("method", ""),
            route=event.get("routeKey", ""),
            path={name: _place(name, value) for name, value in (event.get("pathParameters") or {}).items()},
            query=dict(event.get("queryStringParameters") or {}),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            source_ip=http.get("sourceIp", ""),
            event=event,
        )

    @property
    def origin(self) -> tuple[str, str]:
        """Protocol and host as the caller asked them, such as `https` and `api.acme.example`."""
        host = self.headers.get("host") or str(self.event.get("requestContext", {}).get("domainName", ""))
        return ("http" if self.headers.get("x-forwarded-proto") == "http" else "https"), host

    def waited(self, now: datetime) -> timedelta:
        """How long the request waited for its function since it arrived, at most the 30 seconds that one may take.

        Mostly milliseconds; a second or more where the function had to be started first.
        """
        arrived = self.event.get("requestContext", {}).get("timeEpoch")
        if not isinstance(arrived, int) or isinstance(arrived, bool):
            return timedelta()
        waited = (now - EPOCH) - timedelta(milliseconds=min(max(arrived, 0), LAST_MILLISECOND))
        return waited if timedelta() <= waited <= MOST_WAITED else timedelta()

    def body(self, limit: int, too_large: str = "body_too_large") -> bytes:
        """The body, unpacked; at most `limit` bytes count, gzipped or not. Raises InvalidInput, `too_large` beyond."""
        raw = self.event.get("body") or ""
        try:
            data = base64.b64decode(raw, validate=True) if self.event.get("isBase64Encoded") else raw.encode()
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidInput("invalid_body", "The body could not be decoded.") from error
        if "gzip" in self.headers.get("content-encoding", "").lower() or data[:2] == b"\x1f\x8b":
            data = _gunzip(data, limit)
        if len(data) > limit:
            raise InvalidInput(too_large, f"The body is over {limit} bytes.")
        return data

    def json(self, limit: int = API_BODY_BYTES, too_large: str = "body_too_large") -> dict[str, Any]:
        """The body as a JSON object, whatever its content type says. Raises InvalidInput."""
        return parse_object(self.body(limit, too_large))

    def document(self, limit: int = API_BODY_BYTES) -> dict[str, Any]:
        """The body of a call of our own API: a JSON object that can be kept and shown again. Raises InvalidInput."""
        document = self.json(limit)
        require_plain(document)
        return document

    def page_size(self, default: int = 50, most: int = 200) -> int:
        """The `limit` of a listing. Raises InvalidInput."""
        text = self.query.get("limit", str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise InvalidInput("invalid_limit", f"limit is a whole number from 1 to {most}.", "limit")
        return int(text)


def api_keys_in(request: Request) -> list[str]:
    """The keys that the Authorization header offers: the Basic user name, or the Bearer token."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return [rest.strip()] if rest.strip() else []
    if scheme.lower() != "basic":
        return []
    try:
        user = base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthorized("invalid_authorization", "The Authorization header is malformed.") from error
    return [user] if user else []


def ok(body: Mapping[str, Any], status: int = 200) -> Answer:
    """A JSON answer."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body, separators=(",", ":"), ensure_ascii=False, default=_plain),
    }


def page(headers: Mapping[str, str], text: str, status: int = 200) -> Answer:
    """An answer that is no JSON; `headers` name its type."""
    return {"statusCode": status, "headers": dict(headers), "body": text}


def failed(error: TidingsError) -> Answer:
    """The answer for an error: its status, `code` and `message`, and Retry-After where waiting helps."""
    answer = ok(error.as_dict(), error.status)
    if isinstance(error, Throttled):
        wait = str(error.retry_after)
        answer["headers"] |= {"retry-after": wait, "x-ratelimit-reset": wait}
    return answer


def answers(handler: Handler) -> Handler:
    """Make a handler answer our errors as JSON; faults that are not ours stay exceptions, for the alarm."""

    @wraps(handler)
    def wrapped(event: dict[str, Any], context: Any) -> Answer:
        try:
            return handler(event, context)
        except TidingsError as error:
            # Not the field: where it is unknown it is the caller's own word, which may be anybody's name.
            logger.info("refused", extra={"code": error.code, "status": error.status})
            return failed(error)

    return wrapped


def _place(name: str, value: str) -> str:
    # API Gateway has decoded it, all but the escaped percent sign: to decode the rest a second time would find escapes
    # in what was a name. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
    place = value.replace("%25", "%")
    most = LONGER.get(name, PATH_BYTES)
    if not 1 <= len(place.encode()) <= most:
        raise NotFound("not_found", f"Everything has a name of 1 to {most} bytes.", name)
    return place


def _gunzip(data: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput("invalid_body", "The body is not valid gzip.") from error


def _plain(value: object) -> str:
    """What JSON has no form for: an instant as ISO 8601, as in every other place of the API."""
    return to_text(value) if isinstance(value, datetime) else str(value)


def named(body: dict[str, Any], field: str, name: str) -> dict[str, Any]:
    """The body with the name that the path gives. Raises InvalidInput if it says another."""
    if body.get(field, name) != name:
        raise InvalidInput("name_mismatch", f"The body says another {field} than the path.", field)
    return {**body, field: name}


def text(body: Mapping[str, Any], field: str, default: str | None = None) -> str:
    """A field of the body that is text. Raises InvalidInput: `missing_field` or `invalid_type`."""
    value = body.get(field, default)
    if value is None:
        raise InvalidInput("missing_field", f"{field} is missing.", field)
    if not isinstance(value, str):
        raise InvalidInput("invalid_type", f"{field} is text.", field)
    return value
