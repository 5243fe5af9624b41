"""Calls as published SDKs send them, with values of our own: small from a server, large from a browser."""

from __future__ import annotations

import uuid
from typing import Any

Message = dict[str, Any]

PEOPLE = uuid.UUID("6f1f9b1c-8d0e-4a52-9d3b-0c5a3e1d7f20")


def _id(name: str) -> str:
    return str(uuid.uuid5(PEOPLE, name))


def from_python(kind: str, user: str, number: int = 0, **fields: Any) -> Message:
    """segment-analytics-python 2.4: little context; times with an offset and microseconds."""
    return {
        "integrations": {},
        "anonymousId": None,
        "timestamp": "2026-11-21T08:59:58.734120+00:00",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "type": kind,
        "userId": user,
        "messageId": _id(f"{kind} {user} {number}"),
        **fields,
    }


def from_browser(kind: str, user: str, number: int = 0, **fields: Any) -> Message:
    """analytics.js (analytics-next 1.84): both ids, the page, the browser and how it is set up."""
    return {
        "timestamp": "2026-11-21T08:59:58.734Z",
        "sentAt": "2026-11-21T08:59:59.102Z",
        "integrations": {},
        "type": kind,
        "userId": user,
        "anonymousId": _id(f"device of {user}"),
        "messageId": f"ajs-next-1795251598734-{_id(f'{kind} {user} {number}')}",
        "context": {
            "page": {
                "path": "/projects/new",
                "referrer": "https://app.acme.example/projects",
                "search": "?from=onboarding",
                "title": "New project · Acme",
                "url": "https://app.acme.example/projects/new?from=onboarding",
            },
            "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/156.0.0.0 Safari/537.36",
            "userAgentData": {
                "brands": [
                    {"brand": "Chromium", "version": "156"},
                    {"brand": "Google Chrome", "version": "156"},
                    {"brand": "Not_A Brand", "version": "99"},
                ],
                "mobile": False,
                "platform": "macOS",
            },
            "locale": "pl-PL",
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
            "timezone": "Europe/Warsaw",
        },
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        **fields,
    }


def of_page(message: Message) -> Message:
    """A page call has the page among its properties, too."""
    return {**message, "properties": {**message["context"].get("page", {}), **message.get("properties", {})}}


PROPERTIES = {"plan": "team", "seats": 4, "source": "pricing page", "trial": True}
COMPANY = {"name": "Acme Tools", "plan": "team", "employees": 12}
TRAITS = {
    "email": "ada@people.example",
    "firstName": "Ada",
    "lastName": "Nowak",
    "plan": "team",
    "createdAt": "2026-11-21T08:59:58Z",
}
