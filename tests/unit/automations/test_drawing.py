"""Pictures of automations: nothing overlaps or crosses without need, and what people wrote is text and nothing else."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.browsers import chromium
from tests.unit.automations.strategies import definitions

from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.pictures.drawing import mermaid, svg
from tidings.automations.pictures.layout import BETWEEN, BOX_HEIGHT, Line, laid_out

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.yaml"))
NASTY = '"]; <script>alert(1)</script> & --> n9 #quot; `x` %%{init}%% click n0 "javascript:1" \u202eend ]]>'
many = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def of(name: str) -> Definition:
    return parse_definition(next(file for file in GOLDEN if file.stem == name).read_text(encoding="utf-8"))


def nasty() -> Definition:
    written: dict[str, Any] = {
        "automation": "nasty",
        "trigger": {"event": NASTY},
        "start": "wait",
        "components": {
            "wait": {
                "type": "wait_for",
                "arms": [{"name": NASTY[:90].replace("\u202e", ""), "event": NASTY, "next": "ask"}],
                "timeout": "1 day",
            },
            "ask": {"type": "branch", "arms": [{"name": "ąść 日本語 🎉", "when": {"did": "X"}, "next": "wait"}]},
        },
    }
    return Definition.model_validate(written)


# --- layout -----------------------------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, float], list[Line]]:
    count = draw(st.integers(1, 14))
    boxes = {f"b{n}": draw(st.sampled_from([14.0, 96.0, 180.0, 250.0])) for n in range(count)}
    pairs = st.tuples(st.sampled_from(sorted(boxes)), st.sampled_from(sorted(boxes))).filter(
        lambda pair: pair[0] != pair[1]
    )
    found = draw(st.lists(pairs, unique=True, max_size=20)) if count > 1 else []
    return boxes, [Line(one, two, draw(st.sampled_from([0.0, 40.0, 150.0]))) for one, two in found]


@many
@given(graphs())
def test_neither_boxes_nor_words_overlap_in_any_graph(graph: tuple[dict[str, float], list[Line]]) -> None:
    boxes, lines = graph
    layout = laid_out(boxes, lines)
    taken = [(*layout.boxes[name], width, BOX_HEIGHT) for name, width in boxes.items()]
    taken += [(x, y, line.width, 16.0) for (x, y), line in zip(layout.words, lines, strict=True) if line.width]
    for one, other in combinations(taken, 2):
        apart = (abs(one[0] - other[0]) - (one[2] + other[2]) / 2, abs(one[1] - other[1]) - (one[3] + other[3]) / 2)
        assert max(apart) >= -0.001
    for x, y, width, height in taken:
        assert x - width / 2 >= 0
        assert x + width / 2 <= layout.width
        assert y - height / 2 >= 0
        assert y + height / 2 <= layout.height


@many
@given(graphs())
def test_a_line_goes_from_its_box_to_its_other_box_and_through_none(graph: tuple[dict[str, float], list[Line]]) -> None:
    boxes, lines = graph
    layout = laid_out(boxes, lines)
    for line, points in zip(lines, layout.routes, strict=True):
        for box, (x, y) in ((line.source, points[0]), (line.target, points[-1])):
            assert abs(x - layout.boxes[box][0]) <= boxes[box] / 2
            assert abs(abs(y - layout.boxes[box][1]) - BOX_HEIGHT / 2) < 0.001
        for x, y in points[1:-1]:
            for box, (box_x, box_y) in layout.boxes.items():
                assert abs(x - box_x) >= boxes[box] / 2 or abs(y - box_y) > BOX_HEIGHT / 2


@many
@given(graphs())
def test_the_same_graph_is_laid_out_the_same(graph: tuple[dict[str, float], list[Line]]) -> None:
    assert laid_out(*graph) == laid_out(*graph)


def test_a_chain_stands_straight_and_a_fork_stands_over_its_middle() -> None:
    chain = laid_out({"a": 100, "b": 100, "c": 100}, [Line("a", "b"), Line("b", "c")])
    assert len({round(x) for x, _ in chain.boxes.values()}) == 1
    assert [y for _, y in chain.boxes.values()] == pytest.approx([43 + n * (BOX_HEIGHT + BETWEEN) for n in range(3)])
    fork = laid_out({"a": 100, "b": 100, "c": 100}, [Line("a", "b"), Line("a", "c")])
    assert fork.boxes["a"][0] == pytest.approx((fork.boxes["b"][0] + fork.boxes["c"][0]) / 2, abs=2)


def test_what_can_be_drawn_without_a_crossing_is() -> None:
    boxes = dict.fromkeys(["a", "l", "r", "ll", "rr", "z"], 100.0)
    lines = [Line(*pair) for pair in (("a", "r"), ("a", "l"), ("l", "ll"), ("r", "rr"), ("ll", "z"), ("rr", "z"))]
    at = laid_out(boxes, lines).boxes
    assert (at["l"][0] < at["r"][0]) == (at["ll"][0] < at["rr"][0])


# --- SVG --------------------------------------------------------------------------------------------------------------

_ALLOWED = {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "circle", "g", "text"}


def elements(text: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(text).iter())  # noqa: S314 - made here


@many
@given(definitions())
def test_an_svg_is_a_document_of_harmless_elements_with_a_box_for_each_component(definition: Definition) -> None:
    found = elements(svg(definition))
    assert {one.tag.removeprefix("{http://www.w3.org/2000/svg}") for one in found} <= _ALLOWED
    for one in found:
        assert not [name for name in one.attrib if name.startswith("on") or "href" in name]
    names = [one.text for one in found if one.get("class") == "name"]
    assert sorted(names, key=str) == sorted(["start", *definition.components])


def test_what_people_wrote_is_text_in_an_svg() -> None:
    text = svg(nasty(), {"wait": "<b>7</b>"})
    assert "<script" not in text
    assert "<b>" not in text
    assert "\u202e" not in text
    assert elements(text)


def test_an_svg_tells_the_flow_to_those_who_do_not_see_it_and_is_dark_where_that_is_wanted() -> None:
    text = svg(of("filter"))
    (root, *_), about = elements(text), next(one for one in elements(text) if one.tag.endswith("desc"))
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "drawn-title drawn-about")
    assert "readers (filter), then second; otherwise: the end." in str(about.text)
    assert "prefers-color-scheme: dark" in text


def test_counts_stand_at_their_components() -> None:
    counts = [one.text for one in elements(svg(of("filter"), {"first": "1,204"})) if one.get("class") == "count"]
    assert counts == ["1,204"]


def test_an_address_of_a_webhook_shows_its_host_only() -> None:
    assert "/score" not in svg(of("webhook")) + mermaid(of("webhook"))
    assert "POST shop.example" in svg(of("webhook"))


def test_an_automation_of_200_components_is_drawn() -> None:
    components: dict[str, Any] = {}
    for number in range(199):
        onward = [f"c{min(199, number + step)}" for step in (1, 2, 5)]
        arms = [{"name": f"arm {n}", "when": {"did": "X"}, "next": way} for n, way in enumerate(onward)]
        components[f"c{number}"] = {"type": "branch", "arms": arms}
    components["c199"] = {"type": "send_email", "template": "t"}
    written = {"automation": "a", "trigger": {"event": "E"}, "start": "c0", "components": components}
    assert len(elements(svg(Definition.model_validate(written)))) > 1000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_text_is_cut_or_wider_than_its_box_in_a_browser(scheme: str) -> None:
    """Fonts differ: what is measured by our own table is measured here by the browser."""
    with chromium() as browser:
        page = browser.new_page(color_scheme=scheme)
        for file in GOLDEN:
            page.set_content(svg(of(file.stem)))
            wide = page.evaluate(
                """() => [...document.querySelectorAll("g.box")].flatMap(box => {
                    const rect = box.querySelector("rect").getBBox();
                    return [...box.querySelectorAll("text")].filter(one => one.getBBox().width > rect.width - 8)
                        .map(one => one.textContent)})"""
            )
            assert wide == [], file.stem
            paper = page.evaluate("getComputedStyle(document.querySelector('.paper')).fill")
            assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 31)"}[scheme]


# --- what stands in a drawing ----------------------------------------------------------------------------------------


def telling() -> Definition:
    """What a drawing used to keep to itself."""
    written: dict[str, Any] = {
        "automation": "renewal",
        "trigger": {
            "date": {"trait": "ends", "offset": "-30 days", "at": "10:00"},
            "where": {"trait": "plan", "is": "team"},
        },
        "exits": [
            {
                "name": "Renewed",
                "event": "Contract Renewed",
                "match": "contract",
                "where": {"property": "years", "at_least": 2},
            },
            {"name": "Partner", "when": {"trait": "role", "is": "partner"}},
        ],
        "goal": {"event": "Contract Renewed", "within": "40 days"},
        "start": "morning",
        "components": {
            "morning": {"type": "wait", "until": {"at": "09:00"}, "next": "early"},
            "early": {
                "type": "wait",
                "until": {"trait": "ends", "offset": "2 days"},
                "if_past": "leave",
                "next": "mark",
            },
            "mark": {"type": "update_contact", "set": {"a": 1}, "unset": ["b"], "next": "clear"},
            "clear": {"type": "update_contact", "unset": ["b"], "next": "split"},
            "split": {
                "type": "split",
                "arms": [{"name": "A", "percent": 62.5, "next": "mail"}, {"name": "B", "percent": 20, "next": "mail"}],
                "holdout": 17.5,
            },
            "mail": {"type": "send_email", "template": "t"},
        },
    }
    return Definition.model_validate(written)


NOTES = [
    'Only where plan is "team"',
    "Exit Renewed: Contract Renewed with the same contract where years is at least 2",
    'Exit Partner: role is "partner"',
    "Goal: Contract Renewed, within 40 days",
]
DETAILS = [
    "30 days before ends, once at 10:00",
    "waits until 09:00",
    "waits until 2 days after ends",
    "sets a, clears b",
    "clears b",
]
WORDS = ["date past or missing", "62.5% A, 20% B", "17.5% holdout"]


def test_a_drawing_says_offsets_what_is_cleared_percentages_and_the_way_out_of_a_wait() -> None:
    found = elements(svg(telling()))
    assert [one.text for one in found if one.get("class") == "detail"][:5] == DETAILS
    assert [one.text for one in found if one.get("class") == "words"] == WORDS
    text = mermaid(telling())
    assert all(one in text for one in DETAILS)
    assert '  n2 -->|"date past or missing"| n7' in text.splitlines()
    assert '  n5 -->|"62.5% A, 20% B"| n6' in text.splitlines()


def test_a_drawing_notes_whom_it_takes_in_how_people_leave_and_what_is_success() -> None:
    found = elements(svg(telling()))
    (note,) = [one for one in found if one.get("class") == "box note"]
    assert " ".join(str(one.text).strip() for one in note if one.tag.endswith("text")) == " ".join(NOTES)
    about = next(one for one in found if one.tag.endswith("desc"))
    assert all(f"{one}." in str(about.text) for one in NOTES)
    rows = mermaid(telling()).splitlines()
    (row,) = [one for one in rows if one.startswith("  note>")]
    assert row.count("<br/>") == 3
    assert "Goal: Contract Renewed, within 40 days" in row
    assert "  note -.- n0" in rows


def test_what_is_noted_stands_above_the_flow_and_inside_the_drawing() -> None:
    long = {"trait": "plan", "in": [f"plan number {n}" for n in range(60)]}
    trigger = {"event": "E", "where": long}
    for one in (telling(), Definition.model_validate({**telling().as_dict(), "trigger": trigger})):
        (root, *_), found = elements(svg(one)), elements(svg(one))
        (note,) = [each for each in found if each.get("class") == "box note"]
        rect, *texts = note
        bottom = float(str(rect.get("y"))) + float(str(rect.get("height")))
        (flow,) = [each for each in found if each.get("transform")]
        down = float(str(flow.get("transform")).split()[1].rstrip(")"))
        assert float(str(texts[-1].get("y"))) < bottom <= down
        assert float(str(rect.get("x"))) + float(str(rect.get("width"))) <= float(str(root.get("width")))
        assert len(texts) <= 8


def test_a_drawing_of_what_has_nothing_to_note_has_no_note() -> None:
    assert "note>" not in mermaid(of("filter"))
    assert not [one for one in elements(svg(of("filter"))) if one.get("class") == "box note"]


# --- Mermaid ----------------------------------------------------------------------------------------------------------


def test_mermaid_names_every_component_and_every_way() -> None:
    assert mermaid(of("filter")).splitlines() == [
        "flowchart TD",
        "  accTitle: Automation filter",
        '  n0(["start<br/>Signed Up"])',
        '  n1["first<br/>e-mail first"]',
        '  n2{{"pause<br/>waits 3 days"}}',
        '  n3{"readers<br/>filter"}',
        '  n4["second<br/>e-mail second"]',
        '  n5{"team<br/>filter"}',
        '  n6["third<br/>e-mail third"]',
        '  n7["fourth<br/>e-mail fourth"]',
        '  n8((" "))',
        "  n0 --> n1",
        "  n1 --> n2",
        "  n2 --> n3",
        "  n3 --> n4",
        '  n3 -->|"otherwise"| n8',
        "  n4 --> n5",
        "  n5 --> n6",
        '  n5 -->|"otherwise"| n7',
    ]


_ROW = re.compile(
    r"flowchart TD|  accTitle: Automation [a-z0-9-]+"
    r"|  n\d+(\(\[|\{\{|\{|\[\[|\[|\(\()\"((#\d+;|[\w .,:%()/-])|<br/>)*\"(\]\)|\}\}|\}|\]\]|\]|\)\))"
    r"|  note>\"((#\d+;|[\w .,:%()/-])|<br/>)*\"\]|  note -\.- n0"
    r"|  n\d+ -->(\|\"(#\d+;|[\w .,:%()/-])*\"\|)? n\d+",
    re.ASCII,
)


@many
@given(definitions())
def test_every_row_of_mermaid_is_one_that_we_mean(definition: Definition) -> None:
    for row in mermaid(definition).splitlines():
        assert _ROW.fullmatch(row), row


def test_what_people_wrote_is_text_in_mermaid() -> None:
    rows = mermaid(nasty()).splitlines()
    assert all(_ROW.fullmatch(row) for row in rows)
    assert not any(word in "\n".join(rows) for word in ("<script", "%%{", 'javascript:1"', "`", "\u202e"))
