"""The pages that links in mails lead to: HTML without scripts, cookies or anything from elsewhere but the brand's logo.

Every page carries its style, of which the Content-Security-Policy names the hash: whatever else somebody might get into
a page does not run, load or send anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from liquid import Environment
from liquid.template import BoundTemplate
from markupsafe import Markup

from tidings.messages.preferences import OFFER, Preferences
from tidings.messages.unsubscribe import Brand

COLOUR = "#24292f"  # of who has chosen none
_DARK, _LIGHT = "#000000", "#ffffff"
_HERE = Path(__file__).parent

# What happened, as the page says it.
LEFT = "Done. No more of this comes to you."
LEFT_ALL = "Done. You are unsubscribed from everything."
SAVED = "Your choice is saved."
BACK = "You are subscribed again."

Page = tuple[str, dict[str, str]]
"""A page's HTML and the headers that it is sent with."""


def preference_page(brand: Brand, now: Preferences, notice: str = "") -> Page:
    """What an address gets, to be changed."""
    if now.erased:
        gone = "Whoever had this address asked to be erased. Nothing is kept about them, and no mail is sent to it."
        return notice_page(brand, "Nothing is kept here", gone)
    shown = {
        "about": now.about,
        "topics": now.topics,
        "anything": now.anything,
        "whom": now.address or "you",
        "notice": notice,
        "offer": OFFER,
    }
    return _page(brand, "Your e-mail preferences", "preferences.html", shown)


def confirm_page(brand: Brand, topic: str, address: str) -> Page:
    """The one button of double opt-in."""
    return _page(brand, "Confirm your subscription", "confirm.html", {"topic": topic, "address": address})


def notice_page(brand: Brand | None, heading: str, text: str) -> Page:
    """A page that only says something; without a brand where it is not known whose it is."""
    return _page(brand or Brand(""), heading, "notice.html", {"heading": heading, "text": text})


def not_found_page() -> Page:
    """The page for an address that leads nowhere; it says nothing of why."""
    text = "The address may be cut off. Open the link in the mail again, or copy all of it."
    return notice_page(None, "This page does not exist", text)


def _page(brand: Brand, title: str, name: str, shown: Mapping[str, Any]) -> Page:
    told = {slot: getattr(brand, slot) for slot in Brand.__slots__}
    content = _template(name).render(brand=told, **_plain(shown))
    style = _style(brand)
    html = _template("layout.html").render(
        title=" · ".join(filter(None, (title, brand.name))),
        brand=told,
        style=Markup(style),  # noqa: S704 - our own file, and a colour that was checked
        content=Markup(content),  # noqa: S704 - rendered with everything escaped
    )
    return html, _headers(style, brand.logo_url)


def _plain(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Topics as what Liquid can read: mappings."""
    return {
        name: [_topic(one) for one in value] if isinstance(value, tuple) else _topic(value)
        for name, value in shown.items()
    }


def _topic(value: Any) -> Any:
    return {slot: getattr(value, slot) for slot in value.__slots__} if hasattr(value, "__slots__") else value


@cache
def _template(name: str) -> BoundTemplate:
    return Environment(autoescape=True).from_string((_HERE / name).read_text(encoding="utf-8"))


@cache
def _sheet() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


def _style(brand: Brand) -> str:
    colour = brand.colour or COLOUR
    return f":root {{ --brand: {colour}; --on-brand: {readable_on(colour)}; }}\n{_sheet()}"


def readable_on(colour: str) -> str:
    """Black or white, whichever stands out more on a colour: one of them always has a contrast of 4.5 (WCAG 2.2)."""
    light = _luminance(colour)
    return _LIGHT if contrast(light, 1.0) >= contrast(light, _luminance(_DARK)) else _DARK


def contrast(one: float, other: float) -> float:
    """The contrast ratio of two luminances, from 1 to 21, as WCAG 2.2 defines it."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _headers(style: str, logo_url: str) -> dict[str, str]:
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    logo = urlsplit(logo_url)
    policy = {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashed}'",
        "img-src": f"{logo.scheme}://{logo.netloc}" if logo_url else "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        **QUIET,
    }


# For every answer at such an address: what stands there is one person's, and the address itself is a key to it.
QUIET = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}
