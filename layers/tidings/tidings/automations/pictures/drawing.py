"""An automation as a picture: Mermaid text, or SVG laid out by ourselves (`layout`), the same for the same automation.

What its writer wrote stands in it as plain text, whatever it is: nothing of it is ever markup, a link or a script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape

from tidings.automations.components import Awaits, Component, Decides, End, Sends, Split, Wait
from tidings.automations.definition.model import Definition
from tidings.automations.pictures.layout import BOX_HEIGHT, MARGIN, Line, Point, laid_out
from tidings.automations.pictures.saying import holding_throughout, said, triggered_by

_TRIGGER = "trigger"  # as the name of a box; components' begin with "c:"
_TEXT, _SMALL = 13.0, 11.0  # pixels
_WIDEST, _WIDEST_WORDS = 250.0, 150.0
_END, _UPRIGHT = 14.0, 12.0
_NOTE_WIDEST, _NOTE_ROW, _NOTE_ROWS = 360.0, 17.0, 3  # of what is noted: as wide as the flow, but at least so
_INDENT = 10.0  # of what does not fit into one row
_PAST = "date past or missing"


@dataclass(frozen=True)
class _Box:
    kind: str
    name: str
    detail: str = ""


@dataclass
class _Drawn:
    """Boxes by their names, lines between them with what is written on each, and what is noted beside the flow."""

    notes: list[str]
    boxes: dict[str, _Box] = field(default_factory=dict)
    lines: list[tuple[str, str, str]] = field(default_factory=list)


def _drawn(definition: Definition) -> _Drawn:
    start = _Box("trigger", "start", triggered_by(definition.trigger))
    drawn = _Drawn(holding_throughout(definition), {_TRIGGER: start})
    for name, component in definition.components.items():
        drawn.boxes[f"c:{name}"] = _Box(_kind(component), name, said(component))
    if definition.start in definition.components:
        drawn.lines.append((_TRIGGER, f"c:{definition.start}", ""))
    for name, component in definition.components.items():
        for target, words in _ways(component).items():
            end = f"c:{target}"
            if target not in definition.components:
                end = f"e:{name}"
                drawn.boxes[end] = _Box("end", "")
            drawn.lines.append((f"c:{name}", end, words))
    return drawn


_KINDS: tuple[tuple[str, tuple[type[Component], ...]], ...] = (
    ("wait", (Wait, Awaits)),
    ("send", (Sends,)),
    ("choice", (Decides,)),
    ("end", (End,)),
)


def _kind(component: Component) -> str:
    return next((kind for kind, bases in _KINDS if isinstance(component, bases)), "act")


def _ways(component: Component) -> dict[str, str]:
    """Where a component leads, and by which outcomes; those that come of `next` need no words, nor does an only way."""
    words: dict[str, list[str]] = {}
    shares = (
        {arm: f"{share.normalize():f}% " for arm, share in component.shares} if isinstance(component, Split) else {}
    )
    for link in component.links():
        told = words.setdefault(link.target, [])
        if link.key != "next" and link.outcome not in told:
            told.append(f"{shares.get(link.outcome, '')}{link.outcome}")
    if isinstance(component, Wait) and component.may_leave:
        words.setdefault("", []).append(_PAST)
    if len(words) == 1:
        return {} if "" in words else dict.fromkeys(words, "")
    return {target: ", ".join(told) for target, told in words.items()}


# --- Mermaid --------------------------------------------------------------------------------------------------------

_SHAPES = {
    "trigger": ('(["', '"])'),
    "wait": ('{{"', '"}}'),
    "send": ('["', '"]'),
    "choice": ('{"', '"}'),
    "act": ('[["', '"]]'),
    "end": ('(("', '"))'),
}
_PLAIN = re.compile(r"[^\w .,:%()/-]|_{2,}", re.ASCII)


def mermaid(definition: Definition) -> str:
    """The flow as Mermaid text (https://mermaid.js.org/syntax/flowchart.html)."""
    drawn = _drawn(definition)
    ids = {name: f"n{number}" for number, name in enumerate(drawn.boxes)}
    rows = ["flowchart TD", f"  accTitle: Automation {definition.automation}"]
    for name, box in drawn.boxes.items():
        left, right = _SHAPES[box.kind]
        rows.append(
            f"  {ids[name]}{left}{'<br/>'.join(filter(None, map(_plain, (box.name, box.detail)))) or ' '}{right}"
        )
    if drawn.notes:
        rows += [f'  note>"{"<br/>".join(map(_plain, drawn.notes))}"]', f"  note -.- {ids[_TRIGGER]}"]
    for source, target, words in drawn.lines:
        rows.append(f"  {ids[source]} -->{f'|{chr(34)}{_plain(words)}{chr(34)}|' if words else ''} {ids[target]}")
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    """Text in which Mermaid sees nothing of its own: everything but letters and digits by its number."""
    return _PLAIN.sub(lambda found: "".join(f"#{ord(one)};" for one in found[0]), _one_line(text, 120))


# --- SVG ------------------------------------------------------------------------------------------------------------

_STYLE = """
svg { --paper: #fff; --ink: #1c2430; --soft: #5b6675; --line: #8a94a3; --box: #f4f6f9; --edge: #c3cad4;
  --wait: #fff6dc; --send: #e3f0ff; --choice: #efe7ff; --act: #e2f6ea; --trigger: #1c2430; --on-trigger: #fff; }
@media (prefers-color-scheme: dark) { svg { --paper: #14181f; --ink: #eef1f5; --soft: #a9b3c1; --line: #77828f;
  --box: #222933; --edge: #46505d; --wait: #3a3318; --send: #17304d; --choice: #30264d; --act: #173a27;
  --trigger: #eef1f5; --on-trigger: #14181f; } }
.paper { fill: var(--paper); }
text { font-family: system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--ink); text-anchor: middle; }
.name { font-size: 13px; font-weight: 600; } .detail, .words, .count { font-size: 11px; fill: var(--soft); }
.box rect { fill: var(--box); stroke: var(--edge); } .wait rect { fill: var(--wait); } .send rect { fill: var(--send); }
.choice rect { fill: var(--choice); } .act rect { fill: var(--act); } .trigger rect { fill: var(--trigger); }
.trigger text { fill: var(--on-trigger); } .dot { fill: var(--line); } .count { text-anchor: end; }
.line { fill: none; stroke: var(--line); stroke-width: 1.5; } .back { stroke-dasharray: 5 4; }
.head { fill: var(--line); } .words-paper { fill: var(--paper); }
.note rect { fill: var(--paper); stroke-dasharray: 3 3; } .note text { font-size: 11px; text-anchor: start; }
"""
_HEAD = (
    '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="head" d="M0 0 10 5 0 10z"/></marker>'
)


def svg(definition: Definition, counts: Mapping[str, str] | None = None) -> str:
    """The flow as an SVG document. `counts` are short texts by component, drawn at its corner, such as `1,204`."""
    drawn = _drawn(definition)
    told = [(one, two, _fitted(words, _SMALL, _WIDEST_WORDS)) for one, two, words in drawn.lines]
    lines = [Line(one, two, _wide(words, _SMALL) + 10 if words else 0) for one, two, words in told if one != two]
    layout = laid_out({name: _box_width(box) for name, box in drawn.boxes.items()}, lines)
    notes = _wrapped(drawn.notes, max(_NOTE_WIDEST, layout.width - 2 * MARGIN) - 20)
    wide = max((indent + _wide(row, _SMALL) for indent, row in notes), default=0.0)
    width = max(layout.width, 120.0, wide + 20 + 2 * MARGIN if notes else 0.0)
    down = MARGIN + len(notes) * _NOTE_ROW + 12 if notes else 0.0
    height = layout.height + down
    name = escape(_one_line(definition.automation, 80))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="drawn-title drawn-about">',
        f'<title id="drawn-title">Automation {name}</title>',
        f'<desc id="drawn-about">{escape(_in_words(drawn))}</desc>',
        f"<style>{_STYLE}</style><defs>{_HEAD}</defs>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    own = [(one, words) for one, two, words in told if one == two]
    parts += _note(notes, wide + 20)
    parts.append(f'<g transform="translate({(width - layout.width) / 2:.1f} {down:.1f})">')
    parts += [_line(points) for points in layout.routes]
    parts += [_around(layout.boxes[one], _box_width(drawn.boxes[one]), words) for one, words in own]
    for (_, _, words), place in zip([one for one in told if one[0] != one[1]], layout.words, strict=True):
        parts += _words(words, place)
    for one, box in drawn.boxes.items():
        parts.append(_box(box, layout.boxes[one], (counts or {}).get(one.removeprefix("c:"), "")))
    return "\n".join([*parts, "</g></svg>"]) + "\n"


def _wrapped(notes: Sequence[str], widest: float) -> list[tuple[float, str]]:
    """Notes in rows that have room, each with how far it is indented; no note takes more than a few."""
    found: list[tuple[float, str]] = []
    for note in notes:
        rows = [""]
        for word in _one_line(note, 600).split():
            longer = f"{rows[-1]} {word}".strip()
            if rows[-1] and _wide(longer, _SMALL) > widest - _INDENT:
                rows.append(word)
            else:
                rows[-1] = longer
        if len(rows) > _NOTE_ROWS:
            rows[_NOTE_ROWS - 1 :] = [" ".join(rows[_NOTE_ROWS - 1 :])]
        found += [(_INDENT if n else 0.0, _fitted(row, _SMALL, widest - _INDENT)) for n, row in enumerate(rows)]
    return found


def _note(rows: Sequence[tuple[float, str]], width: float) -> list[str]:
    """What is noted, above the flow."""
    if not rows:
        return []
    texts = [
        f'<text x="{MARGIN + 10 + indent:.1f}" y="{MARGIN + 6 + (n + 0.75) * _NOTE_ROW:.1f}">{escape(row)}</text>'
        for n, (indent, row) in enumerate(rows)
    ]
    height = len(rows) * _NOTE_ROW + 12
    box = f'<rect x="{MARGIN:.1f}" y="{MARGIN:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4"/>'
    return ['<g class="box note">' + box, *texts, "</g>"]


def _in_words(drawn: _Drawn) -> str:
    """The flow for those who do not see it."""
    told = []
    for name, box in drawn.boxes.items():
        ways = [(two, words) for one, two, words in drawn.lines if one == name]
        onward = [f"{f'{words}: ' if words else ''}{drawn.boxes[two].name or 'the end'}" for two, words in ways]
        if box.name:
            about = f"{box.name} ({box.detail})" if box.detail else box.name
            told.append(f"{about}, then {'; '.join(onward) or 'the end'}.")
    return _clean(" ".join([*told, *(f"{note}." for note in drawn.notes)]))


def _box(box: _Box, place: Point, count: str) -> str:
    x, y = place
    if not box.name:
        return f'<circle class="dot" cx="{x:.1f}" cy="{y - BOX_HEIGHT / 2 + _END / 2:.1f}" r="{_END / 2 - 2:.0f}"/>'
    width = _box_width(box)
    name, detail = (_fitted(text, size, _WIDEST - 20) for text, size in ((box.name, _TEXT), (box.detail, _SMALL)))
    lift = 4 if box.detail else -4.5
    rows = [
        f'<g class="box {box.kind}"><title>{escape(_clean(": ".join(filter(None, (box.name, box.detail)))))}</title>',
        f'<rect x="{x - width / 2:.1f}" y="{y - BOX_HEIGHT / 2:.1f}" width="{width:.1f}" height="{BOX_HEIGHT:.0f}" '
        f'rx="{BOX_HEIGHT / 2 if box.kind in ("trigger", "end") else 8:.0f}"/>',
        f'<text class="name" x="{x:.1f}" y="{y - lift:.1f}">{escape(name)}</text>',
    ]
    if detail:
        rows.append(f'<text class="detail" x="{x:.1f}" y="{y + 13:.1f}">{escape(detail)}</text>')
    if count:
        rows.append(
            f'<text class="count" x="{x + width / 2:.1f}" y="{y - BOX_HEIGHT / 2 - 4:.1f}">'
            f"{escape(_one_line(count, 20))}</text>"
        )
    return "".join([*rows, "</g>"])


def _line(points: Sequence[Point]) -> str:
    """Upright where it meets a box, and smooth: a curve between the middles of its points."""
    is_back = points[-1][1] < points[0][1]
    off = -_UPRIGHT if is_back else _UPRIGHT
    (x, y), (to_x, to_y) = points[0], points[-1]
    points = [(x, y + off), *points[1:-1], (to_x, to_y - off)]
    path = [f"M{x:.1f} {y:.1f}"]
    for here, after in pairwise(points):
        path.append(f"Q{here[0]:.1f} {here[1]:.1f} {(here[0] + after[0]) / 2:.1f} {(here[1] + after[1]) / 2:.1f}")
    path.append(f"Q{to_x:.1f} {to_y - off:.1f} {to_x:.1f} {to_y:.1f}")
    return f'<path class="line{" back" if is_back else ""}" marker-end="url(#head)" d="{"".join(path)}"/>'


def _around(place: Point, width: float, words: str) -> str:
    """The line from a box to itself, at its side."""
    x, y = place[0] + width / 2, place[1]
    line = f"M{x:.1f} {y + 9:.1f}C{x + 20:.1f} {y + 9:.1f} {x + 20:.1f} {y - 9:.1f} {x:.1f} {y - 9:.1f}"
    return f'<path class="line back" marker-end="url(#head)" d="{line}"><title>{escape(words)}</title></path>'


def _words(words: str, place: Point) -> list[str]:
    if not words:
        return []
    (x, y), width = place, _wide(words, _SMALL) + 6
    return [
        f'<rect class="words-paper" x="{x - width / 2:.1f}" y="{y - 8:.1f}" width="{width:.1f}" height="16" rx="4"/>',
        f'<text class="words" x="{x:.1f}" y="{y + 4:.1f}">{escape(words)}</text>',
    ]


def _box_width(box: _Box) -> float:
    if not box.name:
        return _END
    widest = max(_wide(box.name, _TEXT) * 1.06, _wide(box.detail, _SMALL))
    return min(_WIDEST, max(96.0, widest + 24))


def _wide(text: str, size: float) -> float:
    """About how wide a text is, in pixels: rather too wide, since fonts differ."""
    return sum(_WIDTHS.get(one, 0.6 if one.isascii() else _foreign(one)) for one in text) * size


_WIDTHS = (
    dict.fromkeys("iljtf.,:;'|!() ", 0.32) | dict.fromkeys("mwMW%@", 0.9) | dict.fromkeys("ABCDEGHKNOPQRUVXY", 0.72)
)


def _foreign(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return 1.1 if unicodedata.east_asian_width(character) in "WF" else 0.7


def _fitted(text: str, size: float, widest: float) -> str:
    """As much of a text as there is room for."""
    text = _one_line(text, 300)
    if _wide(text, size) <= widest:
        return text
    while text and _wide(text + "…", size) > widest:
        text = text[:-1]
    return text.rstrip() + "…"


def _one_line(text: str, most: int) -> str:
    return " ".join(_clean(text).split())[:most]


def _clean(text: str) -> str:
    """Without what no document may hold (https://www.w3.org/TR/xml/#charsets), or what turns the direction of text."""
    return re.sub(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", "\ufffd", text
    )
