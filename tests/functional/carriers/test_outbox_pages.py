"""The outbox's pages: what they show, and what they keep out."""

import re
from html import unescape

import pytest
from tests.functional.carriers.local import Local

EVIL = "<script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\">"


def test_the_empty_outbox_says_what_to_do(local: Local) -> None:
    page = local.get("/outbox").text
    assert "Nothing was sent yet" in page
    assert f"{local.url}/v1/emails" in page
    assert "bounce@simulator.amazonses.com" in page


def test_the_list_shows_people_subjects_and_states(local: Local) -> None:
    sent = local.send("ada@example.com", simple={"Subject": {"Data": "Your invoice"}})
    local.send("bounce+kim@simulator.amazonses.com", simple={"Subject": {"Data": "Another"}})
    page = local.get("/outbox").text
    assert "ada@example.com" in page
    assert "Your invoice" in page
    assert f'href="/outbox/mails/{sent}"' in page
    assert 'class="chip delivered"' in page
    assert 'class="chip bounced"' in page
    assert page.index("Another") < page.index("Your invoice")
    found = local.get("/outbox?q=invoice").text
    assert "Another" not in found
    assert "Your invoice" not in local.get("/outbox?event=Bounce").text
    assert "No mail matches" in local.get("/outbox?q=nothing").text


def test_a_mail_is_shown_from_all_sides(local: Local) -> None:
    sent = local.send(
        "Ada <ada@example.com>",
        simple={
            "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://u.example/>"}],
            "Attachments": [{"FileName": "plan.pdf", "RawContent": b"%PDF"}],
        },
        EmailTags=[{"Name": "campaign", "Value": "spring"}],
    )
    page = unescape(local.get(f"/outbox/mails/{sent}").text)
    for part in (
        "Hello",
        "ada@example.com",
        "plan.pdf",
        "<https://u.example/>",
        "campaign",
        "spring",
        '"eventType": "Send"',
    ):
        assert part in page
    assert f'src="/outbox/mails/{sent}/body"' in page
    assert local.types(sent) == ["Send", "Delivery"], "the page by itself opens nothing; its frame does"


def test_each_text_of_a_mail_reads_in_its_own_direction(local: Local) -> None:
    sent = local.send(simple={"Subject": {"Data": "שלום", "Charset": "UTF-8"}})
    page = local.get(f"/outbox/mails/{sent}").text
    for part in (
        '<h1 dir="auto">שלום</h1>',
        '<span class="subject" dir="auto">שלום</span>',
        '<pre class="plain" dir="auto">',
    ):
        assert part in page


def test_a_page_that_did_not_change_is_not_sent_again(local: Local) -> None:
    sent = local.send()
    assert local.carriers.drain()
    seen = re.search('data-revision="([^"]+)"', local.get(f"/outbox/mails/{sent}").text)
    assert seen
    assert local.get(f"/outbox/mails/{sent}", X_Seen_Revision=seen[1]).status == 204
    local.post(f"/outbox/api/mails/{sent}/open")
    again = local.get(f"/outbox/mails/{sent}", X_Seen_Revision=seen[1])
    assert again.status == 200
    assert 'class="chip opened"' in again.text


def test_buttons_act_for_the_recipient_and_lead_back(local: Local) -> None:
    sent = local.send()
    for path, body in (("complain", b""), ("bounce", b"kind=Transient/MailboxFull")):
        answer = local.call("POST", f"/outbox/mails/{sent}/{path}", body)
        assert (answer.status, answer.headers["location"]) == (303, f"/outbox/mails/{sent}")
    assert local.types(sent) == ["Send", "Delivery", "Complaint", "Bounce"]
    assert local.events(sent)[-1]["bounce"]["bounceSubType"] == "MailboxFull"
    assert local.call("POST", "/outbox/empty", b"").headers["location"] == "/outbox"
    assert local.get("/outbox/api/mails").json == []


def test_the_account_page_lists_and_releases(local: Local) -> None:
    local.ses.put_suppressed_destination(EmailAddress="ada@example.com", Reason="COMPLAINT")
    local.post("/outbox/api/faults", {"send": "throttle", "count": 3})
    page = local.get("/outbox/account").text
    assert "ada@example.com" in page
    assert "next 3 calls" in page
    assert local.call("POST", "/outbox/account/release", b"address=ada%40example.com").status == 303
    assert local.call("POST", "/outbox/account/clear-faults", b"").status == 303
    page = local.get("/outbox/account").text
    assert "Nobody is on it" in page
    assert "None: every call" in page


@pytest.mark.parametrize("path", ["/outbox", "/outbox/", "/outbox/sms", "/outbox/account", "/outbox/mails/nobody"])
def test_pages_take_nothing_from_elsewhere(local: Local, path: str) -> None:
    page = local.get(path)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"https?:", page.text)
    assert not re.search(r" style=| on\w+=\"", page.text)


def test_what_a_mail_says_is_escaped_everywhere(local: Local) -> None:
    sent = local.send(
        f'"{EVIL.replace(chr(34), "")}" <ada@example.com>',
        html=EVIL,
        simple={
            "Subject": {"Data": EVIL},
            "Body": {"Text": {"Data": EVIL}, "Html": {"Data": EVIL}},
            "Headers": [{"Name": "X-Evil", "Value": EVIL}],
            "Attachments": [{"FileName": f"{EVIL}.txt", "RawContent": EVIL.encode()}],
        },
    )
    for path in ("/outbox", f"/outbox/mails/{sent}", f"/outbox?q={'%3Cscript%3E'}"):
        assert "<script>document" not in local.get(path).text
        assert "<img src=x" not in local.get(path).text


def test_the_body_of_a_mail_is_caged(local: Local) -> None:
    sent = local.send(html=f"<!doctype html><html><head><title>t</title></head><body>{EVIL}</body></html>")
    page = local.get(f"/outbox/mails/{sent}").text
    frame = re.search(r"<iframe[^>]+>", page)
    assert frame
    cage = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
    assert f'sandbox="{cage}"' in frame[0]
    body = local.get(f"/outbox/mails/{sent}/body")
    policy = body.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert f"sandbox {cage}" in policy
    assert "form-action 'none'" in policy
    assert body.text.startswith('<!doctype html><html><head><base target="_blank">')


def test_a_file_is_saved_and_never_run(local: Local) -> None:
    files = [
        {"FileName": "page.html", "RawContent": EVIL.encode(), "ContentType": "text/html"},
        {
            "FileName": "a\u202egpj.svg",
            "RawContent": b"<svg/>",
            "ContentType": "image/svg+xml",
            "ContentDisposition": "INLINE",
            "ContentId": "i",
        },
    ]
    sent = local.send(simple={"Attachments": files})
    shown = {one["name"]: local.get(one["url"].removeprefix(local.url)) for one in local.mail(sent)["attachments"]}
    assert shown["page.html"].headers["content-disposition"].startswith("attachment;")
    for answer in shown.values():
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "\r" not in answer.headers["content-disposition"]
    source = local.get(f"/outbox/mails/{sent}/source.eml")
    assert source.headers["content-disposition"].startswith("attachment;")


def test_other_websites_cannot_give_orders(local: Local) -> None:
    sent = local.send()
    for origin in ("https://evil.example", "null"):
        for path in (f"/outbox/api/mails/{sent}/complain", f"/outbox/mails/{sent}/complain", "/outbox/empty"):
            assert local.call("POST", path, b"", {"Origin": origin}).status == 403
    assert local.call("DELETE", "/outbox/api/mails", None, {"Origin": "https://evil.example"}).status == 403
    assert local.types(sent) == ["Send", "Delivery"]
    assert local.call("POST", f"/outbox/mails/{sent}/complain", b"", {"Origin": local.url}).status == 303


@pytest.mark.parametrize("name", ["outbox.css", "outbox.js"])
def test_its_own_files_are_served_and_nothing_else(local: Local, name: str) -> None:
    assert local.get(f"/outbox/static/{name}").status == 200
    for path in ("__init__.py", "..%2Frender.py", "../render.py", "nothing.css"):
        assert local.get(f"/outbox/static/{path}").status == 404


def test_a_text_with_no_html_and_a_mail_with_no_subject_are_shown(local: Local) -> None:
    sent = local.send(html=None, simple={"Subject": {"Data": ""}})
    page = local.get(f"/outbox/mails/{sent}").text
    assert "<iframe" not in page
    assert "(no subject)" in page
