"""From a wish to subscribe to the figures of a report: mail and consent through the API, the outbox and a browser."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import urllib3
from playwright.sync_api import Browser, Page, expect
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.round_mail import bounce, done
from tests.e2e.test_cli import tidings
from tests.e2e.test_main_job import mails
from tests.e2e.workspaces import open_sender, settles

TOPIC = {"title": "Club news", "description": "What happens at the club, monthly.", "confirmation": "club-really"}
REALLY = {
    "kind": "transactional",
    "subject": "Really {{ variables.topic.title }}?",
    "text": "{{ variables.confirm_url }}",
}
NEWS = {
    "subject": "The club in autumn",
    "html": '<h1>Autumn</h1><p>All about it in <a href="https://club.example/autumn">our diary</a>.</p>',
    "topic": "club",
    "reply_to": "Desk of the club <desk@consent.example>",
}
BILL = {"name": "programme.txt", "type": "text/plain", "content": base64.b64encode(b"Monday: tea.\n").decode()}
ADA, BEN, CLEO, DAN, EVE = (f"{name}@club-people.example" for name in ("ada", "ben", "cleo", "dan", "eve"))
EVERYBODY = (ADA, BEN, CLEO, DAN, EVE)
FORM = {"content-type": "application/x-www-form-urlencoded"}
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"
SCANNER = "BarracudaCentral.org URL checker"


@pytest.fixture(scope="module")
def club(local: LocalSystem) -> LocalSystem:
    """A workspace with a topic that nobody gets unasked; three people said yes to it elsewhere, Eve said nothing."""
    own = open_sender(local, "consent")
    done(
        own.call("PUT", "/v1/brand", {"name": "The Club", "postal_address": "7 Mill Lane, Kraków", "colour": "#1f5fbf"})
    )
    for name, template in (("club-really", REALLY), ("club-news", NEWS)):
        done(own.call("PUT", f"/v1/templates/{name}", template))
    done(own.call("PUT", "/v1/topics/club", TOPIC))
    rows = [
        {"address": address, "topic": "club", "reply": "subscribed", "confirmed": True, "source": "paper"}
        for address in (BEN, CLEO, DAN)
    ]
    assert {row["result"] for row in done(own.call("POST", "/v1/consents/import", {"rows": rows}))["rows"]} == {"set"}
    return own


@dataclass(frozen=True)
class Asked:
    """What Ada's wish to subscribe came to: her consent at the wish, after looks at the link, and after its button."""

    before: dict[str, Any]
    looked_at: dict[str, Any]
    after: dict[str, Any]
    mails: list[dict[str, Any]]


@pytest.fixture(scope="module")
def asked(club: LocalSystem) -> Asked:
    """Ada asks on a web page, twice; a scanner looks at the link of her mail; she presses its button."""
    wish = {"email": ADA, "topic": "club", "wording": "Send me the club's news."}
    for _ in range(2):
        assert done(club.call("POST", "/v1/subscriptions", wish, key="publishable"), 202) == {"state": "pending"}
    before, got = consent(club, ADA), mails(club, ADA)
    url = got[0]["text"].split()[0]
    for method in ("GET", "HEAD", "GET"):
        assert urllib3.request(method, url, headers={"user-agent": SCANNER}, timeout=30).status == 200
    looked_at = consent(club, ADA)
    assert urllib3.request("POST", url, timeout=30).status == 200
    return Asked(before, looked_at, consent(club, ADA), got)


@pytest.fixture(scope="module")
def sent(club: LocalSystem, asked: Asked) -> str:
    """News go to everybody in a minute, with a file, ordered twice; somebody and something read them."""
    body = {
        "recipients": [{"email": address} for address in EVERYBODY],
        "template": "club-news",
        "attachments": [BILL],
        "at": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
        "idempotency_key": "autumn",
    }
    sends = {done(club.call("POST", "/v1/emails", body), 202)["send"] for _ in range(2)}
    (send,) = sends
    finished(club, send)
    looks(club, ADA, PERSON, "open", "click")
    looks(club, BEN, SCANNER, "open", "click")
    bounce(club, news(club, CLEO))
    act(club, DAN, "complain")
    return send


@pytest.fixture(scope="module")
def after(club: LocalSystem, sent: str) -> str:
    """A second send, once Ada's mail program unsubscribed her by the header of the first."""
    headers = news(club, ADA)["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = headers["List-Unsubscribe"].strip("<>")
    answer = urllib3.request("POST", url, body=headers["List-Unsubscribe-Post"], headers=FORM, timeout=30)
    assert (answer.status, answer.data) == (200, b"You are unsubscribed.\n")
    for address in (CLEO, DAN):
        eventually(lambda address=address: club.call("GET", suppression(address)).status == 200)  # type: ignore[misc]
    body = {"recipients": [{"email": address} for address in EVERYBODY], "template": "club-news"}
    send = str(done(club.call("POST", "/v1/emails", {**body, "idempotency_key": "winter"}), 202)["send"])
    finished(club, send)
    return send


def test_a_wish_grants_nothing_and_sends_one_mail(asked: Asked) -> None:
    assert len(asked.mails) == 1
    assert asked.mails[0]["subject"] == "Really Club news?"
    assert asked.before["marketing"]["passed"] is False


def test_looking_at_the_link_changes_nothing_and_its_button_does(asked: Asked) -> None:
    assert asked.looked_at == asked.before
    assert asked.after["marketing"]["passed"] is True
    assert asked.after["said"]["confirmed"] is True
    assert asked.after["said"]["proof"]["by"] == "person"


def test_each_who_said_yes_gets_one_mail_and_who_did_not_none(club: LocalSystem, sent: str) -> None:
    got = {address: [mail["subject"] for mail in mails(club, address)] for address in EVERYBODY}
    assert got[ADA] == ["Really Club news?", NEWS["subject"]]
    assert [got[address] for address in (BEN, CLEO, DAN, EVE)] == [[NEWS["subject"]]] * 3 + [[]]
    mail = news(club, ADA)
    assert mail["headers"]["Reply-To"] == NEWS["reply_to"]
    assert [(file["name"], file["size"]) for file in mail["attachments"]] == [("programme.txt", 13)]


def test_who_left_by_one_click_is_skipped_next_time_and_why_says_so(club: LocalSystem, after: str) -> None:
    assert len(mails(club, ADA)) == 2
    account = done(club.call("GET", f"/v1/why?email={ADA}&send={after}"))
    assert account["code"] == "decided"
    assert account["answer"].startswith("Not sent")
    told = tidings("why", ADA, "--send", after, "--url", club.url, "--key", club.keys["secret"])
    assert told.returncode == 0, told.stderr
    assert account["answer"] in told.stdout
    assert "consent" in told.stdout


@pytest.mark.parametrize(("address", "reason"), [(CLEO, "bounce"), (DAN, "complaint")])
def test_a_bounce_and_a_complaint_suppress(club: LocalSystem, after: str, address: str, reason: str) -> None:
    assert done(club.call("GET", suppression(address)))["reason"] == reason
    assert len(mails(club, address)) == 1
    assert done(club.call("GET", f"/v1/why?email={address}&send={after}"))["answer"].startswith("Not sent")


def test_the_report_counts_people_and_machines_apart(club: LocalSystem, after: str, sent: str) -> None:
    expected = {
        "sent": 4,
        "delivered": 4,  # Cleo's too: hers bounced after a server had taken it
        "opened": 1,
        "machine_opened": 1,
        "clicked": 1,
        "machine_clicked": 1,
        "hard_bounced": 1,
        "complained": 1,
        "unsubscribed": 1,
        "skipped": 1,
    }
    # A click soon after a mail came is looked at again 20 seconds later, with those that came with it.
    settles(lambda: counted(club, sent), expected)
    assert counted(club, after) == {"sent": 1, "delivered": 1, "skipped": 4}


def test_the_same_is_a_sheet_with_a_line_for_each_mail(club: LocalSystem, after: str, sent: str) -> None:
    connected = ("--url", club.url, "--key", club.keys["secret"])
    sheet = tidings("report", "messages", "--send", after, "--csv", "-", *connected)
    assert sheet.returncode == 0, sheet.stderr
    rows = list(csv.DictReader(io.StringIO(sheet.stdout.lstrip("\ufeff"))))
    states = {row["address"]: row["state"] for row in rows}
    assert states == {ADA: "skipped", BEN: "delivered", CLEO: "skipped", DAN: "skipped", EVE: "skipped"}
    numbers = tidings("report", "--send", sent, *connected)
    assert numbers.returncode == 0, numbers.stderr
    assert "club-news" in numbers.stdout


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A telephone on which no page runs scripts."""
    context = browser.new_context(
        viewport={"width": 375, "height": 760}, device_scale_factor=2, java_script_enabled=False
    )
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_on_a_phone_without_scripts_somebody_leaves_by_the_link_of_their_mail(
    club: LocalSystem, after: str, phone: Page
) -> None:
    phone.goto(f"{club.outbox}/mails/{news(club, BEN)['id']}/body")
    with phone.context.expect_page() as tab:  # mails open links in a new one
        phone.get_by_role("link", name="Unsubscribe").click()
    page = tab.value
    expect(page.get_by_role("heading", name="Stop “Club news”?")).to_be_visible()
    assert urlsplit(page.url).path.startswith("/u/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert consent(club, BEN)["marketing"]["passed"] is True
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    assert consent(club, BEN)["marketing"]["passed"] is False


def consent(own: LocalSystem, address: str) -> dict[str, Any]:
    """What an address said about the club's news, and whether they may go to it."""
    topics = done(own.call("GET", f"/v1/consents/email/{address}"))["topics"]
    return next(topic for topic in topics if topic["topic"] == "club")


def suppression(address: str) -> str:
    return f"/v1/suppressions/email/{quote(address)}"


def finished(own: LocalSystem, send: str) -> None:
    """Wait until it is known of each recipient what became of the mail, and of each mail whether it came."""
    eventually(lambda: done(own.call("GET", f"/v1/sends/{send}"))["state"] == "done")
    eventually(lambda: counted(own, send).get("delivered", 0) == counted(own, send)["sent"])


def news(own: LocalSystem, address: str) -> dict[str, Any]:
    """The first of the club's news that an address got."""
    return next(mail for mail in mails(own, address) if mail["subject"] == NEWS["subject"])


def counted(own: LocalSystem, send: str) -> dict[str, int]:
    """What a send came to, without what did not happen."""
    totals = done(own.call("GET", f"/v1/reports/email?send={send}"))["totals"]
    milestones = {name: number for name, number in totals["counts"].items() if number}
    return {name: number for name, number in milestones.items() if name not in TOTALS}


TOTALS = {"opens", "machine_opens", "clicks", "machine_clicks"}


def looks(own: LocalSystem, address: str, agent: str, *acts: str) -> None:
    """Read somebody's mail with a program."""
    for name in acts:
        act(own, address, name, {"user-agent": agent})


def act(own: LocalSystem, address: str, name: str, headers: dict[str, str] | None = None) -> None:
    """Do at the outbox what the recipient of the news would."""
    path = f"{own.outbox}/api/mails/{news(own, address)['id']}/{name}"
    answer = urllib3.request("POST", path, json={}, headers=headers, timeout=30)
    assert answer.status == 200, answer.data
