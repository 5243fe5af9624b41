"""Plain text made of a template's HTML, for those whose mail program shows no HTML. Its Liquid stays Liquid.

What a person would read, in the same order: a line for each block, `- ` before what a list lists, an address after the
words of its link, the words that stand for an image. What nobody sees, such as styles and a hidden preheader, is left
out.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tidings.messages.liquid import VOID, Masked, opens_liquid

_SKIPPED = frozenset(
    {"head", "script", "style", "title", "template", "noscript", "object", "svg", "select", "textarea"}
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "table", "hr"})
_LINES = frozenset(
    {"address", "article", "aside", "body", "center", "dd", "div", "dt", "fieldset", "figcaption", "figure", "footer",
     "form", "header", "html", "li", "main", "nav", "section", "tbody", "tfoot", "thead", "tr", "caption"}
)  # fmt: skip
_CELLS = frozenset({"td", "th"})
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_NOTHING = re.compile("[\u200b-\u200d\u034f\u00ad\ufeff\u2060]")  # has no width, and no meaning in plain text
_LITERAL = re.compile(r"\{\{|\{%")
RULE = "-" * 40


def text_of(html: str) -> str:
    """The HTML of a template as plain text. Raises Unclosed where its Liquid cannot be told from it."""
    masked = Masked(html)
    writer = _Writer(masked)
    try:
        # Not closed: what stands open at the end is no text, and looking into it takes long.
        writer.feed(masked.text + "\n")
    except (AssertionError, ValueError):  # what html.parser raises for some declarations that are none
        return ""
    lines = writer.written()
    return masked.restored(_LITERAL.sub(lambda found: f"{{{{ '{found[0]}' }}}}", lines))


class _Writer(HTMLParser):
    """Writes down what is seen."""

    def __init__(self, masked: Masked) -> None:
        super().__init__(convert_charrefs=True)
        self._masked = masked
        self._pieces: list[str] = []
        self._line = True  # at the beginning of a line
        self._skipped, self._depth = "", 0  # what nobody sees, and how many of its kind are open in it
        self._pre = 0
        self._link: tuple[str, int] | None = None  # the address of the one that is open, and where its words begin
        self._cells: list[bool] = []  # for each table that is open, whether it is one of data

    def written(self) -> str:
        """All that was written, without spaces at the ends of lines and with at most one empty line in a row."""
        lines = (line.rstrip(" ") for line in "".join(self._pieces).split("\n"))
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
        return f"{text}\n" if text else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        if self._skipped or tag in _SKIPPED or "hidden" in given or _HIDDEN.search(given.get("style", "")):
            if tag not in VOID and self._skipped in ("", tag):
                self._skipped, self._depth = tag, self._depth + 1
            return
        if tag == "br":
            self._break(1)
        elif tag == "hr":
            self._break(2)
            self._write(RULE)
        elif tag == "img":
            self._flow(given.get("alt", ""))
        elif tag == "a":
            self._link = given.get("href", "").strip(), len(self._pieces)
        elif tag == "pre":
            self._pre += 1
        elif tag == "table":
            self._cells.append(given.get("role") != "presentation")
        self._open(tag)

    def _open(self, tag: str) -> None:
        if tag in _CELLS:
            if self._is_data and not self._line:
                self._write("  ")
            elif not self._is_data:
                self._break(1)
        elif tag in _PARAGRAPHS:
            self._break(2)
        elif tag in _LINES:
            self._break(1)
        if tag == "li":
            self._write("- ")
            self._line = True

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._depth -= tag == self._skipped
            self._skipped = self._skipped if self._depth else ""
            return
        if tag == "a" and self._link:
            self._close_link(*self._link)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)
        elif tag == "table" and self._cells:
            self._cells.pop()
        if tag in _PARAGRAPHS:
            self._break(2)
        elif tag in _LINES or (tag in _CELLS and not self._is_data):
            self._break(1)

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._pre:
            self._write(data)
        else:
            self._flow(data)

    @property
    def _is_data(self) -> bool:
        return bool(self._cells and self._cells[-1])

    def _flow(self, data: str) -> None:
        """Running text, in which spaces count once."""
        text = _SPACES.sub(" ", _NOTHING.sub("", data).replace("\u00a0", " "))
        if self._line or (self._pieces and self._pieces[-1].endswith(" ")):
            text = text.lstrip(" ")
        if text:
            self._write(text)

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        # A tag of Liquid writes nothing itself: what follows it still begins the line.
        seen = self._masked.replaced(text, lambda number: "" if self._masked.names[number] else "x")
        self._line = (self._line or not seen.strip("\n ")) and not seen.strip()

    def _break(self, lines: int) -> None:
        end = "".join(self._pieces[-3:])
        have = len(end) - len(end.rstrip("\n")) if end else lines
        self._pieces += ["\n"] * max(0, lines - have)
        self._line = True

    def _close_link(self, href: str, start: int) -> None:
        self._link = None
        words = "".join(self._pieces[start:]).strip()
        address = href.removeprefix("mailto:")
        if not address or address.startswith("#") or address == words:
            return
        self._write(f" ({address})" if words else address)


def says_nothing(text: str) -> bool:
    """Whether a text made of HTML has neither words nor Liquid in it."""
    return not text.strip() and not opens_liquid(text)
