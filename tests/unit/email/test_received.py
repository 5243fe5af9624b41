"""Reading mails that came in: words, files, threads, machines; whatever is broken is read as far as it goes."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.email.received import FILES, Received, read_mail

ADA = "ada@people.example"


def mail(text: str = "Hello", **headers: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    told = {"From": f"Ada <{ADA}>", "To": "hello@in.acme.example", "Subject": "Hours", **headers}
    for name, value in told.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def read(message: EmailMessage, source: str = ADA) -> Received:
    return read_mail(message.as_bytes(), source)


def test_who_wrote_what() -> None:
    found = read(mail("Zażółć?\n", Subject="Żółty  list", From='"Ada, L." <Ada@People.example>'))
    assert (found.sender, found.subject, found.text.strip()) == (ADA, "Żółty list", "Zażółć?")
    assert (found.files, found.automatic) == ((), "")


def test_a_mail_without_a_usable_from_is_its_envelope_s() -> None:
    assert read(mail(From="nobody")).sender == ADA


def test_plain_text_stands_before_html_and_html_is_read_where_there_is_nothing_else() -> None:
    both = mail("plain")
    both.add_alternative("<p>rich</p>", subtype="html")
    assert read(both).text == "plain"
    alone = mail()
    alone.set_content("<p>Is it <b>open</b>?</p><style>p{}</style><p>Ada</p>", subtype="html")
    assert read(alone).text.split() == ["Is", "it", "open?", "Ada"]


def test_files_are_kept_with_their_names_and_types() -> None:
    message = mail()
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../plan.pdf")
    message.add_attachment("notes", filename="notes.txt")
    message.add_attachment(b"x", maintype="image", subtype="png", disposition="inline")
    inner = mail("inside")
    message.add_attachment(inner)
    found = read(message)
    assert [(one.name, one.type) for one in found.files] == [
        ("plan.pdf", "application/pdf"),
        ("notes.txt", "text/plain"),
        ("file", "image/png"),
        ("mail.eml", "message/rfc822"),
    ]
    assert found.files[0].content == b"%PDF"
    assert found.text == "Hello"


def test_no_mail_has_more_files_than_are_kept() -> None:
    message = mail()
    for number in range(FILES + 80):
        message.add_attachment(b"x", maintype="image", subtype="png", filename=f"{number}.png")
    assert len(read(message).files) == FILES


def test_its_thread_and_what_it_answers() -> None:
    found = read(mail(Message_ID="<own@p>", In_Reply_To="<0100@email.amazonses.com>", References="<a@p> <b@p>"))
    assert found.thread == ("<a@p>", "<b@p>", "<0100@email.amazonses.com>", "<own@p>")
    assert found.answers == ("0100", "b", "a")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ""),
        ({"Auto-Submitted": "no"}, ""),
        ({"Auto-Submitted": "auto-replied; owner=x"}, "auto_submitted"),
        ({"Precedence": "Bulk"}, "precedence"),
        ({"Precedence": "first-class"}, ""),
        ({"X-Autoreply": "yes"}, "auto_reply"),
        ({"List-Id": "<news.example>"}, "list"),
        ({"List-Unsubscribe": "<https://x.example>"}, "list"),
        ({"X-Tidings-Message": "acme/c1-m1"}, ""),  # an agent of any workspace may have written it
    ],
)
def test_what_a_machine_wrote_is_known_by_its_headers(headers: dict[str, str], expected: str) -> None:
    assert read(mail(**headers)).automatic == expected


def test_a_mail_of_a_workspace_names_it() -> None:
    assert read(mail(**{"X-Tidings-Message": " acme/c1-m1 "})).ours == "acme/c1-m1"
    assert read(mail()).ours == ""


def test_a_mail_within_a_mail_is_handed_on_as_it_was_written() -> None:
    inner = b"To: " + "ł@d.example, ".encode() * 400 + b"\r\nSubject: =?utf-8?q?x?=  y\r\n\r\nbody\r\n"
    head = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n"
    raw = head + b"--q\r\n\r\nhi\r\n--q\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--q--\r\n"
    (file,) = read_mail(raw, ADA).files
    assert file.content.replace(b"\r\n", b"\n").strip() in raw.replace(b"\r\n", b"\n")
    assert len(file.content) > 5_000


@pytest.mark.parametrize("source", ["", "<>", "MAILER-DAEMON@mx.example", "postmaster@mx.example"])
def test_a_bounce_has_an_empty_return_path_or_comes_from_a_server(source: str) -> None:
    assert read(mail(), source).automatic == "bounce"


def test_a_report_is_a_machine_s() -> None:
    raw = b"From: a@b.example\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nfailed\r\n--x--\r\n"
    assert read_mail(raw, ADA).automatic == "report"


BROKEN = {
    "nothing": b"",
    "no headers": b"just words",
    "an unknown charset": b"From: a@b.example\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhello \xff",
    "a wrong charset": b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello \xff",
    "an unknown encoding": b"From: a@b.example\r\nContent-Transfer-Encoding: rot13\r\n\r\nhello",
    "broken base64": b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\nhello!",
    "a boundary that never comes": b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\nhello",
    "no boundary": b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\nhello",
    "broken encoded words": b"From: =?utf-8?q?=FF?= <a@b.example>\r\nSubject: =?x?y?z?=\r\n\r\nhello",
    "an endless header": b"From: a@b.example\r\nSubject: " + b"x" * 100_000 + b"\r\n\r\nhello",
    "nested without end": b"From: a@b.example\r\n" + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 500,
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_broken_mails_are_read_as_far_as_they_go(raw: bytes) -> None:
    found = read_mail(raw, ADA)
    assert found.sender in (ADA, "a@b.example")
    if b"hello" in raw and b"base64" not in raw:
        assert "hello" in found.text
    if raw == b"just words":
        assert found.text == "just words"


@given(st.binary(max_size=400), st.text(max_size=20))
def test_no_bytes_break_it(raw: bytes, source: str) -> None:
    read_mail(raw, source)
    read_mail(b"From: a@b.example\r\nContent-Type: " + raw, source)


@pytest.mark.parametrize(
    "header",
    [
        b"From: " + b'"a" ' * 35_000,
        b"Content-Type: text/plain" + b";a=b" * 35_000,
        b"Content-Disposition: attachment" + b";a=b" * 35_000,
        b"References: " + b"<a@b> " * 25_000 + b"<last@b>",
    ],
    ids=lambda header: header.partition(b":")[0].decode(),
)
def test_a_header_of_any_length_takes_no_time(header: bytes) -> None:
    before = process_time()
    found = read_mail(header + b"\r\nSubject: Hours\r\n\r\nHello", ADA)
    assert found.subject == "Hours"
    assert process_time() - before < 3  # without a bound it is 3 to 20 seconds
    if header.startswith(b"References"):
        assert found.answers[0] == "last"


def test_what_no_table_can_hold_is_replaced() -> None:
    head = b"Subject: =?unicode-escape?q?=5Cud800?= x\r\nContent-Type: text/plain; charset=unicode-escape"
    found = read_mail(head + b"\r\n\r\nhi \\ud83d", ADA)
    assert found.text == "hi \ufffd"
    found.subject.encode()  # half of a surrogate pair cannot be


def test_a_subject_has_no_control_characters() -> None:
    assert read_mail(b"Subject: =?utf-8?q?a=00b=0D=0ABcc:_x=7F?=\r\n\r\nHello", ADA).subject == "a b Bcc: x"
