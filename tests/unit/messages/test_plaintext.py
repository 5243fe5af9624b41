"""The plain text made of HTML: what a person would read, in the same order, with its Liquid."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core.clock import FixedClock
from tidings.messages.lint import make
from tidings.messages.liquid import Unclosed
from tidings.messages.model import Template, TemplateInput
from tidings.messages.plaintext import text_of
from tidings.messages.render import Renderer

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("<h1>Title</h1>Line<br>next", "Title\n\nLine\nnext\n"),
        ("<div>a</div><div>b</div>", "a\nb\n"),
        ("  many \n\t spaces&nbsp; here ", "many spaces here\n"),
        ("<b>bo</b>ld <i>and </i> not", "bold and not\n"),
        ("5 &lt; 6 &amp; 7 &#8364;", "5 < 6 & 7 €\n"),
        ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\n\nafter\n"),
        ("<ul><li>unclosed<li>items</ul>", "- unclosed\n- items\n"),
        ('<a href="https://acme.example/a?b=1&amp;c=2">Look</a> here', "Look (https://acme.example/a?b=1&c=2) here\n"),
        ('<a href="https://acme.example">https://acme.example</a>', "https://acme.example\n"),
        ('<a href="mailto:hi@acme.example">Write</a>', "Write (hi@acme.example)\n"),
        ('<a href="mailto:hi@acme.example">hi@acme.example</a>', "hi@acme.example\n"),
        ('<a href="#top">Up</a> <a name="x">Name</a> <a href="">Empty</a>', "Up Name Empty\n"),
        ('<a href="https://acme.example"><img src="x" alt="Our shop"></a>', "Our shop (https://acme.example)\n"),
        ('<a href="https://acme.example"><img src="x" alt=""></a>', "https://acme.example\n"),
        ('<img src="x"><img alt="Logo" src="y">', "Logo\n"),
        ("a<hr>b", f"a\n\n{'-' * 40}\n\nb\n"),
        ("<pre>a\n  b</pre>", "a\n  b\n"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A  B\n1  2\n"),
        ('<table role="presentation"><tr><td>A</td><td>B</td></tr></table>', "A\nB\n"),
        ("<style>p{}</style><script>x()</script><title>t</title><!-- c -->seen", "seen\n"),
        ('<div style="display:none">hidden <div>deep</div></div>seen', "seen\n"),
        ('<p hidden>hidden</p><p style="color:red;MSO-HIDE: all">x</p>seen', "seen\n"),
        ("&zwnj;&#847;&nbsp;a&shy;b", "ab\n"),
        ("<!--[if mso]><p>Outlook</p><![endif]-->seen", "seen\n"),
        ("no tag &", "no tag &\n"),
        ("", ""),
        ("<p> </p>", ""),
    ],
)
def test_html_reads_as_text(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello {{ contact.name }},</p>", "Hello {{ contact.name }},\n"),
        ("<p>{{ contact.a | default: '<b>' }} > {{ b  }}</p>", "{{ contact.a | default: '<b>' }} > {{ b  }}\n"),
        ('<a href="{{ variables.url }}/x">Go</a>', "Go ({{ variables.url }}/x)\n"),
        ('<td {% if contact.a > 1 %}class="b"{% endif %}>cell</td>', "cell\n"),
        ("{% raw %}{{ x }}<b>{% endraw %}", "{% raw %}{{ x }}<b>{% endraw %}\n"),
        ("&#123;&#123; x }} &#123;% y %}", "{{ '{{' }} x }} {{ '{%' }} y %}\n"),
    ],
)
def test_liquid_stays_liquid(html: str, text: str) -> None:
    assert text_of(html) == text


def text_for(html: str, **contact: object) -> str:
    content = TemplateInput(template="t", subject="s", html=html)
    made, _ = make(content)
    data = {"contact": contact, "event": {}, "message": {"id": "m"}, "unsubscribe_url": ""}
    return Renderer(FixedClock(NOW)).render(Template("acme", "t", 1, content, NOW, made), data).text


def test_what_liquid_leaves_out_leaves_no_hole() -> None:
    html = "<p>One</p>{% if contact.plan %}<p>{{ contact.plan }}</p>{% endif %}<p>Two</p>"
    assert text_for(html) == "One\n\nTwo\n"
    assert text_for(html, plan="team") == "One\n\nteam\n\nTwo\n"


def test_what_liquid_repeats_stands_on_a_line_of_its_own() -> None:
    html = "<ul>{% for one in contact.items %}<li>{{ one }}</li>{% endfor %}</ul>"
    lines = [line for line in text_for(html, items=["a", "b"]).splitlines() if line]
    assert lines == ["- a", "- b"]


def test_values_in_the_text_are_not_escaped() -> None:
    assert text_for("<p>{{ contact.name }}</p>", name="<Ada> & co") == "<Ada> & co\n"


BLOCKS = st.recursive(
    st.sampled_from(["word", "{{ contact.name }}", "a &amp; b", "<br>", '<img alt="pic" src="x">', " "]),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag.split()[0]}>",
        st.sampled_from(["p", "div", "td", "li", "b", 'a href="https://x.example"', "ul", "table", "h2"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(BLOCKS)
def test_every_word_is_kept_in_its_order_and_no_line_is_loose(html: str) -> None:
    text = text_of(html)
    assert text.count("word") == html.count("word")
    assert text.count("{{ contact.name }}") == html.count("{{ contact.name }}")
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "\n\n\n" not in text


@given(st.text(alphabet="<>/=\"' apdivb!-&;#{}%", max_size=200))
def test_no_text_is_too_odd(html: str) -> None:
    with contextlib.suppress(Unclosed):
        text_of(html)
