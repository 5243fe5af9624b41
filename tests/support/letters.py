"""What somebody who got a mail has before them: its links, its headers, and the pages behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client, TestResponse

from tests.support.front import Front
from tests.support.world import World

ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
HTML = '<html><body><p>Hello</p><a href="https://acme.example/new">New</a></body></html>'


@dataclass
class Letter:
    """A mail as SES was given it."""

    mail: dict[str, Any]

    @property
    def html(self) -> str:
        return str(self.mail["Content"]["Simple"]["Body"]["Html"]["Data"])

    @property
    def text(self) -> str:
        return str(self.mail["Content"]["Simple"]["Body"]["Text"]["Data"])

    @property
    def headers(self) -> dict[str, str]:
        return {header["Name"]: header["Value"] for header in self.mail["Content"]["Simple"].get("Headers", [])}

    @property
    def way_out(self) -> str:
        """The address of its List-Unsubscribe header."""
        return self.headers["List-Unsubscribe"].strip("<>")

    @property
    def id(self) -> str:
        return {tag["Name"]: tag["Value"] for tag in self.mail["EmailTags"]}["tidings_message"]

    @property
    def links(self) -> list[dict[str, str]]:
        """The attributes of each link of its HTML."""
        finder = _Links()
        finder.feed(self.html)
        return finder.found

    @property
    def addresses(self) -> list[str]:
        """Every address that stands in it, in HTML, text and headers."""
        everywhere = [self.html, self.text, *self.headers.values()]
        return list(dict.fromkeys(found for text in everywhere for found in re.findall(r"https?://[^\s\"'<>]+", text)))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append({name: value or "" for name, value in attrs})


def send(world: World, template: str = "news", key: str = "k-1", to: str = "ada@people.example", **more: Any) -> Letter:
    """Send a mail by API that must go."""
    body = {"to": {"email": to}, "template": template, "idempotency_key": key, **more}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert status < 300, answer
    assert answer["state"] == "accepted", answer
    return Letter(world.ses.accepted[-1])


def decided(world: World, template: str = "news", key: str = "k-2", to: str = "ada@people.example") -> tuple[str, str]:
    """Order a mail: its state, and the check that kept it from going."""
    body = {"to": {"email": to}, "template": template, "idempotency_key": key}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert status < 300, answer
    return answer["state"], answer["decision"]["decided_by"]


class Reader:
    """Who follows the links of a mail, as a browser, a mailbox provider or a scanner does."""

    def __init__(self, world: World) -> None:
        self._client = Client(Front(world), use_cookies=False)

    def get(self, address: str) -> TestResponse:
        return self._client.get(_path(address))

    def head(self, address: str) -> TestResponse:
        return self._client.head(_path(address))

    def post(self, address: str, body: bytes = b"", kind: str = FORM) -> TestResponse:
        return self._client.post(_path(address), data=body, content_type=kind)

    def press(self, address: str, action: str, *topics: str) -> TestResponse:
        """Press a button of the page, with these topics checked."""
        chosen = "".join(f"topic={topic}&" for topic in topics)
        return self.post(address, f"{chosen}action={action}".encode())


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
