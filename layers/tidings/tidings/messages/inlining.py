"""Styles of a template's HTML written into its elements, since many mail programs forget a style sheet.

css-inline says which styles each element has. Only that is taken from it: the `style` of start tags changes, and all
else stays byte for byte, the Liquid and the style sheet too, whose rules for phones and dark mode still hold. Those get
`!important`, without which what stands in an element would win over them.

Which styles an element has must not depend on what Liquid says; where it might, nothing is inlined.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from tidings.messages.liquid import VOID, Masked, opens_liquid
from tidings.messages.model import BODY_CHARACTERS

STYLE_SHEET_CHARACTERS = 64 * 1024
MATCHES = 2_000_000  # rules times elements
NESTED = 200  # elements in one another: css-inline goes down by recursion
MARKER = "data-tidings-inline"

_MEDIA = re.compile(r"\bmedia\b", re.IGNORECASE)
_TAG_NAME = re.compile(r"<[^\s/>]+")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`][^\s>]*)))?""")
# What opens here always ends, if need be with the line or the text: else looking for the end would take long.
_QUOTED = re.compile(
    r"""/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*(?:"|(?=\n)|\\?\Z)|'(?:\\.|[^'\\\n])*(?:'|(?=\n)|\\?\Z)|\([^()]*\)""",
    re.DOTALL,
)
_UNSTYLED = frozenset({"html", "head", "meta", "title", "style", "script", "link", "base"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
# Their end may be left out, so that it cannot be counted.
_LOOSE = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "colgroup", "html",
                    "head", "body"})  # fmt: skip
# What tells one sibling from another, which Liquid may repeat or leave out.
_BY_PLACE = re.compile(r"[+~]|:(?:first|last|only|nth|empty|has|not)", re.IGNORECASE)
_ON_ACTION = re.compile(r":(?:hover|focus|active|visited|link|target|checked)", re.IGNORECASE)
_VALUE = re.compile(r":[^;{}]*$")
_ROOTED = re.compile(r"\{\{-?\s*(?:contact|event|variables)\b")
_OPENS = frozenset({"if", "unless", "case", "for", "tablerow", "capture", "ifchanged"})
_CLOSES = frozenset(f"end{name}" for name in _OPENS)
_PARTS = frozenset({"else", "elsif", "when"})


class NotInlined(ValueError):
    """Styles depend on what Liquid says, or cannot be read: the HTML stays as it is written. Says why."""


def inlined(html: str) -> str:
    """The HTML with its styles in its elements; the same where it has no style sheet. Raises NotInlined, Unclosed."""
    masked = Masked(html)
    sheets = "\n".join(masked.text[start:end] for start, end in _sheets(masked.text))
    if not sheets.strip():
        return html
    rules = _require_plain_sheets(masked, sheets)
    tags = _Tags(masked)
    tags.read()
    if rules * len(tags.found) > MATCHES:
        raise NotInlined("there are too many rules and elements")
    text = _with_styles(masked.text, tags.found, _styles(masked, tags.found))
    made = masked.restored(_with_important(text))
    if len(made) > BODY_CHARACTERS:
        raise NotInlined(f"it would be over {BODY_CHARACTERS} characters")
    return made


def _sheets(text: str) -> list[tuple[int, int]]:
    """Where what stands in `<style>` begins and ends."""
    lowered = text.lower() if text.isascii() else _ascii_lowered(text)
    found: list[tuple[int, int]] = []
    place = 0
    while True:
        tag = lowered.find("<style", place)
        start = lowered.find(">", tag) + 1 if tag >= 0 else 0
        end = lowered.find("</style", start) if start else -1
        if end < 0:
            return found
        found.append((start, end))
        place = end


def _ascii_lowered(text: str) -> str:
    # str.lower() makes two letters of some that are one, and places would shift.
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


@dataclass(slots=True)
class _Tag:
    """A start tag: where it stands in the masked text, and where the value of its `style`, if it has one."""

    start: int
    text: str
    style: tuple[int, int] | None = None
    quote: str = '"'


@dataclass(slots=True)
class _Branch:
    """A part of a block of Liquid, and which elements stand open in it."""

    open: Counter[str] = field(default_factory=Counter)


class _Tags(HTMLParser):
    """Finds the start tags, and what stands in the way of inlining."""

    def __init__(self, masked: Masked) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[_Tag] = []
        self._masked = masked
        self._lines = [0, *(match.end() for match in re.finditer("\n", masked.text))]
        self._branches: list[_Branch] = []
        self._open: Counter[str] = Counter()

    def read(self) -> None:
        """Read the whole text. Raises NotInlined."""
        try:
            self.feed(self._masked.text)
        except (AssertionError, ValueError) as error:
            if isinstance(error, NotInlined):
                raise
            raise NotInlined("the HTML cannot be read") from error

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, column = self.getpos()
        one = _Tag(self._lines[line - 1] + column, self.get_starttag_text() or "")
        self._look_into(one)
        if tag not in _UNSTYLED:
            self.found.append(one)
        if tag in VOID:
            return
        if self._branches:
            self._branches[-1].open[tag] += 1
        if tag not in _LOOSE:
            self._open[tag] += 1
            if self._open.total() > NESTED:
                raise NotInlined(f"over {NESTED} elements stand in one another")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self._branches and tag not in VOID:  # a slash closes nothing: the element's end is still to come, or is not
            self._branches[-1].open[tag] -= 1

    def handle_endtag(self, tag: str) -> None:
        if self._branches:
            self._branches[-1].open[tag] -= 1
        if self._open[tag]:
            self._open[tag] -= 1

    def handle_data(self, data: str) -> None:
        for number in self._masked.within(data):
            name = self._masked.names[number]
            if name in _OPENS:
                self._branches.append(_Branch())
            elif name in _PARTS and self._branches:
                self._close()
                self._branches.append(_Branch())
            elif name in _CLOSES and self._branches:
                self._close()

    def _close(self) -> None:
        left = self._branches.pop().open
        if any(count for tag, count in left.items() if tag not in _LOOSE):
            raise NotInlined("an element is opened in a part of Liquid's and closed in another")

    def _look_into(self, one: _Tag) -> None:
        name = _TAG_NAME.match(one.text)
        outside = set(self._masked.within(one.text))
        for match in _ATTRIBUTE.finditer(one.text, name.end() if name else 0):
            group = next((number for number in (2, 3, 4) if match[number] is not None), 0)
            numbers = self._masked.within(match[group]) if group else []
            outside.difference_update(numbers)
            attribute = match[1].lower()
            if numbers and attribute in ("class", "id"):
                raise NotInlined(f"Liquid stands in {attribute}")
            if attribute == "style" and group and one.style is None:
                one.style, one.quote = match.span(group), {3: "'"}.get(group, '"' if group == 2 else "")
                if any(self._masked.names[number] for number in numbers):
                    raise NotInlined("a tag of Liquid stands in style")
        if outside:
            raise NotInlined("Liquid stands in a start tag outside of a value")


def _require_plain_sheets(masked: Masked, sheets: str) -> int:
    """That the style sheets do not depend on Liquid but for values; how many rules they have. Raises NotInlined."""
    if len(sheets) > STYLE_SHEET_CHARACTERS:
        raise NotInlined(f"the style sheet is over {STYLE_SHEET_CHARACTERS} characters")
    for number in masked.within(sheets):
        before = sheets[: sheets.index(masked.token(number))]
        if masked.names[number] or not _VALUE.search(before[-500:]):
            raise NotInlined("Liquid stands in the style sheet, but not as a value")
        if not _ROOTED.match(masked.parts[number]):
            raise NotInlined("a value in the style sheet is a variable of the template's own")
    selectors = [selector for selector, _, _ in _rules(sheets)]
    if any(name in _OPENS for name in masked.names) and any(_BY_PLACE.search(selector) for selector in selectors):
        raise NotInlined("a rule of the style sheet counts elements that Liquid may repeat or leave out")
    return sum(1 + selector.count(",") for selector in selectors)


def _styles(masked: Masked, tags: list[_Tag]) -> dict[int, str]:
    """What css-inline says of each tag, by its number: masked, and not yet escaped."""
    from css_inline import CSSInliner, InlineError

    pieces, done = [], 0
    for number, one in enumerate(tags):
        name = _TAG_NAME.match(one.text)
        place = one.start + (name.end() if name else 0)
        pieces += [masked.text[done:place], f' {MARKER}="{number}"']
        done = place
    marked = _for_css_inline(masked, "".join([*pieces, masked.text[done:]]))
    try:
        whole = CSSInliner(load_remote_stylesheets=False, keep_style_tags=False).inline(marked)
    except InlineError as error:
        raise NotInlined("the style sheet cannot be read") from error
    reader = _Marked()
    reader.feed(whole)
    return {number: style for number, style in reader.found.items() if style is not None}


def _for_css_inline(masked: Masked, html: str) -> str:
    """The masked HTML without what misleads: tokens between tags, which it would take for text and move out of tables,
    and style sheets that hold for some devices only."""
    pieces, done = [], 0
    for start, end in [*_sheets(html), (len(html), len(html))]:
        between = re.sub(r">[^<>]*(?=<)", lambda found: masked.replaced(found[0], lambda _: ""), html[done:start])
        pieces += [between, "" if _is_conditional(html, start) else html[start:end]]
        done = end
    return "".join(pieces)


class _Marked(HTMLParser):
    """Reads the styles of marked tags; None where one mark came back with two."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[int, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        number, style = given.get(MARKER), given.get("style") or ""
        if number is not None and number.isdecimal():
            known = self.found.setdefault(int(number), style)
            if known != style:
                self.found[int(number)] = None


def _with_styles(text: str, tags: list[_Tag], styles: dict[int, str]) -> str:
    pieces, done = [], 0
    for number, one in enumerate(tags):
        style = styles.get(number, "").strip()
        if not style or opens_liquid(style):
            continue
        if one.style and one.quote:
            start, end = (one.start + place for place in one.style)
            written = _escaped(style, one.quote)
        elif one.style:
            start, end = (one.start + place for place in one.style)
            written = f'"{_escaped(style, chr(34))}"'
        else:
            name = _TAG_NAME.match(one.text)
            start = end = one.start + (name.end() if name else 0)
            written = f' style="{_escaped(style, chr(34))}"'
        pieces += [text[done:start], written]
        done = end
    return "".join([*pieces, text[done:]])


def _escaped(style: str, quote: str) -> str:
    style = escape(style, quote=False).replace("&gt;", ">")
    return style.replace("'", "&#39;") if quote == "'" else style.replace('"', "'" if "'" not in style else "&quot;")


def _rules(sheet: str) -> Iterator[tuple[str, tuple[int, int], bool]]:
    """The innermost rules of a style sheet: selector, where its declarations stand, and whether a condition holds them.

    What stands in quotes, brackets and comments is passed over.
    """
    plain = _QUOTED.sub(lambda found: "_" * len(found[0]), sheet)
    conditions: list[str] = []
    place = 0
    for match in re.finditer(r"[{}]", plain):
        before = plain[place : match.start()]
        if match[0] == "{":
            conditions.append(before.rpartition(";")[2].strip("_ \t\r\n"))
        elif conditions:
            selector = conditions.pop()
            if before.strip() and not selector.startswith("@"):
                held = any(one.startswith(("@media", "@supports")) for one in conditions)
                framed = any(one.startswith("@") and "keyframes" in one for one in conditions)
                yield selector, (place, match.start()), held and not framed
        place = match.end()


def _with_important(text: str) -> str:
    pieces, done = [], 0
    for start, end in _sheets(text):
        pieces += [text[done:start], _important(text[start:end], _is_conditional(text, start))]
        done = end
    return "".join([*pieces, text[done:]])


def _is_conditional(text: str, start: int) -> bool:
    """Whether a style sheet holds for some devices only, by the tag before it."""
    return _MEDIA.search(text, text.rfind("<", 0, start), start) is not None


def _important(sheet: str, conditional: bool) -> str:
    """The style sheet with `!important` in what must win over an element's own style: conditions, and what one does."""
    plain = _QUOTED.sub(lambda found: "_" * len(found[0]), sheet)
    places = []
    for selector, (start, end), held in _rules(sheet):
        if not conditional and not held and not _ON_ACTION.search(selector):
            continue
        at = start
        for declaration in plain[start:end].split(";"):
            after = at + len(declaration.rstrip())
            name = declaration.partition(":")[0].strip("_ \t\r\n")
            if ":" in declaration and name and not name.startswith("--") and "!important" not in declaration.lower():
                places.append(after)
            at += len(declaration) + 1
    for place in sorted(places, reverse=True):
        sheet = f"{sheet[:place]} !important{sheet[place:]}"
    return sheet
