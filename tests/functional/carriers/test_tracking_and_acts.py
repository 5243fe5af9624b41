"""Opens, clicks, complaints and late bounces: what a recipient does, SNS hears."""

from typing import Any

import pytest
from tests.functional.carriers.local import Local

HTML = (
    '<html><body><a href="https://a.example/x?a=1&amp;b=2" ses:tags="cta:main;">go</a>'
    '<a ses:no-track href="https://u.example/stop">stop</a></body></html>'
)


def last(local: Local) -> dict[str, Any]:
    """The newest event."""
    return local.events()[-1]


def test_html_is_tracked_and_text_is_not(local: Local) -> None:
    body = {"Text": {"Data": "see https://a.example/x"}, "Html": {"Data": HTML}}
    sent = local.send(simple={"Body": body})
    mail = local.mail(sent)
    assert mail["text"] == "see https://a.example/x"
    assert mail["source_html"] == HTML
    assert f'<a href="{local.url}/outbox/t/{sent}/0">go</a>' in mail["html"]
    assert '<a href="https://u.example/stop">stop</a>' in mail["html"]
    assert f'src="{local.url}/outbox/t/{sent}/open.gif"' in mail["html"]
    assert mail["links"] == [
        {
            "url": "https://a.example/x?a=1&b=2",
            "tags": {"cta": ["main"]},
            "tracking_url": f"{local.url}/outbox/t/{sent}/0",
        }
    ]


def test_without_a_configuration_set_nothing_is_tracked(local: Local) -> None:
    sent = local.send(html=HTML, ConfigurationSetName=None)
    assert local.mail(sent)["html"] == HTML
    assert local.post(f"/outbox/api/mails/{sent}/open").status == 409


def test_tracking_can_be_switched_off_for_a_message(local: Local) -> None:
    off = {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}}
    if "ConfigurationOverrides" not in local.ses.meta.service_model.operation_model("SendEmail").input_shape.members:
        pytest.skip("this botocore does not know overrides yet")
    assert local.mail(local.send(html=HTML, ConfigurationOverrides=off))["html"] == HTML


def test_fetching_the_picture_is_an_open(local: Local) -> None:
    sent = local.send(html=HTML)
    picture = local.get(f"/outbox/t/{sent}/open.gif", User_Agent="Mail/7")
    assert (picture.status, picture.headers["content-type"], picture.body[:6]) == (200, "image/gif", b"GIF89a")
    assert picture.headers["cache-control"] == "no-store"
    event = last(local)
    assert event["eventType"] == "Open"
    assert set(event["open"]) == {"timestamp", "userAgent", "ipAddress"}
    assert (event["open"]["userAgent"], event["open"]["ipAddress"]) == ("Mail/7", "127.0.0.1")
    assert "sourceArn" not in event["mail"]
    assert event["mail"]["messageId"] == sent


def test_following_a_link_is_a_click_and_leads_on(local: Local) -> None:
    sent = local.send(html=HTML)
    answer = local.get(f"/outbox/t/{sent}/0", User_Agent="Browser/1")
    assert (answer.status, answer.headers["location"]) == (302, "https://a.example/x?a=1&b=2")
    event = last(local)
    assert event["eventType"] == "Click"
    assert set(event["click"]) == {"timestamp", "ipAddress", "userAgent", "link", "linkTags"}
    assert event["click"]["link"] == "https://a.example/x?a=1&b=2"
    assert event["click"]["linkTags"] == {"cta": ["main"]}


def test_a_link_without_tags_says_null(local: Local) -> None:
    sent = local.send(html='<a href="https://a.example/">x</a>')
    local.get(f"/outbox/t/{sent}/0")
    assert last(local)["click"]["linkTags"] is None


def test_each_time_counts(local: Local) -> None:
    sent = local.send(html=HTML)
    for _ in range(3):
        local.get(f"/outbox/t/{sent}/open.gif")
    assert local.types(sent) == ["Send", "Delivery", "Open", "Open", "Open"]


def test_a_look_that_fetches_nothing_counts_nothing(local: Local) -> None:
    sent = local.send(html=HTML)
    for path in (f"/outbox/t/{sent}/0", f"/outbox/t/{sent}/open.gif"):
        assert local.call("HEAD", path).body == b""
    assert local.types(sent) == ["Send", "Delivery"]


def test_a_mail_that_never_arrived_is_not_opened(local: Local) -> None:
    sent = local.send("bounce@simulator.amazonses.com", html=HTML)
    assert local.get(f"/outbox/t/{sent}/open.gif").status == 200
    assert local.get(f"/outbox/t/{sent}/0").status == 302
    for act in ("open", "click"):
        assert local.post(f"/outbox/api/mails/{sent}/{act}").json["code"] == "not_delivered"
    assert local.types(sent) == ["Send", "Bounce"]


@pytest.mark.parametrize("path", ["x/0", "x/open.gif", "{sent}/7", "{sent}/abc"])
def test_links_that_nobody_sent_lead_nowhere(local: Local, path: str) -> None:
    sent = local.send(html=HTML)
    answer = local.get(f"/outbox/t/{path.format(sent=sent)}")
    assert answer.status == 404
    assert "location" not in answer.headers
    assert local.types(sent) == ["Send", "Delivery"]


def test_the_api_opens_and_clicks(local: Local) -> None:
    sent = local.send(html=HTML)
    opened = local.post(f"/outbox/api/mails/{sent}/open").json
    assert opened["states"] == ["sent", "delivered", "opened"]
    assert local.post(f"/outbox/api/mails/{sent}/click").json["url"] == "https://a.example/x?a=1&b=2"
    chosen = local.post(f"/outbox/api/mails/{sent}/click", {"url": "https://a.example/x?a=1&b=2"})
    assert chosen.json["tags"] == {"cta": ["main"]}
    assert (
        local.post(f"/outbox/api/mails/{sent}/click", {"url": "https://u.example/stop"}).json["code"] == "unknown_link"
    )
    assert local.types(sent) == ["Send", "Delivery", "Open", "Click", "Click"]


def test_marking_as_spam_is_a_complaint_and_suppresses(local: Local) -> None:
    sent = local.send("ada@example.com")
    assert local.post(f"/outbox/api/mails/{sent}/complain").json["states"] == ["sent", "delivered", "complained"]
    assert last(local)["complaint"]["complaintFeedbackType"] == "abuse"
    entry = local.ses.get_suppressed_destination(EmailAddress="ada@example.com")["SuppressedDestination"]
    assert (entry["Reason"], entry["Attributes"]["MessageId"]) == ("COMPLAINT", sent)
    assert local.types(local.send("ada@example.com")) == ["Send", "Complaint"]


def test_ses_suppresses_only_for_the_reasons_it_was_given(local: Local) -> None:
    local.ses.put_account_suppression_attributes(SuppressedReasons=["BOUNCE"])
    local.post(f"/outbox/api/mails/{local.send('ada@example.com')}/complain")
    assert local.types(local.send("ada@example.com")) == ["Send", "Delivery"]


@pytest.mark.parametrize(
    ("order", "expected", "suppressed"),
    [
        ({}, ("Permanent", "General"), True),
        ({"type": "Permanent", "subType": "NoEmail"}, ("Permanent", "NoEmail"), True),
        ({"type": "Transient", "subType": "MailboxFull"}, ("Transient", "MailboxFull"), False),
        ({"type": "Undetermined", "subType": "Undetermined"}, ("Undetermined", "Undetermined"), False),
    ],
)
def test_a_mailbox_may_bounce_later(
    local: Local, order: dict[str, str], expected: tuple[str, str], suppressed: bool
) -> None:
    sent = local.send("ada@example.com")
    assert local.post(f"/outbox/api/mails/{sent}/bounce", order).status == 200
    bounce = last(local)["bounce"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == expected
    assert bool(local.get("/outbox/api/suppressions").json) is suppressed


def test_a_bounce_that_ses_does_not_know_is_refused(local: Local) -> None:
    sent = local.send()
    answer = local.post(f"/outbox/api/mails/{sent}/bounce", {"type": "Permanent", "subType": "MailboxFull"})
    assert (answer.status, answer.json["code"]) == (400, "unknown_bounce")
