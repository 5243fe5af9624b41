"""What feedback leads to: who is not written to again, who is a machine, and when marketing stops."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import Call
from tests.support.world import PUBLIC_URL, World

ADA = "ada@people.example"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
HOME = "203.0.113.4"


@pytest.fixture
def ada(world: World) -> World:
    """A workspace that may write to Ada."""
    world.template("tips")
    world.identify("ada", email=ADA)
    return world


def mail(world: World, key: str, user: str = "ada", kind: str = "transactional") -> dict[str, Any]:
    """Send somebody a mail; the mail as SES took it."""
    body = {"to": {"user_id": user}, "template": "tips", "kind": kind, "idempotency_key": key}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert (status, answer["state"]) == (202, "accepted"), answer
    return world.ses.accepted[-1]


def at(world: World, notification: dict[str, Any], instant: datetime | None = None) -> dict[str, Any]:
    """The event as it happened at an instant, now by default."""
    (name,) = notification.keys() - {"eventType", "mail"}
    stamp = f"{instant or world.now:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    return {**notification, name: {**notification[name], "timestamp": stamp}}


def bounced(world: World, sent: dict[str, Any], sub: str = "MailboxFull", kind: str = "Transient") -> None:
    recipients = [{"emailAddress": address} for address in sent["Destination"]["ToAddresses"]]
    details = {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": recipients}
    world.feedback(at(world, world.ses.event("Bounce", sent, **details)))


def suppression(world: World, address: str = ADA) -> dict[str, Any]:
    path = {"channel": "email", "address": address}
    status, answer = world.call("suppressions", "GET /v1/suppressions/{channel}/{address}", path=path)
    return answer if status == 200 else {}


# --- bounces ---------------------------------------------------------------------------------------------------------


def test_five_soft_bounces_in_a_row_suppress_and_name_the_messages(ada: World) -> None:
    for number in range(4):
        bounced(ada, mail(ada, f"k-{number}"))
        ada.now += timedelta(hours=1)
    assert suppression(ada) == {}
    bounced(ada, mail(ada, "k-4"))
    told = suppression(ada)
    assert told["reason"] == "bounce"
    assert told["source"] == f"5 soft bounces in a row: {' '.join(ada.ses.messages())}"


def test_a_delivery_between_begins_a_new_row(ada: World) -> None:
    for number in range(4):
        bounced(ada, mail(ada, f"k-{number}"))
        ada.now += timedelta(hours=1)
    ada.feedback(at(ada, ada.ses.event("Delivery", mail(ada, "k-4"))))
    for number in range(5, 9):
        ada.now += timedelta(hours=1)
        bounced(ada, mail(ada, f"k-{number}"))
    assert suppression(ada) == {}
    ada.now += timedelta(hours=1)
    bounced(ada, mail(ada, "k-9"))
    assert suppression(ada)["reason"] == "bounce"


@pytest.mark.parametrize("sub", ["MessageTooLarge", "ContentRejected", "AttachmentRejected"])
def test_what_was_too_large_or_refused_for_content_never_counts(ada: World, sub: str) -> None:
    for number in range(6):
        bounced(ada, mail(ada, f"k-{number}"), sub)
    assert suppression(ada) == {}


def test_a_bounce_that_is_told_again_counts_once(ada: World) -> None:
    for number in range(4):
        sent = mail(ada, f"k-{number}")
        for _ in range(3):
            bounced(ada, sent)
    assert suppression(ada) == {}


def test_who_is_let_off_the_list_begins_anew(ada: World) -> None:
    for number in range(5):
        bounced(ada, mail(ada, f"k-{number}"))
    path = {"channel": "email", "address": ADA}
    assert ada.call("suppressions", "DELETE /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    for number in range(5, 9):
        bounced(ada, mail(ada, f"k-{number}"))
    bounced(ada, ada.ses.accepted[0])
    assert suppression(ada) == {}


def test_a_delivery_costs_no_write_of_the_address(ada: World) -> None:
    sent = mail(ada, "k-0")
    ada.recorder.clear()
    ada.feedback(at(ada, ada.ses.event("Delivery", sent)), pump=False)
    assert "Consents" not in str([call.arguments for call in ada.recorder.calls])


@few(15)
@given(st.lists(st.sampled_from("SSSSSDX"), min_size=1, max_size=9))
def test_the_policy_holds_for_any_course_of_events(world: World, course: list[str]) -> None:
    """S is a soft bounce, D a delivery, X one that never counts."""
    user = world.fresh()
    if not world.ses.accepted:
        world.template("tips")
    address = f"{user}@people.example"
    world.identify(user, email=address)
    row, out = 0, False
    for number, letter in enumerate(course):
        world.now += timedelta(minutes=1)
        if out:
            break
        sent = mail(world, f"{user}-{number}", user)
        if letter == "D":
            world.feedback(at(world, world.ses.event("Delivery", sent)))
            row = 0
        else:
            bounced(world, sent, "MailboxFull" if letter == "S" else "MessageTooLarge")
            row += letter == "S"
        out = out or row == 5
    assert bool(suppression(world, address)) is out


# --- what people say in SES's own pages ------------------------------------------------------------------------------


def subscription(world: World, sent: dict[str, Any], everything: bool = False, **topics: str) -> None:
    statuses = [{"topicName": name, "subscriptionStatus": said} for name, said in topics.items()]
    preferences = {"unsubscribeAll": everything, "topicSubscriptionStatus": statuses}
    details = {"contactList": "all", "source": "UnsubscribeHeader", "newTopicPreferences": preferences}
    world.feedback(at(world, world.ses.event("Subscription", sent, **details)))


def replies(world: World) -> dict[str, str]:
    found = {}
    for item in world.items("TABLE_CONSENTS"):
        if "topics" in item:
            found |= {topic: said["reply"] for topic, said in json.loads(item["topics"]["S"]).items()}
    return found


def test_a_no_to_everything_is_the_person_s_own(ada: World) -> None:
    sent = mail(ada, "k-0")
    subscription(ada, sent, everything=True)
    subscription(ada, sent, everything=True)
    assert replies(ada) == {"*": "unsubscribed"}
    (message,) = ada.of_contact(ada.contact(user_id="ada")["contact"], "messages")
    assert "unsubscribed" in message["history"]


def test_of_topics_only_those_that_we_have_count_and_a_yes_is_none(ada: World) -> None:
    store = ada.function("ses_events").DynamoWorkspaceStore(ada.database)
    store.change_policy(store.get("acme"), {"topics": {"news": {"name": "News"}, "offers": {"name": "Offers"}}})
    subscription(ada, mail(ada, "k-0"), news="OptOut", strange="OptOut", offers="OptIn")
    assert replies(ada) == {"news": "unsubscribed"}


def test_a_no_to_what_every_workspace_has_counts_and_names_the_mail_as_its_cause(ada: World) -> None:
    sent = mail(ada, "k-0")
    subscription(ada, sent, marketing="OptOut")
    assert replies(ada) == {"marketing": "unsubscribed"}
    told = ada.of_contact(ada.contact(user_id="ada")["contact"], "events")
    (event,) = [one for one in told if one["event"] == "Consent Withdrawn"]
    assert event["cause"] == f"message:{next(tag['Value'] for tag in sent['EmailTags'] if 'message' in tag['Name'])}"


# --- machines --------------------------------------------------------------------------------------------------------


def delivered(world: World) -> dict[str, Any]:
    sent = mail(world, "k-0")
    world.feedback(at(world, world.ses.event("Delivery", sent)))
    return sent


def click(world: World, sent: dict[str, Any], second: float, link: str, **more: Any) -> dict[str, Any]:
    details = {"ipAddress": HOME, "userAgent": CHROME, "link": link, "linkTags": None, **more}
    return at(world, world.ses.event("Click", sent, **details), world.now + timedelta(seconds=second))


def told(world: World) -> list[tuple[str, dict[str, Any]]]:
    events = world.of_contact(world.contact(user_id="ada")["contact"], "events")
    found = [(one["event"], one["properties"]) for one in events if "Click" in one["event"] or "Open" in one["event"]]
    return sorted(found, key=lambda one: one[1].get("link", ""))


def names(world: World) -> list[str]:
    return [name for name, _ in told(world)]


def test_a_person_who_clicks_at_once_is_a_person_twenty_seconds_later(ada: World) -> None:
    sent = delivered(ada)
    delays = []
    send = ada.recorder.doubles["sqs:SendMessage"]

    def delayed(arguments: dict[str, Any]) -> dict[str, Any]:
        delays.append(arguments["DelaySeconds"])
        return dict(send(arguments))

    ada.recorder.doubles["sqs:SendMessage"] = delayed
    ada.feedback(click(ada, sent, 1, "https://acme.example/a"), pump=False)
    ada.pump()
    assert (names(ada), delays) == ([], [20])
    ada.recorder.doubles["sqs:SendMessage"] = send
    ada.take_put_off()
    ((name, properties),) = told(ada)
    assert name == "Email Link Clicked"
    assert {
        field: properties[field] for field in ("machine", "score", "reasons", "ipAddress", "userAgent", "link")
    } == {
        "machine": False,
        "score": 40,
        "reasons": ["very_fast"],
        "ipAddress": HOME,
        "userAgent": CHROME,
        "link": "https://acme.example/a",
    }


def test_a_filter_that_follows_all_links_is_a_machine(ada: World) -> None:
    sent = delivered(ada)
    for number, letter in enumerate("abc"):
        ada.feedback(click(ada, sent, 20 + number, f"https://acme.example/{letter}"), pump=False)
    ada.take_put_off()
    ada.pump()
    assert names(ada) == ["Email Link Clicked by Machine"] * 3
    assert {tuple(properties["reasons"]) for _, properties in told(ada)} == {("all_links_at_once",)}


def test_the_link_that_nobody_sees_gives_a_machine_and_its_companions_away(ada: World) -> None:
    sent = delivered(ada)
    ada.feedback(click(ada, sent, 20, "https://acme.example/a"), pump=False)
    ada.feedback(click(ada, sent, 60, "https://acme.example/z"), pump=False)
    ada.feedback(click(ada, sent, 22, f"{PUBLIC_URL}/h/token?tid=x"), pump=False)
    ada.take_put_off()
    ada.pump()
    assert [(name, tuple(properties["reasons"])) for name, properties in told(ada)] == [
        ("Email Link Clicked by Machine", ("with_hidden_link",)),
        ("Email Link Clicked", ()),
        ("Email Link Clicked by Machine", ("hidden_link",)),
    ]


def test_a_later_click_and_an_open_are_judged_at_once(ada: World) -> None:
    sent = delivered(ada)
    opened = ada.ses.event("Open", sent, ipAddress=HOME, userAgent="Mozilla/5.0")
    ada.feedback(at(ada, opened), pump=False)
    ada.feedback(click(ada, sent, 121, "https://acme.example/a"), pump=False)
    ada.pump()
    assert names(ada) == ["Email Opened by Machine", "Email Link Clicked"]


def test_a_workspace_s_own_ranges_are_machines_too(ada: World) -> None:
    ada.accounts.configure("acme", {"machine_ranges": ["203.0.113.0/24"]})
    ada.cold("ses_events")
    sent = delivered(ada)
    ada.feedback(click(ada, sent, 600, "https://acme.example/a"))
    assert names(ada) == ["Email Link Clicked by Machine"]


def test_the_report_has_people_and_machines_apart(ada: World) -> None:
    sent = delivered(ada)
    ada.feedback(click(ada, sent, 300, "https://acme.example/a"))
    ada.feedback(click(ada, sent, 400, "https://acme.example/a", userAgent="curl/8.7.1"))
    ada.feedback(click(ada, sent, 500, "https://acme.example/b", userAgent="curl/8.7.1"))
    counts: dict[str, int] = {}
    for item in ada.items("TABLE_REPORTS"):
        counts |= {name: int(value["N"]) for name, value in item.items() if "N" in value}
    assert {name: number for name, number in counts.items() if "click" in name} == {
        "clicked": 1,
        "clicks": 1,
        "machine_clicked": 1,
        "machine_clicks": 2,
    }


def test_of_one_mail_at_most_forty_clicks_are_noted(ada: World) -> None:
    sent = delivered(ada)
    for number in range(45):
        ada.feedback(click(ada, sent, number, f"https://acme.example/{number}"), pump=False)
    marks = next(json.loads(item["marks"]["S"]) for item in ada.items("TABLE_MESSAGES"))
    assert len(marks["clicks"]) == 40
    for _ in range(5):
        ada.take_put_off()
    ada.pump()
    assert len(names(ada)) == 45


# --- marketing stops by itself ---------------------------------------------------------------------------------------


def stopping(world: World) -> None:
    """Enough bounces of marketing to stop it: limits that a test can reach."""
    limits = {"bounces_from_sent": 3, "bounces_from": 2}
    world.accounts.configure("acme", {"rates": limits})
    for number in range(3):
        user = f"user-{number}"
        world.identify(user, email=f"{user}@people.example")
        sent = mail(world, f"m-{number}", user, "marketing")
        world.now += timedelta(seconds=10)
        if number:
            bounced(world, sent, "NoEmail", "Permanent")


def test_bounces_stop_marketing_with_a_warning_first_and_transactional_mails_go_on(
    ada: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping(ada)
    printed = capsys.readouterr().out
    assert ['"SendingWarned": 1}' in printed, '"SendingStopped": 1}' in printed] == [True, True]
    body = {"to": {"user_id": "ada"}, "template": "tips", "kind": "marketing", "idempotency_key": "late"}
    status, answer = ada.call("send_email", "POST /v1/emails", body)
    assert (status, answer["state"]) == (202, "skipped")
    assert answer["decision"]["decided_by"] == "sending"
    (check,) = [one for one in answer["decision"]["checks"] if one["check"] == "sending"]
    since = f"{ada.now:%Y-%m-%d %H:%M:%S}"
    assert check["found"] == (
        f"marketing is stopped since {since} UTC: bounces are 66.67% of 3 mails sent in 7 days, the limit is 8.00%"
    )
    mail(ada, "receipt")


def test_bounces_that_come_all_at_once_stop_marketing_though_none_follows(ada: World) -> None:
    ada.accounts.configure("acme", {"rates": {"bounces_from_sent": 3, "bounces_from": 2}})
    sent = []
    for number in range(3):
        ada.identify(f"user-{number}", email=f"user-{number}@people.example")
        sent.append(mail(ada, f"m-{number}", f"user-{number}", "marketing"))
    records = []
    for number, one in enumerate(sent):
        who = [{"emailAddress": address} for address in one["Destination"]["ToAddresses"]]
        details = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": who}
        told = json.dumps({"Type": "Notification", "Message": json.dumps(ada.ses.event("Bounce", one, **details))})
        records.append({"messageId": f"q-{number}", "body": told})
    assert ada.invoke("ses_events", {"Records": records}) == {"batchItemFailures": []}
    assert ada.call("sending", "GET /v1/sending")[1]["state"] == "good"  # the first was looked at, and was one of three
    ada.now += timedelta(seconds=11)
    ada.take_put_off()
    assert ada.call("sending", "GET /v1/sending")[1]["state"] == "stopped"


def test_a_person_lets_marketing_go_on(ada: World) -> None:
    stopping(ada)
    status, told = ada.call("sending", "GET /v1/sending")
    assert (status, told["state"], told["counts"]) == (200, "stopped", {"sent": 3, "bounced": 2, "complained": 0})
    assert ada.call("sending", "POST /v1/sending/resume")[1]["state"] == "good"
    status, told = ada.call("sending", "GET /v1/sending")
    assert (told["state"], told["counts"]["bounced"], told["why"]) == ("good", 0, "")
    mail(ada, "on", kind="marketing")


@pytest.mark.parametrize("key", ["write", "publishable"])
@pytest.mark.parametrize("route", ["GET /v1/sending", "POST /v1/sending/resume"])
def test_only_a_secret_key_sees_and_resumes(ada: World, key: str, route: str) -> None:
    assert ada.call("sending", route, key=key)[0] == 403


def test_the_bounces_of_another_workspace_stop_nobody_else(ada: World) -> None:
    stopping(ada)
    assert ada.call("sending", "GET /v1/sending", key=ada.other_secret)[1]["state"] == "good"


def test_bounces_of_transactional_mails_stop_nothing_and_are_not_looked_at(ada: World) -> None:
    ada.accounts.configure("acme", {"rates": {"bounces_from_sent": 1, "bounces_from": 1}})
    sent = mail(ada, "k-0")
    asked: list[Call] = []
    ada.recorder.before = asked.append
    bounced(ada, sent, "NoEmail", "Permanent")
    assert not [call for call in asked if call.operation == "Query" and "Reports" in str(call.arguments)]
    assert ada.call("sending", "GET /v1/sending")[1]["state"] == "good"
