"""Short links as pure functions: the same for a repeat, another for everybody, and only what stood in the text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.core.ids import message_id
from tidings.sms.links import CODE_LETTERS, hosts_in, read_code, shortened

NOW = datetime(2026, 11, 21, tzinfo=UTC)
BASE = "https://acme.example"
ACME = Workspace("acme", "Acme", NOW, settings={"public_url": BASE}, secret="ws_1")
M = message_id("c" + "a" * 26, "welcome")


def test_what_stands_around_an_address_stays() -> None:
    written = "See (https://x.example/a), or http://y.example!"
    text, links = shortened(written, M, ACME, BASE, {"x.example", "y.example"})
    [one, other] = links
    assert text == f"See ({BASE}/l/{one}), or {BASE}/l/{other}!"
    assert list(links.values()) == [f"https://x.example/a?tid={M}", f"http://y.example?tid={M}"]


@pytest.mark.parametrize(
    "text",
    [
        "no address", "acme.pl/sale", "ftp://x.example", "javascript:alert(1)", "https://", "mailto:a@b.example",
        f"{BASE}/l/{'a' * 24}", "https://x.example/półka",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_or_short_already_stays(text: str) -> None:
    assert shortened(text, M, ACME, BASE, hosts_in(text)) == (text, {})


def test_without_an_address_of_ours_nothing_is_short() -> None:
    assert shortened("https://x.example", M, ACME, "", hosts_in("https://x.example")) == ("https://x.example", {})


def test_a_parameter_that_is_there_stays_as_it_is() -> None:
    _, links = shortened("https://x.example/?tid=1", M, ACME, BASE, hosts_in("https://x.example/?tid=1"))
    assert list(links.values()) == ["https://x.example/?tid=1"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/a", "https://shop.example.evil.example", "https://shop.example@evil.example",
        "https://shop.example:80@evil.example/", "https://evil.example#@shop.example", "https://evil.example?shop.example",
        "https://xshop.example", "https://shop.example./a", "http://[::1]/shop.example",
    ],
)  # fmt: skip
def test_an_address_at_a_host_that_the_writer_did_not_name_stays(address: str) -> None:
    assert shortened(f"See {address} now", M, ACME, BASE, {"shop.example"})[1] == {}


@pytest.mark.parametrize(
    "address",
    ["https://shop.example/a?b=https://x", "HTTPS://Shop.Example:8443/", "http://shop.example", f"{BASE}/sale"],
)
def test_an_address_at_a_host_that_the_writer_named_or_at_the_workspace_s_own_is_short(address: str) -> None:
    assert len(shortened(f"See {address} now", M, ACME, BASE, {"shop.example"})[1]) == 1


def test_hosts_are_found_wherever_a_text_stands() -> None:
    written = {
        "a": ["See https://A.example/{{ x }}", 1, None],
        "b": {"c": "https://shop.{{ event.x }} https://{{ y }}"},
    }
    assert hosts_in(written) == {"a.example", "shop"}


@pytest.mark.parametrize("place", ["u", "confirm"])
def test_the_way_out_gets_no_parameter(place: str) -> None:
    _, links = shortened(f"{BASE}/{place}/acme.x.y..z", M, ACME, BASE, hosts_in(f"{BASE}/{place}/acme.x.y..z"))
    assert list(links.values()) == [f"{BASE}/{place}/acme.x.y..z"]


def test_a_code_is_of_one_workspace_message_and_address() -> None:
    other = replace(ACME, secret="ws_2")
    made = [
        *shortened("https://x.example", M, ACME, BASE, hosts_in("https://x.example"))[1],
        *shortened("https://x.example", M, other, BASE, hosts_in("https://x.example"))[1],
        *shortened("https://x.example", M + "a", ACME, BASE, hosts_in("https://x.example"))[1],
        *shortened("https://x.example/b", M, ACME, BASE, hosts_in("https://x.example/b"))[1],
    ]
    assert len(set(made)) == 4
    assert CODE_LETTERS * 5 >= 120
    assert all(read_code(code) == code for code in made)


@given(st.text(st.sampled_from("abc.:/?#=& \nhttps()é"), max_size=80))
def test_a_repeat_makes_the_same_text_and_every_link_leads_to_what_stood_there(text: str) -> None:
    made, links = shortened(text, M, ACME, BASE, hosts_in(text))
    assert shortened(text, M, ACME, BASE, hosts_in(text)) == (made, links)
    back = made
    for code, address in links.items():
        back = back.replace(f"{BASE}/l/{code}", address)
    assert back.replace(f"?tid={M}", "").replace(f"&tid={M}", "") == text
    assert all(address.startswith(("http://", "https://")) and address.isascii() for address in links.values())


@pytest.mark.parametrize("text", ["", "a" * 23, "a" * 25, "1" * 24, "ą" * 24, "a" * 23 + "\n", "A" * 23 + "/"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert read_code(text) == ""
