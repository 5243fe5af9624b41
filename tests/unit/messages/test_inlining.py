"""Styles written into elements: only `style` changes, and where styles depend on Liquid nothing does."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.inlining import NESTED, NotInlined, inlined
from tidings.messages.plaintext import text_of
from tidings.messages.render import HTML, Filling, parse

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
RED = "<style>p { color: red } .big { font-size: 20px }</style>"


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ("<p>x</p>", '<p style="color: red;">x</p>'),
        ("<P  ALIGN=left>x", '<P style="color: red;"  ALIGN=left>x'),
        ("<p class='big'>x</p>", "<p style=\"font-size: 20px;color: red;\" class='big'>x</p>"),
        ('<p style="margin:0">x</p>', '<p style="color: red;margin: 0">x</p>'),
        ("<p style='margin:0'>x</p>", "<p style='color: red;margin: 0'>x</p>"),
        ("<p style=margin:0>x</p>", '<p style="color: red;margin: 0">x</p>'),
        ('<p style="color: {{ contact.c }}">x</p>', '<p style="color: {{ contact.c }}">x</p>'),
        ("<i>x</i>&nbsp;&amp;", "<i>x</i>&nbsp;&amp;"),
        ("<!--[if mso]><p>x</p><![endif]-->", "<!--[if mso]><p>x</p><![endif]-->"),
        ('<a title="a > b">x</a><p>', '<a title="a > b">x</a><p style="color: red;">'),
    ],
)
def test_styles_go_into_the_start_tags(body: str, becomes: str) -> None:
    done = inlined(RED + body).removeprefix(RED)
    order = lambda text: sorted(text.replace('"', ";").split(";"))  # noqa: E731 - declarations come in any order
    assert done == becomes or order(done) == order(becomes)


@pytest.mark.parametrize(
    "html",
    [
        "<p>no style sheet</p>",
        "<style></style><p>x</p>",
        "<style>p { color: red }",
        "<style>q { color: red }</style><p>x</p>",
        '<link rel="stylesheet" href="https://styles.invalid/a.css"><p>x</p>',
        '<style>@import url("https://styles.invalid/a.css");</style><p>x</p>',
    ],
)
def test_what_has_nothing_to_inline_stays_as_it_is(html: str) -> None:
    assert inlined(html) == html


def test_what_an_element_says_itself_wins_over_the_style_sheet() -> None:
    assert inlined(RED + '<p style="color: blue">x</p>').endswith('<p style="color: blue">x</p>')
    both = inlined("<style>p { color: red !important }</style>" + '<p style="color: blue">x</p>')
    assert "color: red !important" in both.partition("<p")[2]


def test_rules_for_some_devices_stay_in_the_style_sheet_and_win_over_elements() -> None:
    html = """<style>p { color: black } @media (prefers-color-scheme: dark) { p { color: white; margin: 0 !important } }
    a:hover { color: blue } @font-face { src: url(a;b) } @keyframes k { from { top: 0 } }</style>
    <style media="print">p { color: grey }</style><p>x</p>"""
    done = inlined(html)
    assert "{ p { color: white !important; margin: 0 !important } }" in done
    assert "a:hover { color: blue !important }" in done
    assert '<style media="print">p { color: grey !important }</style>' in done
    assert "@font-face { src: url(a;b) } @keyframes k { from { top: 0 } }" in done
    assert '<p style="color: black;">' in done
    assert inlined(done).count("!important") == done.count("!important")


@pytest.mark.parametrize(
    ("inside", "becomes"),
    [
        ("p { a: 'x;}' }", "p { a: 'x;}' !important }"),
        ("p { a: b; /* c: d */ }", "p { a: b !important; /* c: d */ }"),
        ("p { a: b; ; }", "p { a: b !important; ; }"),
        ("p { --x: b }", "p { --x: b }"),
        (
            "p { background: url(data:image/png;base64,AAAA) }",
            "p { background: url(data:image/png;base64,AAAA) !important }",
        ),
    ],
)
def test_a_declaration_ends_where_css_says(inside: str, becomes: str) -> None:
    assert becomes in inlined(f"<style>p{{}} @media print {{ {inside} }} i {{ a: b }}</style><i>x</i>")


def test_values_that_liquid_fills_go_along() -> None:
    html = "<style>p { color: {{ variables.colour }} }</style><p>x</p>"
    assert '<p style="color: {{ variables.colour }};">' in inlined(html)


def test_liquid_between_the_parts_of_a_table_stays_where_it_is() -> None:
    row = "<tr>{% if one %}<td class=big>{{ one }}</td>{% endif %}</tr>"
    table = f"<table>{{% for one in event.items %}}{row}{{% endfor %}}</table>"
    assert inlined(RED + table) == RED + table.replace("<td", '<td style="font-size: 20px;"')


@pytest.mark.parametrize(
    "body",
    [
        '<p class="{{ contact.a }}">x</p>',
        '<p id="{% if contact.a %}x{% endif %}">x</p>',
        '<p {% if contact.a %}class="big"{% endif %}>x</p>',
        "<p {{ contact.a }}>x</p>",
        "<{{ contact.a }}>x",
        '<p style="{% if contact.a %}margin:0{% endif %}">x</p>',
        "{% if contact.a %}<div class=big>{% else %}<div>{% endif %}<p>x</p></div>",
        "<style>{% if contact.a %}p { color: blue }{% endif %}</style><p>x</p>",
        "<style>{{ contact.a }} { color: blue }</style><p>x</p>",
        "{% assign c = 'red' %}<style>p { color: {{ c }} }</style><p>x</p>",
        "<style>p + p { color: blue }</style>{% for one in event.items %}<p>x</p>{% endfor %}",
        "<style>p:first-child { color: blue }</style>{% if event.a %}<p>x</p>{% endif %}<p>y</p>",
        "<div>" * (NESTED + 1),
        "<p><b>" * 100_000,
        "<style>" + "p { a: b } " * 6000 + "</style><p>",
        "<style>" + "p,i,b{a:b} " * 3000 + "</style>" + "<p>" * 2000,
    ],
)
def test_where_styles_depend_on_liquid_or_would_take_long_nothing_is_inlined(body: str) -> None:
    with pytest.raises(NotInlined):
        inlined(RED + body)


N = 25_000


@pytest.mark.parametrize(
    "html",
    ["<a" * N, "<!--" * N, "<![CDATA[" * N, "<style>" * N, "<style" * N, "<?" * N, "</" * N, "<p " + 'a="b" ' * N + ">",
     f"<style>{'/*' * N}</style><p>", "<style>" + '"\\' * N + "</style><p>", "<style>" + "{ " * N + "</style>"],
)  # fmt: skip
def test_hostile_html_is_read_in_one_go(html: str) -> None:
    inlined(RED + html)
    text_of(html)


class Seen(HTMLParser):
    """Everything in a page but styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[Any] = []
        self._sheet = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._sheet = tag == "style"
        self.all.append((tag, [pair for pair in attrs if pair[0] != "style"]))

    def handle_endtag(self, tag: str) -> None:
        self._sheet = False
        self.all.append(tag)

    def handle_data(self, data: str) -> None:
        if not self._sheet:
            self.all.append(data)

    def handle_comment(self, data: str) -> None:
        self.all.append(data)


LEAVES = st.sampled_from(
    ["text", "{{ contact.name }}", "&amp;", "<br>", "<!-- c -->", '<a href="{{ contact.url }}?a=1&b=2">l</a>', "\n  ",
     "{% if contact.plan %}<p class=big>plan{% else %}none{% endif %}", "{% assign x = 1 %}",
     '<img alt="{{ contact.name }}">']
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda open_, parts, loop: loop[0] + f"<{open_}>" + "".join(parts) + f"</{open_.split()[0]}>" + loop[1],
        st.sampled_from(["p", "div class='a b'", "table", "tr", "td class=big", "p style='margin: {{ contact.m }}px'",
                         "b", "ul", "li id=x", 'span title="a > b"']),
        st.lists(inner, max_size=4),
        st.sampled_from([("", ""), ("{% for i in contact.items %}", "{% endfor %}"),
                         ("{% if contact.plan %}", "{% endif %}")]),
    ),
    max_leaves=12,
)  # fmt: skip
SHEETS = st.lists(
    st.sampled_from(
        ["p { color: red }", ".a.b { margin: 0 }", "td.big, #x { font-family: 'A B', serif }", "div > p { top: 1px }",
         "@media (max-width: 600px) { p { color: blue; } }", "b { padding: {{ contact.m }}px }", "a:hover { top: 0 }"]
    ),
    max_size=5,
).map("\n".join)  # fmt: skip
PEOPLE = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Ada", "<b>A & B</b>", '"x"']),
        "m": st.integers(0, 9),
        "items": st.lists(st.none(), max_size=2),
    },
    optional={"plan": st.just("team"), "url": st.just("https://acme.example/")},
)


@given(SHEETS, st.lists(TREES, max_size=4).map("".join), PEOPLE)
def test_a_person_sees_the_same_words_links_and_images_inlined_or_not(
    sheet: str, body: str, person: dict[str, Any]
) -> None:
    html = f"<style>{sheet}</style><body>{body}</body>"
    try:
        done = inlined(html)
    except NotInlined:
        return
    before, after = (Filling({"contact": person}, NOW).fill(parse(HTML, one, "html")) for one in (html, done))
    assert Seen(after).all == Seen(before).all
    assert text_of(done) == text_of(html)
