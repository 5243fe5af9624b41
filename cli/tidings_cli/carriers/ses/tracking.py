"""Open and click tracking, as "Amazon SES email sending metrics FAQs" of the developer guide describes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser

MAX_LINKS = 250
_PLACEHOLDER = re.compile(r"\{\{\s*ses:openTracker\s*\}\}")
# A link is tracked when it is a properly encoded http(s) URL (RFC 3986).
_TRACKABLE = re.compile(r"https?://([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\s+([^\s/>=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_LINK_TAG = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Link:
    """A tracked link: where it leads, and the tags of its `ses:tags` attribute."""

    url: str
    tags: dict[str, list[str]] = field(default_factory=dict)


def track_links(html: str, url_of: Callable[[int], str]) -> tuple[str, list[Link]]:
    """Point every link of an HTML mail at `url_of(n)`, n counting from 0; answers the HTML and the links.

    Left alone are links with `ses:no-track`, links that are not http(s) or not properly encoded, and all after the
    250th. The attributes `ses:no-track` and `ses:tags` are removed. All other text stays as it is, byte by byte.
    """
    finder = _AnchorFinder(html)
    links: list[Link] = []
    pieces: list[str] = []
    at = 0
    for start, tag in finder.found:
        pieces += [html[at:start], _tracked_tag(tag, links, url_of)]
        at = start + len(tag)
    return "".join([*pieces, html[at:]]), links


def add_pixel(html: str, url: str) -> str:
    """Put the picture that tells of an open at the end of the mail, or where the first `{{ses:openTracker}}` stands."""
    pixel = f'<img alt="" src="{escape(url)}" style="display:block;width:1px;height:1px;border:0">'
    if _PLACEHOLDER.search(html):
        placed = _PLACEHOLDER.sub(lambda _: pixel, html, count=1)
        return _PLACEHOLDER.sub("", placed)
    end = html.lower().rfind("</body>")
    return html + pixel if end < 0 else html[:end] + pixel + html[end:]


class _AnchorFinder(HTMLParser):
    """Finds where the `<a …>` tags stand, and skips those in comments, scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self._line_starts = [0]
        for match in re.finditer("\n", html):
            self._line_starts.append(match.end())
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag's place and its exact text."""
        text = self.get_starttag_text()
        if tag == "a" and text:
            line, column = self.getpos()
            self.found.append((self._line_starts[line - 1] + column, text))


def _tracked_tag(tag: str, links: list[Link], url_of: Callable[[int], str]) -> str:
    attributes = {match[1].lower(): _value(match) for match in _ATTRIBUTE.finditer(tag)}
    url = attributes.get("href", "").strip()
    tracked = "ses:no-track" not in attributes and len(links) < MAX_LINKS and _TRACKABLE.fullmatch(url) is not None
    target = escape(url_of(len(links))) if tracked else ""
    if tracked:
        links.append(Link(url, _link_tags(attributes.get("ses:tags", ""))))

    def rewrite(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name in ("ses:no-track", "ses:tags"):
            return ""
        return f' href="{target}"' if tracked and name == "href" else match[0]

    return _ATTRIBUTE.sub(rewrite, tag)


def _value(match: re.Match[str]) -> str:
    quoted = match[2] or ""
    return unescape(quoted[1:-1] if quoted[:1] in ('"', "'") else quoted)


def _link_tags(text: str) -> dict[str, list[str]]:
    """`product:book;genre:fiction;` as names and values; what has other characters than `A-Za-z0-9_-` is left out."""
    tags: dict[str, list[str]] = {}
    for pair in text.split(";"):
        name, _, value = (part.strip() for part in pair.partition(":"))
        if _LINK_TAG.fullmatch(name) and _LINK_TAG.fullmatch(value):
            tags.setdefault(name, []).append(value)
    return tags
