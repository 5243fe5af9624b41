"""The way out of marketing mail: tokens, headers as RFC 2369 and RFC 8058 want them, and the footer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.accounts.rules import PUBLIC_URL_CHARACTERS, require_settings
from tidings.core.errors import InvalidInput
from tidings.core.ids import message_id
from tidings.messages import links
from tidings.messages.pages import contrast, readable_on
from tidings.messages.preferences import masked
from tidings.messages.unsubscribe import (
    CONFIRM,
    HIDDEN,
    PURPOSE,
    Brand,
    Ticket,
    headers_of,
    is_genuine,
    link_of,
    read_token,
    token_of,
    with_link,
)
from tidings_cli.carriers.ses.mime import compose, parse, read_simple

MESSAGE = message_id("c" + "a" * 26, "welcome")
TICKET = Ticket("acme", MESSAGE, "k" * 26, "news")
names = st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True)
tickets = st.builds(
    Ticket,
    st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True),
    st.just(MESSAGE),
    st.from_regex(r"[a-z2-7]{26}", fullmatch=True),
    st.one_of(names, st.just("")),
)


def workspace(name: str = "acme", key: str = "ws_1", **settings: Any) -> Workspace:
    given = {"public_url": "https://mail.acme.example", **settings}
    return Workspace(name, name, datetime(2026, 1, 1, tzinfo=UTC), settings=given, secret=key)


@given(tickets)
def test_a_token_is_read_as_the_ticket_that_it_was_made_of(ticket: Ticket) -> None:
    mine = workspace(ticket.workspace)
    token = token_of(mine, ticket)
    read = read_token(token)
    assert read is not None
    assert read[0] == ticket
    assert is_genuine(mine, *read)
    assert len(token) <= 220


@given(tickets, tickets)
def test_no_two_tickets_share_a_signature(one: Ticket, other: Ticket) -> None:
    if one != other:
        assert token_of(workspace(), one).rpartition(".")[2] != token_of(workspace(), other).rpartition(".")[2]


def test_a_signature_holds_for_one_workspace_and_one_purpose() -> None:
    read = read_token(token_of(workspace(), TICKET))
    assert read
    assert is_genuine(workspace(), *read)
    assert not is_genuine(workspace(key="ws_2"), *read)
    assert not is_genuine(workspace("other"), *read)
    assert not is_genuine(workspace(key=""), *read)
    for purpose in (CONFIRM, HIDDEN):
        assert not is_genuine(workspace(), *read, purpose)
        again = read_token(token_of(workspace(), TICKET, purpose))
        assert again
        assert not is_genuine(workspace(), *again, PURPOSE)


@pytest.mark.parametrize("text", ["", ".", "a.b.c.d", "a.b.c.d.", ".b.c.d.e", "a.b.c.d.e.f", "a..c.d.e"])
def test_what_is_no_token_is_read_as_none(text: str) -> None:
    assert read_token(text) is None


def test_the_longest_header_is_one_that_ses_takes() -> None:
    url = "https://" + "a" * (PUBLIC_URL_CHARACTERS - 8)
    longest = workspace("a" * 40, public_url=require_settings({"public_url": url})["public_url"])
    ticket = Ticket("a" * 40, MESSAGE, "k" * 26, "t" * 63)
    for value in headers_of(link_of(longest, ticket)).values():
        assert len(value) <= 995
        assert value.isascii()
        assert value.isprintable()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "abc.execute-api.localhost"])
def test_without_https_links_lead_to_this_machine_alone(host: str) -> None:
    url = f"http://{host}:4100"
    assert require_settings({"public_url": url}) == {"public_url": url}
    with pytest.raises(InvalidInput, match="invalid_public_url"):
        require_settings({"public_url": f"http://{host.replace('.', '-')}.example"})


@pytest.mark.parametrize(
    "url", ["https://" + "a" * PUBLIC_URL_CHARACTERS, "https://mail.łódź.example", "https://a b.example"]
)
def test_a_public_address_that_no_header_can_hold_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="invalid_public_url"):
        require_settings({"public_url": url})


def test_a_mail_is_sent_with_headers_that_say_what_the_rfcs_ask_for() -> None:
    """RFC 2369: addresses in angle brackets. RFC 8058: one of them https, and a header with its one value."""
    link = link_of(workspace(), TICKET)
    html, text = with_link("<p>Hello</p>", "Hello", link, workspace())
    simple = read_simple(
        {
            "Subject": {"Data": "News"},
            "Body": {"Text": {"Data": text}, "Html": {"Data": html}},
            "Headers": [{"Name": name, "Value": value} for name, value in headers_of(link).items()],
        }
    )
    mail = parse(compose(simple, {"From": ["n@acme.example"], "To": ["ada@people.example"]}, html))
    assert mail.get_all("List-Unsubscribe") == [f"<{link}>"]
    assert mail.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert not mail.defects
    names_ = [name for name in mail if name.startswith("List-")]
    assert names_ == ["List-Unsubscribe", "List-Unsubscribe-Post"]


# --- in the mail ----------------------------------------------------------------------------------------------------


def test_the_way_out_is_not_marked_wherever_the_writer_put_it() -> None:
    link = link_of(workspace(), TICKET)
    html = f'<a data-no-tid href="{link}">a</a><A HREF=\'{link}#x\' ses:no-track>b</A><a href="https://x.example">c</a>'
    marked = links.in_html(html, MESSAGE, link)
    assert marked.count("ses:no-track") == 2
    assert marked.count("tid=") == 1
    assert links.in_text(f"Leave ({link}). See https://x.example.", MESSAGE, link) == (
        f"Leave ({link}). See https://x.example?tid={MESSAGE}."
    )


def test_a_mail_of_text_alone_gets_no_html() -> None:
    link = link_of(workspace(), TICKET)
    html, text = with_link("", "Hello", link, workspace())
    assert html == ""
    assert text == f"Hello\n\n-- \nacme\nUnsubscribe: {link}\n"


def test_the_footer_stands_at_the_end_of_the_body() -> None:
    link = link_of(workspace(), TICKET)
    html, _ = with_link("<html><BODY><p>x</p></BODY></html>", "", link, workspace())
    assert html.endswith("</BODY></html>")
    assert html.count("<a ") == 2
    assert with_link("<p>x</p>", "", link, workspace(hidden_link=False))[0].count("<a ") == 1
    # A letter of which the lower case has one character more.
    html, _ = with_link("<html><body><p>\u0130stanbul \u0130zmir</p></body></html>", "", link, workspace())
    assert html.endswith("</body></html>")


# --- the page -------------------------------------------------------------------------------------------------------


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_the_letters_of_a_button_can_be_read_on_every_colour(colour: str) -> None:
    def luminance(text: str) -> float:
        parts = [int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        lin = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    assert contrast(luminance(colour), luminance(readable_on(colour))) >= 4.5


@pytest.mark.parametrize(("address", "shown"), [
    ("ada@people.example", "a•••@people.example"),
    ("a@people.example", "•••@people.example"),
    ("", ""),
])  # fmt: skip
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_a_workspace_without_a_brand_has_its_name() -> None:
    assert Brand.of(workspace()).name == "acme"
