"""Links and the open picture, as SES changes them."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tidings_cli.carriers.ses.tracking import Link, add_pixel, track_links


def tracked(html: str) -> tuple[str, list[Link]]:
    return track_links(html, lambda n: f"http://outbox/t/m/{n}")


def test_links_are_rewritten_and_all_else_stays() -> None:
    html = '<p>Hi <A class="b" HREF=\'https://a.example/x?a=1&amp;b=2\' title="t">go</A> and <b>more</b></p>\n'
    changed, links = tracked(html)
    assert changed == '<p>Hi <A class="b" href="http://outbox/t/m/0" title="t">go</A> and <b>more</b></p>\n'
    assert links == [Link("https://a.example/x?a=1&b=2")]


def test_no_track_keeps_the_link_and_loses_the_attribute() -> None:
    for attribute in ("ses:no-track", 'ses:no-track=""', "SES:NO-TRACK='ses:no-track'"):
        changed, links = tracked(f'<a {attribute} href="https://u.example/x">out</a>')
        assert changed == '<a href="https://u.example/x">out</a>'
        assert links == []


def test_tags_go_with_the_link() -> None:
    changed, links = tracked(
        '<a ses:tags="product:book;genre:fiction;bad tag:x;genre:scifi;" href="http://a.example/">x</a>'
    )
    assert changed == '<a href="http://outbox/t/m/0">x</a>'
    assert links == [Link("http://a.example/", {"product": ["book"], "genre": ["fiction", "scifi"]})]


def test_only_proper_http_links_are_tracked() -> None:
    html = (
        '<a href="mailto:a@example.com">m</a><a href="tel:+1">t</a><a href="#top">h</a><a name="x">n</a>'
        '<a href="http://a.example/?n=John Doe">space</a><a href="https://a.example/%zz">bad</a>'
        '<a href="javascript:alert(1)">j</a><a href="/relative">r</a>'
    )
    assert tracked(html) == (html, [])


def test_links_in_comments_scripts_and_styles_are_text() -> None:
    html = (
        '<!--[if mso]><a href="https://a.example/">o</a><![endif]-->'
        "<style>a:after{content:'<a href=\"https://a.example/\">'}</style>"
        "<script>'<a href=\"https://a.example/\">'</script>"
    )
    assert tracked(html) == (html, [])


def test_250_links_are_tracked_and_no_more() -> None:
    changed, links = tracked('<a href="https://a.example/">x</a>' * 251)
    assert len(links) == 250
    assert changed.endswith('<a href="https://a.example/">x</a>')


def test_the_picture_stands_at_the_end_of_the_body() -> None:
    changed = add_pixel("<html><body><p>x</p></BODY></html>", "http://outbox/t/m/open.gif")
    assert changed.startswith('<html><body><p>x</p><img alt="" src="http://outbox/t/m/open.gif"')
    assert changed.endswith("</BODY></html>")
    assert add_pixel("<p>x</p>", "http://o/").startswith("<p>x</p><img")


def test_the_picture_stands_where_the_first_placeholder_does() -> None:
    changed = add_pixel("{{ses:openTracker}}<p>x</p>{{ses:openTracker}}</body>", "http://o/")
    assert changed.startswith("<img")
    assert changed.endswith("<p>x</p></body>")
    assert changed.count("<img") == 1


class Texts(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen = ""
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.seen += data


PIECES = [
    "<p>",
    "</p>",
    "text ",
    "&amp;",
    "\n",
    "<a href=https://b.example/2 >",
    "</a>",
    "<",
    ">",
    "<!-- x -->",
    "<br/>",
]
LINKS = [
    '<a href="https://a.example/1">',
    "<a\nhref='http://e.example/'\n>",
    '<a title="<a href=\'https://c.example\'>" href="https://d.example/">',
]


@given(st.lists(st.sampled_from([*PIECES, *LINKS, "ż", '"']), max_size=30).map("".join))
def test_tracking_never_changes_what_a_reader_sees(html: str) -> None:
    changed, links = tracked(html)
    assert Texts(changed).seen == Texts(html).seen
    assert changed.count("http://outbox/t/m/") == len(links)
