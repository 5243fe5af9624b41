"""What SES accepts in a SendEmail call, limit by limit."""

import pytest

from tidings_cli.carriers.ses import rules
from tidings_cli.carriers.ses.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada Lovelace <ada@example.com>", "ada@example.com"),
        ('"Lovelace, Ada" <ada@example.com>', "ada@example.com"),
        ("=?utf-8?q?Za=C5=BC?= <z+tag@sub.example.co.uk>", "z+tag@sub.example.co.uk"),
        ("user@xn--bcher-kva.example", "user@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_read_with_and_without_a_name(text: str, address: str) -> None:
    assert rules.mailbox(text, "To").address == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@-example.com",
        "ada@example..com",
        "a da@example.com",
        "ada@example.com, bob@example.com",
        "Zażółć <z@example.com>",
        "ada@bücher.example",
        "ada@example.com\r\nBcc: eve@example.com",
        "x" * 65 + "@example.com",
        "ada..b@example.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        rules.mailbox(text, "To")


def test_fifty_recipients_are_the_most() -> None:
    boxes = [rules.mailbox(f"a{n}@example.com", "To") for n in range(51)]
    rules.check_recipients(boxes[:50])
    with pytest.raises(BadRequest, match="Recipient count exceeds 50"):
        rules.check_recipients(boxes)
    with pytest.raises(BadRequest, match="no recipients"):
        rules.check_recipients([])


def test_tags_have_up_to_256_letters_digits_underscores_and_hyphens() -> None:
    assert rules.email_tags([{"Name": "a" * 256, "Value": "B_-9"}]) == {"a" * 256: ["B_-9"]}
    assert rules.email_tags(None) == {}


@pytest.mark.parametrize(
    "tag",
    [
        {"Name": "a" * 257, "Value": "x"},
        {"Name": "a", "Value": "x" * 257},
        {"Name": "", "Value": "x"},
        {"Name": "a", "Value": ""},
        {"Name": "a b", "Value": "x"},
        {"Name": "a", "Value": "x@y"},
        {"Name": "ses:a", "Value": "x"},
        {"Name": "ä", "Value": "x"},
        {"Name": "a"},
    ],
)
def test_other_tags_are_refused(tag: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        rules.email_tags([tag])


def test_fifteen_headers_of_995_characters_are_accepted() -> None:
    headers = [{"Name": f"X-{n}"[:1] + f"{n}", "Value": "v" * 990} for n in range(15)]
    assert len(rules.custom_headers(headers)) == 15
    with pytest.raises(BadRequest, match="Header count exceeds 15"):
        rules.custom_headers([*headers, {"Name": "One-More", "Value": "v"}])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X" * 127, "v"),
        ("X Y", "v"),
        ("X:Y", "v"),
        ("", "v"),
        ("X-A", ""),
        ("X-A", "v" * 996),
        ("X-A", "zażółć"),
        ("X-A", "a\r\nBcc: eve@example.com"),
        ("XY", "v" * 995),
        ("Subject", "twice"),
        ("From", "eve@example.com"),
        ("Content-Type", "text/html"),
    ],
)
def test_other_headers_are_refused(name: str, value: str) -> None:
    with pytest.raises(BadRequest):
        rules.custom_headers([{"Name": name, "Value": value}])


def test_a_header_that_stands_once_cannot_stand_twice() -> None:
    twice = [{"Name": "List-Unsubscribe", "Value": "<https://a.example/>"}] * 2
    with pytest.raises(BadRequest, match="more than once"):
        rules.custom_headers(twice)
    assert len(rules.custom_headers([{"Name": "X-Trace", "Value": "1"}, {"Name": "X-Trace", "Value": "2"}])) == 2


def test_forty_megabytes_are_the_most() -> None:
    rules.check_size(rules.MAX_MESSAGE_BYTES)
    with pytest.raises(BadRequest, match="Message length is more than 41943040"):
        rules.check_size(rules.MAX_MESSAGE_BYTES + 1)


@pytest.mark.parametrize("name", ["virus.exe", "A.PS1XML", "x.js", "", "n" * 256])
def test_files_that_ses_refuses_are_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        rules.check_file_name(name)


def test_text_outside_ascii_needs_a_charset() -> None:
    assert rules.text_of({"Data": "ż", "Charset": "UTF-8"}, "Subject") == "ż"
    assert rules.text_of(None, "Subject") is None
    for content in ({"Data": "ż"}, {"Data": "ż", "Charset": "ISO-8859-1"}, {"Data": "a", "Charset": "klingon"}, {}):
        with pytest.raises(BadRequest):
            rules.text_of(content, "Subject")
