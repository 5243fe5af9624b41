"""A mail as its recipient gets it: handed to SES, built into MIME, and read by Python's email package.

Rules are those of RFC 5322 (a message), 2045 to 2047 (its parts, and words beyond ASCII), 2231 (names of files) and
8058 (one-click unsubscribing).
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.consent.model import Kind
from tidings.contacts.model import Contact
from tidings.email.gateway import SesGateway
from tidings.email.model import Attachment, Mail, MailOrder
from tidings.email.ordering import reply_to_of, sender_of
from tidings.messages.model import OnUnknown
from tidings.messages.unsubscribe import headers_of
from tidings_cli.carriers.ses import rules as ses_rules
from tidings_cli.carriers.ses.mime import compose, read_simple

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SETS = {Kind.MARKETING: "news", Kind.TRANSACTIONAL: "receipts"}
LINK = "https://mail.acme.example/u/acme.c1-m1.k.marketing.s"


def mail(**fields: Any) -> Mail:
    given: dict[str, Any] = {
        "sender": "Acme <hello@acme.example>",
        "recipient": "ada@people.example",
        "subject": "Tips",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "tags": {"tidings_message": "c1-m1"},
    }
    return Mail(**{**given, **fields})


def request_of(one: Mail) -> dict[str, Any]:
    """What SES is asked, in the JSON that travels: bytes as base64."""
    asked = SesGateway(SETS, object())._request(one)
    for attachment in asked["Content"]["Simple"].get("Attachments", []):
        attachment["RawContent"] = base64.b64encode(attachment["RawContent"]).decode()
    return asked


def bytes_of(one: Mail) -> bytes:
    """The message that is built of it."""
    asked = request_of(one)
    simple = read_simple(asked["Content"]["Simple"])
    addresses = {
        "From": [ses_rules.mailbox(asked["FromEmailAddress"], "From").text],
        "To": [ses_rules.mailbox(address, "To").text for address in asked["Destination"]["ToAddresses"]],
        "Reply-To": [ses_rules.mailbox(address, "Reply-To").text for address in asked.get("ReplyToAddresses", [])],
    }
    return compose(simple, addresses, simple.html)


def parsed(one: Mail) -> EmailMessage:
    read = message_from_bytes(bytes_of(one), policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    return read


def order(default_from: str, reply_to: str = "") -> MailOrder:
    settings = {"default_from": default_from, "reply_to": reply_to}
    return MailOrder(
        workspace=Workspace("acme", "Acme", NOW, settings=settings),
        contact=Contact("acme", "c1", NOW),
        message_id="c1-m1",
        owner="c1",
        template_name="tips",
        template=None,
        kind=Kind.MARKETING,
        on_unknown=OnUnknown.HOLD,
    )


def lines_of(one: Mail) -> list[bytes]:
    return bytes_of(one).split(b"\r\n")


# --- the message ------------------------------------------------------------------------------------------------------


def test_a_mail_is_text_and_html_as_alternatives_of_which_the_last_is_the_best() -> None:
    read = parsed(mail(text="Grüße\n", html="<p>Grüße</p>\n"))
    assert read.get_content_type() == "multipart/alternative"  # RFC 2046, 5.1.4
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    contents = [part.get_content().strip() for part in read.iter_parts()]  # type: ignore[attr-defined]
    assert contents == ["Grüße", "<p>Grüße</p>"]
    assert read["MIME-Version"] == "1.0"
    assert {part.get_content_charset() for part in read.iter_parts()} == {"utf-8"}


def test_no_header_field_that_may_stand_once_stands_twice() -> None:
    names = [name.lower() for name in parsed(mail(headers=headers_of(LINK), reply_to="re@acme.example"))]
    assert len(names) == len(set(names))  # RFC 5322, 3.6


@pytest.mark.parametrize("kind", list(Kind))
def test_a_line_has_at_most_998_characters_and_is_ascii(kind: Kind) -> None:
    long = mail(kind=kind, subject="ż" * 998, text="x" * 5000, html=f"<p>{'y' * 5000}</p>", headers=headers_of(LINK))
    assert max(map(len, lines_of(long))) <= 998  # RFC 5322, 2.1.1
    assert bytes_of(long).isascii()


# --- subject ----------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200))
def test_a_subject_arrives_as_it_was_written(text: str) -> None:
    subject = " ".join(text.split()) or "-"
    raw = bytes_of(mail(subject=subject))
    header = raw[raw.index(b"Subject:") :]
    assert " ".join(str(message_from_bytes(header, policy=policy.default)["subject"]).split()) == subject


def test_a_subject_that_looks_like_a_header_is_none() -> None:
    read = parsed(mail(subject="Hello Bcc: eve@evil.example"))
    assert read["bcc"] is None
    assert read["subject"] == "Hello Bcc: eve@evil.example"


@pytest.mark.parametrize("text", ["a\r\nBcc: eve@evil.example", "a\nBcc: eve@evil.example", "a\rBcc: eve@evil.example"])
def test_a_line_break_in_a_subject_or_name_makes_no_header(text: str) -> None:
    read = parsed(
        mail(subject=text, sender=sender_of(order(f"{text.replace(':', '').replace('@', '')} <a@b.example>")))
    )
    assert read["bcc"] is None
    assert read["subject"] == "a Bcc: eve@evil.example"
    assert [address.addr_spec for address in read["from"].addresses] == ["a@b.example"]


# --- addresses --------------------------------------------------------------------------------------------------------

# The names of RFC 2047's examples (section 8), and the words that they are written in there.
PUBLISHED = [
    ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore", "moore@cs.utk.edu"),
    ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>", "Keld Jørn Simonsen", "keld@dkuug.dk"),
    ("=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>", "André Pirard", "PIRARD@vm1.ulg.ac.be"),
    ("=?ISO-8859-1?Q?Olle_J=E4rnefors?= <ojarnef@admin.kth.se>", "Olle Järnefors", "ojarnef@admin.kth.se"),
    ("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>", "Patrik Fältström", "paf@nada.kth.se"),
]


@pytest.mark.parametrize(("written", "name", "address"), PUBLISHED)
def test_the_names_of_rfc_2047_s_examples_are_sent_and_read(written: str, name: str, address: str) -> None:
    for sender in (written, f"{name} <{address}>"):
        (found,) = parsed(mail(sender=sender_of(order(sender))))["from"].addresses
        assert (found.display_name, found.addr_spec) == (name, address)


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("Żółć <a@acme.example>", "Żółć", "a@acme.example"),
        ("Müller, Söhne & Co <a@acme.example>", "", ""),  # two addresses, as RFC 5322 reads it: it is not sent
        ('"Müller, Söhne & Co" <a@acme.example>', "Müller, Söhne & Co", "a@acme.example"),
        ('"Acme, Inc." <a@acme.example>', "Acme, Inc.", "a@acme.example"),
        ("Bücher <hallo@bücher.example>", "Bücher", "hallo@xn--bcher-kva.example"),
        ("hallo@bücher.example", "", "hallo@xn--bcher-kva.example"),
    ],
)
def test_a_name_beyond_ascii_is_written_in_encoded_words(written: str, name: str, address: str) -> None:
    if not address:
        assert sender_of(order(written)) == written
        return
    for header, one in (
        ("from", mail(sender=sender_of(order(written)))),
        ("reply-to", mail(reply_to=reply_to_of(order("a@b.example", written)))),
    ):
        (found,) = parsed(one)[header].addresses
        assert found == Address(name, addr_spec=address)


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=80))
def test_a_long_name_is_written_in_words_of_75_characters_at_most(name: str) -> None:
    written = sender_of(order(f"Ż{name} <a@acme.example>"))
    words, _, address = written.rpartition(" <")
    assert max(map(len, words.split())) <= 75  # RFC 2047, 2
    assert address == "a@acme.example>"
    assert str(make_header(decode_header(words))) == f"Ż{name}"
    assert ses_rules.mailbox(written, "From").address == "a@acme.example"


# --- attachments ------------------------------------------------------------------------------------------------------

# The first is RFC 2231's own example of a value in another language (section 4); its language tag is not sent.
NAMES = ["This is ***fun***", "Rechnung März.pdf", "発注書.pdf", 'a "quoted"; name.txt', "x" * 250 + ".txt"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_arrives_with_its_name_type_and_bytes(name: str) -> None:
    content = bytes(range(256))
    (found,) = parsed(mail(attachments=(Attachment(name, "application/pdf", content),))).iter_attachments()
    assert found.get_filename() == name
    assert found.get_content_type() == "application/pdf"
    assert found.get_content() == content  # type: ignore[attr-defined]
    assert found["content-transfer-encoding"] == "base64"
    assert found.get_content_disposition() == "attachment"


def test_rfc_2231_s_example_is_what_such_a_name_is_written_like() -> None:
    published = (
        b"Content-Type: application/x-stuff;\r\n"
        b" title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n"
        b" title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n"
        b' title*2="isn\'t it!"\r\n\r\n'
    )
    read = message_from_bytes(published, policy=policy.default)
    assert read["content-type"].params["title"] == "This is even more ***fun*** isn't it!"
    raw = bytes_of(mail(attachments=(Attachment("Rechnung März.pdf", "application/pdf", b"x"),)))
    assert b"filename*=utf-8''Rechnung%20M%C3%A4rz.pdf" in raw


# --- the way out ------------------------------------------------------------------------------------------------------


def test_the_headers_of_rfc_8058_stand_each_in_one_line() -> None:
    lines = lines_of(mail(headers=headers_of(LINK)))
    assert f"List-Unsubscribe: <{LINK}>".encode() in lines
    # The value is spelled out in section 3.1, and its example in section 8.1 is this line.
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert LINK.startswith("https://")


def test_a_transactional_mail_has_no_such_headers() -> None:
    assert not [line for line in lines_of(mail()) if line.lower().startswith(b"list-")]


def test_the_longest_link_is_still_one_line_that_ses_takes() -> None:
    long = f"https://mail.acme.example/u/{'x' * 900}"
    assert f"List-Unsubscribe: <{long}>".encode() in lines_of(mail(headers=headers_of(long)))
