"""@segment/analytics-next in Chromium, on a page of another origin, with a publishable key: every call of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.e2e.local_system import LocalSystem
from tests.e2e.sdks.browsing import serve_shop
from tests.e2e.workspaces import believed, counts, identities, instant, lived, members, open_workspace, person, settles

pytestmark = pytest.mark.browser

# How wrong the visitors' clocks are.
SLOW = timedelta(hours=2)
ADA = (
    *("Viewed Docs Pricing Page", "Plans Compared", "identify", "Viewed Home Screen", "group", "alias", "Signed Up"),
    # Who tries to be her: their identify is kept, what it may not change is not, and that is told.
    *("identify", "Change Refused", "alias"),
)


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The address of a shop on another port, and so another origin."""
    with serve_shop() as address:
        yield address


@dataclass
class Visit:
    """A visitor with a browser of their own: their anonymous id, and what the browser asked and was answered.

    `preflights` are the paths that it asked leave for, `announced` the headers that it asked leave to send.
    """

    page: Page
    requests: list[Any] = field(default_factory=list)
    preflights: list[str] = field(default_factory=list)
    announced: set[str] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    anonymous_id: str = ""

    @classmethod
    def to(cls, shop: str, context: BrowserContext, own: LocalSystem, batching: bool) -> Visit:
        visit = cls(context.new_page())
        visit._watch(context, own.url)
        visit.page.clock.install(time=datetime.now(UTC) - SLOW)
        visit.page.goto(f"{shop}/shop.html?utm_source=news&utm_campaign=autumn")
        told = {"url": own.url, "key": own.keys["publishable"], "batching": batching}
        visit.anonymous_id = visit.page.evaluate("told => shop.open(told)", told)
        return visit

    def does(self, what: str) -> None:
        """Let the page do something."""
        with self.page.expect_response(lambda answer: urlsplit(answer.url).path.startswith("/v1/")):
            self.page.evaluate(f"shop.{what}")

    def _watch(self, context: BrowserContext, url: str) -> None:
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: self.requests.append(asked) if asked.url.startswith(url) else None)
        self.page.on("response", lambda said: self.statuses.append(said.status) if said.url.startswith(url) else None)
        tools = context.new_cdp_session(self.page)
        tools.send("Network.enable")
        # Playwright keeps preflights to itself.
        tools.on("Network.requestWillBeSent", self._note)
        tools.on("Network.requestWillBeSentExtraInfo", self._note_headers)

    def _note(self, sent: dict[str, Any]) -> None:
        if sent["request"]["method"] == "OPTIONS":
            self.preflights.append(urlsplit(sent["request"]["url"]).path)

    def _note_headers(self, sent: dict[str, Any]) -> None:
        self.announced.add(sent["headers"].get("Access-Control-Request-Headers", ""))


@dataclass(frozen=True)
class Visits:
    """What the tests look at: a workspace, and who visited."""

    own: LocalSystem
    batching: bool
    ada: Visit
    bea: Visit
    stranger: Visit
    began: datetime


@pytest.fixture(scope="module", params=[False, True], ids=["single", "batching"])
def visits(request: pytest.FixtureRequest, local: LocalSystem, browser: Browser, shop: str) -> Iterator[Visits]:
    """Ada signs up, Bea is told of by an alias alone; somebody stays a stranger, and then tries to be Ada."""
    own = open_workspace(local, f"sdk-browser-{'batching' if request.param else 'single'}")
    began = datetime.now(UTC)
    contexts = [browser.new_context(locale="pl-PL", timezone_id="Europe/Warsaw") for _ in range(4)]
    ada, bea, stranger, evil = [Visit.to(shop, context, own, request.param) for context in contexts]
    ada.does("signUp()")
    bea.does("lookAround()")
    bea.does("becomes('bea')")
    stranger.does("lookAround()")
    settles(lambda: bool(person(own, user_id="ada").get("traits")), True)
    evil.does("pretend()")
    yield Visits(own, request.param, ada, bea, stranger, began)
    for context in contexts:
        context.close()


def test_the_sdk_starts_and_reports_across_origins(visits: Visits) -> None:
    assert visits.ada.complaints == visits.bea.complaints == []
    assert set(visits.ada.statuses) == {200}
    first = visits.ada.requests[0]
    assert urlsplit(first.url).path == f"/v1/projects/{visits.own.keys['publishable']}/settings"
    reports = visits.ada.requests[1:]
    paths = [urlsplit(request.url).path for request in reports]
    if visits.batching:
        assert set(paths) == {"/v1/b"}
    else:
        assert sorted(paths) == sorted(f"/v1/{short}" for short in "ptisgat")
    assert {request.headers["content-type"].partition(";")[0] for request in reports} == {"text/plain"}


def test_the_browser_asked_before_it_sent_a_key(visits: Visits) -> None:
    visits.ada.page.evaluate("1")  # lets what the browser has told by now come in
    assert "authorization" in visits.ada.announced
    reported = {urlsplit(request.url).path for request in visits.ada.requests[1:]}
    assert set(visits.ada.preflights) == reported


def test_who_looked_around_is_the_person_who_signed_up(visits: Visits) -> None:
    lived(visits.own, ADA, user_id="ada")
    contact = person(visits.own, user_id="ada")
    assert {("user", "ada"), ("anon", visits.ada.anonymous_id), ("email", "ada@example.com")} <= identities(contact)
    assert person(visits.own, anonymous_id=visits.ada.anonymous_id)["contact"] == contact["contact"]
    settles(lambda: person(visits.own, user_id="ada")["companies"], ["acme"])
    settles(lambda: visits.own.call("GET", "/v1/companies/acme").json.get("traits"), {"name": "Acme", "employees": 12})
    settles(lambda: members(visits.own, "acme"), ["ada"])


def test_an_alias_alone_tells_who_looked_around(visits: Visits) -> None:
    events = lived(visits.own, ["Viewed Page", "Looked Around", "alias"], user_id="bea")
    settles(lambda: identities(person(visits.own, user_id="bea")), {("user", "bea"), ("anon", visits.bea.anonymous_id)})
    assert [event["previous_id"] for event in events if event["type"] == "alias"] == [visits.bea.anonymous_id]


def test_a_publishable_key_changes_no_address_and_makes_nobody_another(visits: Visits) -> None:
    (refused,) = [event for event in lived(visits.own, ADA, user_id="ada") if event["event"] == "Change Refused"]
    assert refused["properties"]["code"] == "publishable_key_may_not_change_email"
    traits = {"email": "ada@example.com", "first_name": "Ada", "plan": "free"}
    settles(lambda: person(visits.own, user_id="ada")["traits"], traits)
    assert person(visits.own, user_id="bob") == {}


def test_what_the_browser_tells_of_itself_is_known_with_its_source(visits: Visits) -> None:
    settles(lambda: "campaign" in believed(person(visits.own, user_id="bea")), True)
    fields = believed(person(visits.own, user_id="bea"))
    assert fields["language"] == ("pl-PL", "sdk")
    assert fields["time_zone"] == ("Europe/Warsaw", "sdk")
    assert fields["campaign"] == ({"source": "news", "name": "autumn"}, "sdk")
    assert fields["page"] == (visits.bea.page.url.partition("?")[0], "sdk")
    assert (fields["browser"][0].partition(" ")[0], fields["browser"][1]) == ("HeadlessChrome", "user_agent")
    assert (fields["os"], fields["device"]) == (("Linux", "user_agent"), ({"type": "desktop"}, "user_agent"))


def test_a_wrong_clock_is_set_right(visits: Visits) -> None:
    for event in lived(visits.own, ADA, user_id="ada"):
        if event["type"] == "system":
            continue
        assert abs(instant(event["timestamp"]) - visits.began) < timedelta(minutes=2)
        assert abs(instant(event["original_timestamp"]) + SLOW - visits.began) < timedelta(minutes=2)
        assert instant(event["timestamp"]) <= instant(event["received_at"])
        assert not event["clamped"]


def test_everybody_is_counted_once(visits: Visits) -> None:
    lived(visits.own, ["Viewed Page", "Looked Around"], anonymous_id=visits.stranger.anonymous_id)
    settles(lambda: counts(visits.own), {"people": 3, "identified": 2, "anonymous": 1})
