"""The messages that the SES carrier builds, read with Python's own email package."""

import base64
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from tests.functional.carriers.local import SET, Local

LONG_URL = "https://u.example.org/unsubscribe/" + "x" * 400


def message(local: Local, message_id: str) -> EmailMessage:
    """The message as it travelled."""
    return message_from_bytes(local.get(f"/outbox/mails/{message_id}/source.eml").body, policy=policy.default)


def test_a_simple_message_has_text_html_and_its_headers(local: Local) -> None:
    sent = local.send(
        Destination={
            "ToAddresses": ["Ada <ada@example.com>"],
            "CcAddresses": ["c@example.com"],
            "BccAddresses": ["b@example.com"],
        },
        ReplyToAddresses=["reply@example.org"],
        simple={
            "Subject": {
                "Data": "Zażółć gęślą jaźń — długi temat, który nie mieści się w jednej linii",
                "Charset": "UTF-8",
            },
            "Body": {
                "Text": {"Data": "Cześć\nAda", "Charset": "UTF-8"},
                "Html": {"Data": "<p>Cześć</p>", "Charset": "UTF-8"},
            },
            "Headers": [
                {"Name": "List-Unsubscribe", "Value": f"<{LONG_URL}>, <mailto:u@example.org>"},
                {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
            ],
        },
        ConfigurationSetName=None,
    )
    mail = message(local, sent)
    assert mail["Subject"] == "Zażółć gęślą jaźń — długi temat, który nie mieści się w jednej linii"
    assert (mail["From"], mail["To"], mail["Cc"]) == (
        "Acme <hello@example.org>",
        "Ada <ada@example.com>",
        "c@example.com",
    )
    assert mail["Reply-To"] == "reply@example.org"
    assert mail["Bcc"] is None
    assert mail["List-Unsubscribe"] == f"<{LONG_URL}>, <mailto:u@example.org>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Date"].datetime is not None
    assert mail.get_content_type() == "multipart/alternative"
    assert mail.get_body(("plain",)).get_content().splitlines() == ["Cześć", "Ada"]
    assert mail.get_body(("html",)).get_content().strip() == "<p>Cześć</p>"


def test_the_message_id_is_the_one_that_ses_makes(local: Local) -> None:
    sent = local.send()
    assert re.fullmatch(r"0100[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-000000", sent)
    assert message(local, sent)["Message-ID"] == f"<{sent}@eu-central-1.amazonses.com>"


def test_lines_stay_short_enough_for_smtp(local: Local) -> None:
    sent = local.send(html=f"<p>{'long ' * 1000}</p>")
    raw = local.get(f"/outbox/mails/{sent}/source.eml").body
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_attachments_arrive_as_they_were(local: Local) -> None:
    picture = bytes(range(256))
    files: list[dict[str, Any]] = [
        {"FileName": "zażółć.pdf", "RawContent": b"%PDF-1.4", "ContentDescription": "A paper"},
        {"FileName": "plan.csv", "RawContent": b"a,b\n1,2\n", "ContentTransferEncoding": "QUOTED_PRINTABLE"},
        {
            "FileName": "notes.txt",
            "RawContent": b"plain",
            "ContentTransferEncoding": "SEVEN_BIT",
            "ContentType": "text/plain",
        },
        {"FileName": "logo.png", "RawContent": picture, "ContentDisposition": "INLINE", "ContentId": "logo"},
    ]
    sent = local.send(html='<img src="cid:logo">', simple={"Attachments": files})
    shown = {one["name"]: one for one in local.mail(sent)["attachments"]}
    assert shown["zażółć.pdf"]["content_type"] == "application/pdf"
    assert shown["plan.csv"]["size"] == 8
    assert shown["logo.png"]["content_id"] == "logo"
    for name, content in (
        ("zażółć.pdf", b"%PDF-1.4"),
        ("plan.csv", b"a,b\n1,2\n"),
        ("notes.txt", b"plain"),
        ("logo.png", picture),
    ):
        assert local.get(shown[name]["url"].removeprefix(local.url)).body == content
    assert f'src="/outbox/mails/{sent}/parts/' in local.get(f"/outbox/mails/{sent}/body").text


def test_an_attachment_that_cannot_be_seven_bit_is_refused(local: Local) -> None:
    bad = {"FileName": "a.txt", "RawContent": b"\xff", "ContentTransferEncoding": "SEVEN_BIT"}
    with pytest.raises(local.ses.exceptions.BadRequestException):
        local.send(simple={"Attachments": [bad]})


def raw_message() -> EmailMessage:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Bcc"] = "Acme <hello@example.org>", "ada@example.com", "secret@example.com"
    mail["Subject"], mail["Message-ID"], mail["Date"] = (
        "Ręcznie",
        "<own@example.org>",
        "Mon, 01 Jan 2024 00:00:00 +0000",
    )
    mail["X-SES-MESSAGE-TAGS"], mail["X-SES-CONFIGURATION-SET"] = "campaign=spring, wave=2", SET
    mail.set_content("Cześć")
    mail.add_alternative('<p>Cześć <a href="https://a.example/">go</a></p>', subtype="html")
    mail.add_attachment(b"%PDF", "application", "pdf", filename="a.pdf")
    return mail


def test_a_raw_message_passes_through_as_ses_passes_it(local: Local) -> None:
    sent = local.ses.send_email(Content={"Raw": {"Data": raw_message().as_bytes()}})["MessageId"]
    mail = message(local, sent)
    assert mail["Subject"] == "Ręcznie"
    assert mail["Message-ID"].startswith(f"<{sent}@")
    assert "2024" not in mail["Date"]
    assert [name for name in mail if name.lower().startswith("x-ses") or name == "Bcc"] == []
    assert f"{local.url}/outbox/t/{sent}/0" in mail.get_body(("html",)).get_content()
    assert (
        mail.get_body(("plain",)).get_content() == "Cześć\r\n" or mail.get_body(("plain",)).get_content() == "Cześć\n"
    )
    shown = local.mail(sent)
    assert shown["recipients"] == ["ada@example.com", "secret@example.com"]
    assert shown["tags"] == {"campaign": "spring", "wave": "2"}
    assert shown["text"].strip() == "Cześć"
    assert [one["name"] for one in shown["attachments"]] == ["a.pdf"]
    assert local.types(sent) == ["Send", "Delivery"]


def test_parameters_win_over_the_headers_of_a_raw_message(local: Local) -> None:
    sent = local.ses.send_email(
        FromEmailAddress="other@example.org",
        Destination={"ToAddresses": ["bob@example.com"]},
        EmailTags=[{"Name": "only", "Value": "this"}],
        Content={"Raw": {"Data": raw_message().as_bytes()}},
    )["MessageId"]
    shown = local.mail(sent)
    assert shown["recipients"] == ["bob@example.com"]
    assert shown["tags"] == {"only": "this"}
    assert local.events(sent)[0]["mail"]["source"] == "other@example.org"


def test_a_raw_message_without_a_configuration_set_keeps_its_html(local: Local) -> None:
    mail = raw_message()
    del mail["X-SES-CONFIGURATION-SET"]
    sent = local.ses.send_email(Content={"Raw": {"Data": mail.as_bytes()}})["MessageId"]
    assert 'href="https://a.example/"' in local.mail(sent)["html"]
    assert local.types(sent) == []


def test_a_text_in_an_unknown_charset_is_still_shown(local: Local) -> None:
    data = (
        b"From: a@example.org\r\nTo: b@example.com\r\nContent-Type: text/plain; charset=x-klingon\r\n\r\nqapla\xb4\r\n"
    )
    sent = local.ses.send_email(Content={"Raw": {"Data": data}})["MessageId"]
    assert local.mail(sent)["text"].startswith("qapla")


def test_a_message_over_forty_megabytes_is_refused(local: Local) -> None:
    file = {"FileName": "big.bin", "RawContent": bytes(31 * 1024 * 1024)}
    with pytest.raises(local.ses.exceptions.BadRequestException, match="Message length is more than"):
        local.send(simple={"Attachments": [file]})


def test_the_source_holds_no_line_break_that_a_caller_smuggled_in(local: Local) -> None:
    with pytest.raises(local.ses.exceptions.BadRequestException):
        local.send(to="ada@example.com\r\nBcc: eve@example.com")
    encoded = "=?utf-8?b?" + base64.b64encode(b"Ada\r\nBcc: eve@example.com").decode() + "?="
    with pytest.raises(local.ses.exceptions.BadRequestException):
        local.send(to=f"{encoded} <ada@example.com>")
    smuggled = b"From: hello@example.org\r\nTo: " + encoded.encode() + b" <ada@example.com>\r\n\r\nHi\r\n"
    with pytest.raises(local.ses.exceptions.BadRequestException):
        local.ses.send_email(Content={"Raw": {"Data": smuggled}})
