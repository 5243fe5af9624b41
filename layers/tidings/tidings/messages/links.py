"""Links that tell which message they stood in: `tid`, the message's id, among the parameters of their addresses.

The app's own SDK reports the address of the page that a link opened; by it the visit, and what the person did there, is
tied to the message. The id says nothing about the person and cannot be guessed (130 bits).

Only the values of `href` change, and of those only what is added: all else stays byte for byte. What has the parameter
already is let be, so that a link is never marked twice; and so is what cannot be read, since no mail may break here.

The way out of marketing mail is never marked: a click on it is nobody's interest in anything. Where it stands in HTML
it gets the attribute `ses:no-track`, which SES takes off again, leaving the link as it is.
https://docs.aws.amazon.com/ses/latest/dg/faqs-metrics.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tidings.activity.rules import MESSAGE_PARAMETER

PARAMETER = MESSAGE_PARAMETER
# On a link that is to stay as it is.
UNTOUCHED = "data-no-tid"
UNTRACKED = "ses:no-track"

_LINKS = frozenset({"a", "area"})
_MARKED = re.compile(r"<(?:a|area)\b", re.IGNORECASE)

# One attribute of a start tag: its name, and its value in double quotes, single quotes or none.
_ATTRIBUTE = re.compile(
    r"""([^\s"'>/=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`][^\s>]*)))?""",
)
_TAG = re.compile(r"<[^\s/>]+")
# A character of an attribute's value, or what stands for one.
_CHARACTER = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);|.", re.DOTALL)
_SPACES = " \t\n\r\f"

# In plain text nobody says where an address ends: all that RFC 3986 lets stand in one, but for what ends a sentence.
_BARE = re.compile(r"(?<![\w&=/])https?://[\w.~:/?#\[\]@!$&'()*+,;=%-]+", re.IGNORECASE | re.ASCII)
_ENDS = ".,;:!?'*"
_PAIRS = {")": "(", "]": "["}


def in_html(html: str, message: str, way_out: str = "") -> str:
    """The HTML with the message's id in the addresses of its links, but for `way_out`."""
    parts, done = [], 0
    for link in _found_in(html):
        value = html[link.start : link.end]
        if _leads_to(way_out, value):
            tag = html[link.tag : link.start]
            parts += [html[done : link.tag], tag if UNTRACKED in link.names else _untracked(tag), value]
        else:
            parts += [html[done : link.start], value if UNTOUCHED in link.names else _marked_value(value, message)]
        done = link.end
    return "".join([*parts, html[done:]])


def in_text(text: str, message: str, way_out: str = "") -> str:
    """The plain text with the message's id in the addresses that stand in it, but for `way_out`."""
    parts, done = [], 0
    for start, address in addresses_in(text):
        if not _is_at(way_out, address):
            parts += [text[done:start], marked(address, message)]
            done = start + len(address)
    return "".join([*parts, text[done:]])


def addresses_in(text: str) -> Iterator[tuple[int, str]]:
    """Where in a plain text addresses of the web stand, and each without what belongs to the sentence around it."""
    for found in _BARE.finditer(text):
        after = found.string[found.end() : found.end() + 1]
        address = _trimmed(found[0])
        # One that goes on with letters of another alphabet: where it ends, nobody can tell.
        if not after.isalnum() and _is_of_web(address):
            yield found.start(), address


def marked(address: str, message: str) -> str:
    """An address with the message's id among its parameters; one that has such a parameter stays as it is."""
    if not _takes(address):
        return address
    base, hash_, fragment = address.partition("#")
    return f"{base}{_joint(base.partition('?'), '&')}{PARAMETER}={message}{hash_}{fragment}"


def leads_to(html: str, address: str) -> bool:
    """Whether a link of the HTML leads to an address; one in a comment is none."""
    return any(_leads_to(address, html[link.start : link.end]) for link in _found_in(html))


class _Link(NamedTuple):
    """Where a link's tag begins, where the value of its address begins and ends, and the names of its attributes."""

    tag: int
    start: int
    end: int
    names: frozenset[str]


def _found_in(html: str) -> list[_Link]:
    if not _MARKED.search(html):
        return []
    finder = _Finder(html)
    try:
        finder.feed(html)  # not closed: what stands open at the end is no link, and looking into it takes long
    except (AssertionError, ValueError):  # what html.parser raises for some declarations that are none
        return []
    return finder.found


def _leads_to(address: str, value: str) -> bool:
    return _is_at(address, unescape(value.strip(_SPACES)))


def _is_at(address: str, found: str) -> bool:
    """Whether an address is another one, whatever was put behind it that does not change where it leads."""
    return bool(address) and found.startswith(address) and not found[len(address) :][:1].isalnum()


def _untracked(tag: str) -> str:
    name = _TAG.match(tag)
    end = name.end() if name else 0
    return f"{tag[:end]} {UNTRACKED}{tag[end:]}"


class _Finder(HTMLParser):
    """Finds links that lead somewhere, in their order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[_Link] = []
        self._lines = [0, *(match.end() for match in re.finditer("\n", html))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = frozenset(name for name, _ in attrs)
        if tag not in _LINKS or "href" not in names:
            return
        line, column = self.getpos()
        start, text = self._lines[line - 1] + column, self.get_starttag_text() or ""
        place = _href_in(text)
        if place is not None:
            self.found.append(_Link(start, start + place[0], start + place[1], names))


def _href_in(tag: str) -> tuple[int, int] | None:
    """Where in a start tag the value of its first `href` stands, which is the one that counts."""
    name = _TAG.match(tag)
    for match in _ATTRIBUTE.finditer(tag, name.end() if name else 0):
        if match[1].lower() == "href":
            return next((match.span(group) for group in (2, 3, 4) if match[group] is not None), None)
    return None


def _marked_value(value: str, message: str) -> str:
    """An attribute's value with the parameter, in HTML's own spelling."""
    address = value.strip(_SPACES)
    characters = list(_characters(address))
    if not _takes("".join(character for _, character in characters)):
        return value
    cut = next((place for place, character in characters if character == "#"), len(address))
    query = "".join(character for place, character in characters if place < cut).partition("?")
    lead = len(value) - len(value.lstrip(_SPACES))
    return f"{value[: lead + cut]}{_joint(query, '&amp;')}{PARAMETER}={message}{value[lead + cut :]}"


def _characters(value: str) -> Iterator[tuple[int, str]]:
    for match in _CHARACTER.finditer(value):
        yield match.start(), unescape(match[0]) if len(match[0]) > 1 else match[0]


def _trimmed(address: str) -> str:
    """An address without what belongs to the sentence: its punctuation, and brackets that were opened before it."""
    open_ = {closing: address.count(opening) - address.count(closing) for closing, opening in _PAIRS.items()}
    end = len(address)
    while end and (address[end - 1] in _ENDS or open_.get(address[end - 1], 0) < 0):
        end -= 1
        if address[end] in open_:
            open_[address[end]] += 1
    return address[:end]


def _is_of_web(address: str) -> bool:
    if not re.match(r"https?://", address, re.IGNORECASE):
        return False
    try:
        return bool(urlsplit(address).hostname)
    except ValueError:
        return False


def _takes(address: str) -> bool:
    """Whether an address is of the web and has no such parameter yet."""
    if not _is_of_web(address):
        return False
    try:
        given = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    except ValueError:
        return False
    return all(name != PARAMETER for name, _ in given)


def _joint(query: tuple[str, str, str], joint: str) -> str:
    """What stands between an address, split at its question mark, and one more parameter."""
    _, mark, given = query
    if not mark:
        return "?"
    return joint if given and not given.endswith("&") else ""
