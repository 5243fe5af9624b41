"""Links that tell which message they stood in."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core.ids import is_message_id, message_id
from tidings.messages.links import in_html, in_text

M = message_id("c" + "a" * 26, "welcome", "entry", "tips", "0")


def marked(html: str) -> str:
    """The HTML with `M` put for the message's id, so that the cases below are short."""
    return in_html(html, M).replace(M, "M")


@pytest.mark.parametrize(("before", "after"), [
    ('<a href="https://x.example">x</a>', '<a href="https://x.example?tid=M">x</a>'),
    ('<a href="https://x.example/a?b=1">x</a>', '<a href="https://x.example/a?b=1&amp;tid=M">x</a>'),
    ('<a href="https://x.example/a?b=1&amp;c=2#d">x</a>', '<a href="https://x.example/a?b=1&amp;c=2&amp;tid=M#d">x</a>'),
    ('<a href="https://x.example/#top">x</a>', '<a href="https://x.example/?tid=M#top">x</a>'),
    ('<a href="https://x.example/a?">x</a>', '<a href="https://x.example/a?tid=M">x</a>'),
    ('<a href="https://x.example/a?b=1&amp;">x</a>', '<a href="https://x.example/a?b=1&amp;tid=M">x</a>'),
    ("<a href='http://x.example/a'>x</a>", "<a href='http://x.example/a?tid=M'>x</a>"),
    ("<a href=https://x.example/a>x</a>", "<a href=https://x.example/a?tid=M>x</a>"),
    ("<a class=b href=https://x.example/a id=c>x</a>", "<a class=b href=https://x.example/a?tid=M id=c>x</a>"),
    ('<A HREF = "HTTPS://x.example/A">x</A>', '<A HREF = "HTTPS://x.example/A?tid=M">x</A>'),
    ('<a\n  title=">"\n  href="\n https://x.example/a \n">x</a>',
     '<a\n  title=">"\n  href="\n https://x.example/a?tid=M \n">x</a>'),
    ('<area href="https://x.example/a"/>', '<area href="https://x.example/a?tid=M"/>'),
    # The first of two counts, as it does in browsers.
    ('<a href="https://x.example" href="https://y.example">x</a>',
     '<a href="https://x.example?tid=M" href="https://y.example">x</a>'),
    # A hash and a question mark may be written as what stands for them.
    ('<a href="https://x.example/a&#x3F;b=1&#35;c">x</a>', '<a href="https://x.example/a&#x3F;b=1&amp;tid=M&#35;c">x</a>'),
    ('<a href="https&colon;//x.example/a">x</a>', '<a href="https&colon;//x.example/a?tid=M">x</a>'),
    # A parameter that only looks like ours, and one within another's value.
    ('<a href="https://x.example/?atid=1">x</a>', '<a href="https://x.example/?atid=1&amp;tid=M">x</a>'),
    ('<a href="https://x.example/?to=%3Ftid%3D1">x</a>', '<a href="https://x.example/?to=%3Ftid%3D1&amp;tid=M">x</a>'),
])  # fmt: skip
def test_a_link_carries_the_message_and_stays_as_it_was_in_all_else(before: str, after: str) -> None:
    assert marked(before) == after
    assert marked(f"<p>é\n{before}\n<br>{before}") == f"<p>é\n{after}\n<br>{after}"


@pytest.mark.parametrize("html", [
    "",
    "no links, https://x.example",
    '<a href="https://x.example/?tid=1">x</a>',
    '<a href="https://x.example/?a=1&amp;tid=">x</a>',
    '<a href="https://x.example/?a=1&#38;t%69d=1">x</a>',
    '<a href="mailto:ada@people.example">x</a>',
    '<a href="tel:+441514960000">x</a>',
    '<a href="sms:+441514960000?body=https://x.example">x</a>',
    '<a href="#top">x</a>',
    '<a href="/a">x</a>',
    '<a href="//x.example/a">x</a>',
    '<a href="javascript:https://x.example">x</a>',
    '<a href="">x</a>',
    "<a href>x</a>",
    '<a name="x">x</a>',
    '<a data-href="https://x.example">x</a>',
    '<a title="href=https://x.example">x</a>',
    '<a href="https://x.example" data-no-tid>x</a>',
    '<a DATA-NO-TID="" href="https://x.example">x</a>',
    '<link href="https://x.example/a.css"><img src="https://x.example/a.png">',
    '<abbr href="https://x.example">x</abbr>',
    '<!-- <a href="https://x.example">x</a> -->',
    '<style>a::before { content: \'<a href="https://x.example">\' }</style>',
    '<a href="https://[">x</a>',
    '<a href="https://">x</a>',
    '<a href="https:///a">x</a>',
    '<a href="https://x.example/a',
])  # fmt: skip
def test_what_is_no_link_of_the_web_is_let_be(html: str) -> None:
    assert marked(html) == html


def test_what_no_parser_can_read_stays_as_it_was() -> None:
    html = '<a href="https://x.example">x</a><![if mso>'
    assert marked(html) in (html, html.replace('example"', 'example?tid=M"'))
    html = '<a href="https://x.example">x</a><![foo[bar'
    assert marked(html) in (html, html.replace('example"', 'example?tid=M"'))


@pytest.mark.parametrize(("before", "after"), [
    ("https://x.example", "https://x.example?tid=M"),
    ("Look: https://x.example/a.", "Look: https://x.example/a?tid=M."),
    ("Seen https://x.example/a?b=1#c?", "Seen https://x.example/a?b=1&tid=M#c?"),
    ("(https://x.example/a)", "(https://x.example/a?tid=M)"),
    ("https://x.example/a_(b)", "https://x.example/a_(b)?tid=M"),
    ("(see https://x.example/a_(b)).", "(see https://x.example/a_(b)?tid=M)."),
    ("<https://x.example/a>", "<https://x.example/a?tid=M>"),
    ("[Tips](https://x.example/a), or", "[Tips](https://x.example/a?tid=M), or"),
    ("https://x.example/a\nhttps://x.example/b", "https://x.example/a?tid=M\nhttps://x.example/b?tid=M"),
    ("see https://x.example/a。thanks", "see https://x.example/a?tid=M。thanks"),
    ("https://x.example/?tid=1", "https://x.example/?tid=1"),
    ("https://x.example/ü", "https://x.example/ü"),  # where it ends, nobody can tell
    ("ada@people.example www.x.example ftp://x.example", "ada@people.example www.x.example ftp://x.example"),
    ("https://x.example/?to=https://y.example/", "https://x.example/?to=https://y.example/&tid=M"),
    ("https://[ https://", "https://[ https://"),
])  # fmt: skip
def test_addresses_in_plain_text_carry_it_too(before: str, after: str) -> None:
    assert in_text(before, M).replace(M, "M") == after


# --- whatever a mail looks like ---------------------------------------------------------------------------------------

_PIECES = st.sampled_from([
    "<a ", "<A\n", "<area ", "href=", 'HREF = "', "href='", "https://x.example/", "http://y.example", "?", "&amp;", "&",
    "a=1", "tid=1", "#", "&#35;", "&#x3f;", "%74id=2", '"', "'", ">", "/>", "</a>", "<!--", "-->", "<style>", "=", "<!",
    "</style>", "<script>", "</script>", "data-no-tid", " ", "\n", "\r\n", "é", "x", "<", "<![if mso]>", "<![CDATA[",
    "]]>", "<?", "mailto:a@b", "&colon;", "/", "title=", "`",
])  # fmt: skip
SOUP = st.lists(_PIECES, max_size=40).map("".join)
ADDRESSES = st.tuples(
    st.sampled_from(["https://x.example", "http://x.example/a/b", "https://x.example/?", "https://x.example/?a=1"]),
    st.text("abc=&%27;+/?-_.~", max_size=12),
    st.sampled_from(["", "#", "#top", "#a?tid=1"]),
).map("".join)


def only_added(before: str, after: str, joint: str) -> bool:
    """Whether all that is new is the parameter, with what joins it to the address or without."""
    joints = f"(?:\\?|{joint})?"
    parts = re.split(f"{joints}tid={M}", after)
    return re.fullmatch(joints.join(re.escape(part) for part in parts), before) is not None


@given(SOUP)
def test_all_but_the_parameter_is_byte_for_byte_the_same(html: str) -> None:
    assert only_added(html, in_html(html, M), "&amp;")


@given(SOUP)
def test_marking_twice_is_marking_once(html: str) -> None:
    once = in_html(html, M)
    assert in_html(once, M) == once
    assert in_html(once, message_id("c" + "b" * 26, "other")) == once


@given(SOUP)
def test_text_too_is_marked_once(text: str) -> None:
    once = in_text(text, M)
    assert in_text(once, M) == once
    assert only_added(text, once, "&")


@given(ADDRESSES)
def test_a_browser_finds_the_message_and_all_else_where_it_was(address: str) -> None:
    class Reader(HTMLParser):
        href = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.href = dict(attrs).get("href") or ""

    escaped = address.replace("&", "&amp;")
    reader = Reader()
    reader.feed(in_html(f'<p><a class="b" href="{escaped}">x</a>', M))
    was, now = urlsplit(address), urlsplit(reader.href)
    assert (now.scheme, now.netloc, now.path, now.fragment) == (was.scheme, was.netloc, was.path, was.fragment)
    given, found = parse_qsl(was.query, keep_blank_values=True), parse_qsl(now.query, keep_blank_values=True)
    assert found == (given if any(name == "tid" for name, _ in given) else [*given, ("tid", M)])


@pytest.mark.parametrize("piece", ['<a href="x ', "<a ", "<!--", "<a href=https://x&", "<a a", "<![if "])
def test_a_mail_of_any_size_is_read_once(piece: str) -> None:
    began = time.process_time()
    in_html(piece * 40_000, M)
    in_text("https://x.example/" + "(" * 40_000 + ")" * 80_000, M)
    assert time.process_time() - began < 10  # a second at most; reading again and again takes minutes


def test_what_a_link_carries_is_a_message_id() -> None:
    found = re.search(r"tid=([^\"]*)", in_html('<a href="https://x.example">', M))
    assert found
    assert is_message_id(found[1])
