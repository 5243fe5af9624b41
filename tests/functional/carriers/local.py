"""The carriers served on ports of their own, with real boto3 clients in front of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import boto3
from botocore.config import Config
from tests.support.patience import SECONDS

from tidings.core.clock import Clock
from tidings_cli.carriers import Carriers
from tidings_cli.carriers.publisher import Publish

TOPIC = "arn:aws:sns:eu-central-1:111122223333:feedback"
SMS_TOPIC = "arn:aws:sns:eu-central-1:111122223333:sms"
INBOUND_TOPIC = "arn:aws:sns:eu-central-1:111122223333:inbound"
SET = "tidings"
SENDER = "Acme <hello@example.org>"


# One session reads the service models once for all tests.
_SESSION = boto3.Session()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Published:
    """One call of the publish function."""

    topic: str
    event: dict[str, Any]
    subject: str | None


@dataclass(frozen=True)
class Answer:
    """An answer of the outbox."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Local:
    """Carriers on 127.0.0.1, and what they published."""

    def __init__(
        self, state: Path, clock: Clock | None = None, configured: bool = True, publish: Publish | None = None
    ) -> None:
        self.published: list[Published] = []
        self._news = threading.Condition()
        self.landed: list[str] = []
        self._servers: list[WSGIServer] = []
        # The outbox must know its address before it is there, so the port comes first.
        outbox = self._serve(self._front)
        self.url = f"http://127.0.0.1:{outbox.server_port}"
        self.carriers = Carriers(state, publish or self._publish, self.url, clock)
        self.ses_url = f"http://127.0.0.1:{self._serve(self.carriers.ses_app).server_port}"
        self.sms_url = f"http://127.0.0.1:{self._serve(self.carriers.sms_app).server_port}"
        if configured:
            self.carriers.configure(SET, TOPIC)
            self.carriers.configure_sms("texts", SMS_TOPIC, INBOUND_TOPIC)

    @cached_property
    def ses(self) -> Any:
        """A boto3 client of the SES carrier."""
        return _client("sesv2", self.ses_url)

    @cached_property
    def sms(self) -> Any:
        """A boto3 client of the SMS carrier."""
        return _client("pinpoint-sms-voice-v2", self.sms_url)

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.carriers.close()

    def send(self, to: str = "ada@example.com", html: str | None = "<p>Hi</p>", **more: Any) -> str:
        """Send a small mail; answers its id. `more` are parameters of SendEmail, `simple` of Content.Simple."""
        body = {"Text": {"Data": "Hi"}} | ({"Html": {"Data": html, "Charset": "UTF-8"}} if html is not None else {})
        simple = {"Subject": {"Data": "Hello"}, "Body": body, **more.pop("simple", {})}
        call = {
            "FromEmailAddress": SENDER,
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": simple},
            "ConfigurationSetName": SET,
            **more,
        }
        return str(self.ses.send_email(**{key: value for key, value in call.items() if value is not None})["MessageId"])

    def events(self, message_id: str | None = None) -> list[dict[str, Any]]:
        """What was published about a mail, or about all, once all of it was."""
        assert self.carriers.drain()
        found = [one.event for one in self.published if one.topic == TOPIC]
        return [event for event in found if message_id is None or event["mail"]["messageId"] == message_id]

    def types(self, message_id: str | None = None) -> list[str]:
        """The types of these events."""
        return [event["eventType"] for event in self.events(message_id)]

    def mail(self, message_id: str) -> dict[str, Any]:
        """A mail as the JSON API shows it."""
        shown: dict[str, Any] = self.get(f"/outbox/api/mails/{message_id}").json
        return shown

    def get(self, path: str, **headers: str) -> Answer:
        """GET from the outbox, redirects not followed."""
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        """POST JSON to the outbox."""
        return self.call("POST", path, body, headers)

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Call the outbox; `body` is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return _call(self.url, method, path, data, {k.replace("_", "-"): v for k, v in (headers or {}).items()})

    def wait_for(self, topic: str, count: int) -> list[dict[str, Any]]:
        """What a topic heard, once it heard so much: what was ordered for later comes by the carrier's own clock."""
        with self._news:
            came = self._news.wait_for(lambda: len(self._heard(topic)) >= count, timeout=SECONDS)
        assert came, f"{topic} heard {len(self._heard(topic))} of {count}"
        return self._heard(topic)

    def _heard(self, topic: str) -> list[dict[str, Any]]:
        return [one.event for one in self.published if one.topic == topic]

    def _publish(self, topic: str, message: str, subject: str | None) -> None:
        with self._news:
            self.published.append(Published(topic, json.loads(message), subject))
            self._news.notify_all()

    def _front(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if environ["PATH_INFO"].startswith("/landing"):
            self.landed.append(environ["PATH_INFO"])
            start_response("200 OK", [("Content-Type", "text/html")])
            return [b"<title>Landed</title>"]
        return self.carriers.outbox_app(environ, start_response)

    def _serve(self, app: WSGIApplication) -> WSGIServer:
        server = make_server("127.0.0.1", 0, app, _Server, _Silent)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self._servers.append(server)
        return server


def _client(service: str, url: str) -> Any:
    return _SESSION.client(
        service,
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="send-email-role",
        aws_secret_access_key="local",
        # As the product does: a repeat would hide what the first attempt met.
        config=Config(retries={"total_max_attempts": 1}, read_timeout=SECONDS),
    )


def _call(base: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    parts = urlsplit(base)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    connection.request(method, path, body, {"User-Agent": "TestReader/1.0", **headers})
    response: HTTPResponse = connection.getresponse()
    answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return answer
