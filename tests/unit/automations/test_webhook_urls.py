"""Which addresses and headers a webhook may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.automations.webhooks.urls import checked_headers, checked_url, read_url


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("https://Hooks.Example.COM/a/b?c=d&e", "hooks.example.com", 443, "/a/b?c=d&e"),
        ("https://hooks.example.com:8443/", "hooks.example.com", 8443, "/"),
        ("https://hooks.example.com?c=d", "hooks.example.com", 443, "/?c=d"),
        ("https://xn--caf-dma.example/%C3%A9", "xn--caf-dma.example", 443, "/%C3%A9"),
        ("https://_hooks.a1.example/", "_hooks.a1.example", 443, "/"),
        ("http://127.0.0.1:8000/x", "127.0.0.1", 8000, "/x"),
        ("http://localhost:8000/x", "localhost", 8000, "/x"),
        ("http://[::1]:8000/x", "::1", 8000, "/x"),
    ],
)
def test_an_address_is_read_in_its_parts(url: str, host: str, port: int, path: str) -> None:
    target = read_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)
    assert target.secure is url.startswith("https")
    assert checked_url(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "visible ASCII"),
        ("hooks.example.com", "begin with https://"),
        ("http://hooks.example.com/", "begin with https://"),
        ("ftp://hooks.example.com/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("https://", "name of a server"),
        ("https:///path", "name of a server"),
        ("https://hooks/", "full name"),
        ("https://hooks.example.com./", "name of a server"),
        ("https://.example.com/", "full name"),
        ("https://-a.example.com/", "full name"),
        (f"https://{'a' * 64}.example.com/", "full name"),
        (f"https://{'a.' * 130}com/", "full name"),
        ("https://ada:secret@hooks.example.com/", "no user name or password"),
        ("https://@hooks.example.com/", "no user name or password"),
        ("https://hooks.example.com/#part", "no # part"),
        ("https://hooks.example.com/#", "no # part"),
        ("https://hooks.example.com:/", "port after the colon"),
        ("https://hooks.example.com:0/", "port 443"),
        ("https://hooks.example.com:22/", "port 443"),
        ("https://hooks.example.com:70000/", "such as https://"),
        ("https://hooks.example.com:port/", "such as https://"),
        ("https://[::ffff:7f00:1/", "such as https://"),
        ("https://hooks.example.com/a b", "visible ASCII"),
        ("https://hooks.example.com/\r\nHost: other", "visible ASCII"),
        ("https://hooks.exa\tmple.com/", "visible ASCII"),
        ("https://hooks.example.com/\x00", "visible ASCII"),
        ("https://café.example/", "visible ASCII"),
        ("https://hooks.example.com/é", "visible ASCII"),
        ("https://hooks.example.com\\@127.0.0.1/", "visible ASCII"),
        ("https://hooks.example.com/{{ contact.id }}", "visible ASCII"),
        ("https://hooks.example.com/" + "a" * 2000, "at most 2000"),
        # Numbers, however they are spelled.
        ("https://127.0.0.2/", "and not its number"),
        ("https://8.8.8.8/", "and not its number"),
        ("https://2130706433/", "and not its number"),
        ("https://0x7f000001/", "and not its number"),
        ("https://0x7f.1/", "and not its number"),
        ("https://0177.0.0.01/", "and not its number"),
        ("https://127.0.0.0x1/", "and not its number"),
        ("https://127.1/", "and not its number"),
        ("https://[fe80::1%25eth0]/", "and not its number"),
        ("https://[::ffff:127.0.0.1]/", "and not its number"),
        ("https://[2606:4700::1111]/", "and not its number"),
        ("http://169.254.169.254/latest/meta-data/", "begin with https://"),
    ],
)
def test_an_address_that_no_webhook_may_have_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_url(url)


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        target = read_url(text)
    except ValueError:
        return
    assert target.is_loopback or (target.secure and "." in target.host)
    assert target.path.startswith("/")
    assert target.path.isascii()
    assert not set(target.authority) & set("@ \r\n\\")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Host": "other.example"}, "Host is not yours"),
        ({"content-LENGTH": "5"}, "content-LENGTH is not yours"),
        ({"Transfer-Encoding": "chunked"}, "not yours"),
        ({"Connection": "keep-alive"}, "not yours"),
        ({"Webhook-Signature": "v1,x"}, "not yours"),
        ({"webhook-id": "x"}, "not yours"),
        ({"Proxy-Authorization": "x"}, "not yours"),
        ({"": "x"}, "no name"),
        ({"X Key": "x"}, "no name"),
        ({"X-Key:": "x"}, "no name"),
        ({"X-Key\r\nHost": "x"}, "no name"),
        ({"Schlüssel": "x"}, "no name"),
        ({"X" * 101: "x"}, "no name"),
        ({"X-Key": "a", "x-key": "b"}, "twice"),
        ({f"X-{number}": "x" for number in range(21)}, "at most 20"),
    ],
)
def test_a_header_that_is_ours_or_none_is_refused(headers: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked_headers(headers)


@pytest.mark.parametrize(
    "value", ["s3cret\r\nHost: other", "s3cret\x00", " s3cret", "s3cret ", "s3cretü", "s3cret" * 700]
)
def test_a_value_that_no_header_can_hold_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ValueError, match="the value of X-Key") as refused:
        checked_headers({"X-Key": value})
    assert "s3cret" not in str(refused.value)


def test_headers_of_ones_own_stay_as_they_are() -> None:
    headers = {"Authorization": "Bearer s3cret", "Content-Type": "application/vnd.acme+json", "X-Empty": ""}
    assert checked_headers(headers) == headers
