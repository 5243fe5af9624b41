"""Opens and clicks of people and of machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.messages.machines import HIDDEN, THRESHOLD, Look, Mark, judge, networks, waits

DELIVERED = datetime(2026, 11, 21, 9, tzinfo=UTC)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
HOME = "203.0.113.4"


def seconds(number: float) -> datetime:
    return DELIVERED + timedelta(seconds=number)


def look(second: float, agent: str = CHROME, link: str = "", ip: str = HOME) -> Look:
    return Look(seconds(second), ip, agent, link)


@pytest.mark.parametrize(
    ("case", "machine", "reasons"),
    [
        # people
        (look(600), False, ()),
        (look(600, IPHONE), False, ()),
        (look(600, OUTLOOK), False, ()),
        (look(600, GOOGLE), False, ()),
        (look(600, YAHOO), False, ()),
        (look(1, GOOGLE), False, ("very_fast",)),
        (look(600, link="a"), False, ()),
        (look(1, link="a"), False, ("very_fast",)),
        (look(5, link="a"), False, ("fast",)),
        (look(600, "Mail/7"), False, ("bare_agent",)),
        (look(1, "", link="a"), False, ("bare_agent", "very_fast")),
        (look(600, "Mozilla/5.0", link="a"), False, ("bare_agent",)),
        (look(600, "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36", link="a"), False, ()),
        # machines
        (look(600, "Mozilla/5.0"), True, ("apple_prefetch",)),
        (look(600, "BarracudaCentral/1.0"), True, ("scanner_agent",)),
        (look(600, "Mozilla/5.0 (compatible; Mimecast URL Protect)"), True, ("scanner_agent",)),
        (look(600, CHROME.replace("Chrome", "HeadlessChrome")), True, ("scanner_agent",)),
        (look(600, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"), True, ("scanner_agent",)),
        (look(600, "python-requests/2.32", link="a"), True, ("library_agent",)),
        (look(600, "curl/8.7.1", link="a"), True, ("library_agent",)),
        (look(600, "Java/17.0.2", link="a"), True, ("library_agent",)),
        (look(600, ip="209.222.82.7"), True, ("scanner_range",)),
        (look(600, ip="64.235.150.1", link="a"), True, ("scanner_range",)),
        (look(600, link=HIDDEN), True, ("hidden_link",)),
    ],
)
def test_what_tells_a_machine_from_a_person(case: Look, machine: bool, reasons: tuple[str, ...]) -> None:
    verdict = judge(case, DELIVERED)
    assert (verdict.machine, verdict.reasons) == (machine, reasons)
    assert verdict.machine is (verdict.score >= THRESHOLD)


@pytest.mark.parametrize(
    ("companions", "machine", "reasons"),
    [
        ([], False, ()),
        ([(30, "a"), (31, "a")], False, ()),
        ([(30.5, "b"), (45, "c")], False, ("two_links_at_once",)),
        ([(32, "b"), (34, "c")], True, ("all_links_at_once",)),
        ([(26, "b"), (28, "c")], True, ("all_links_at_once",)),
        ([(36, "b"), (42, "c")], False, ()),
        ([(38, HIDDEN)], True, ("with_hidden_link",)),
        ([(45, HIDDEN)], False, ()),
    ],
)
def test_clicks_that_come_together_tell_of_each_other(
    companions: list[tuple[float, str]], machine: bool, reasons: tuple[str, ...]
) -> None:
    around = [Mark(seconds(second), HOME, link) for second, link in companions]
    verdict = judge(look(30, link="a"), DELIVERED, around)
    assert (verdict.machine, verdict.reasons) == (machine, reasons)


def test_clicks_from_other_addresses_are_no_companions() -> None:
    around = [Mark(seconds(30), "198.51.100.7", link) for link in ("b", "c", HIDDEN)]
    assert judge(look(30, link="a"), DELIVERED, around).reasons == ()


def test_two_links_at_once_right_after_the_delivery_are_a_machine_s() -> None:
    assert judge(look(1, link="a"), DELIVERED, [Mark(seconds(1.2), HOME, "b")]).machine
    assert judge(look(8, link="a"), DELIVERED, [Mark(seconds(8.5), HOME, "b")]).machine
    assert not judge(look(60, link="a"), DELIVERED, [Mark(seconds(60.5), HOME, "b")]).machine


def test_a_workspace_knows_ranges_of_its_own() -> None:
    own = networks(["198.51.100.0/24", "2001:db8::/32"])
    assert judge(look(600, ip="198.51.100.7"), DELIVERED, ranges=own).reasons == ("workspace_range",)
    assert judge(look(600, ip="2001:db8::7"), DELIVERED, ranges=own).reasons == ("workspace_range",)
    assert not judge(look(600, ip="no address"), DELIVERED, ranges=own).machine


@pytest.mark.parametrize(
    ("case", "delivered_at", "later"),
    [
        (look(1, link="a"), DELIVERED, True),
        (look(120, link="a"), DELIVERED, True),
        (look(121, link="a"), DELIVERED, False),
        (look(1, link="a"), None, True),
        (look(1), DELIVERED, False),
        (look(1, "curl/8", link="a"), DELIVERED, False),
        (look(1, link=HIDDEN), DELIVERED, False),
    ],
)
def test_early_clicks_that_nothing_decides_are_judged_later(
    case: Look, delivered_at: datetime | None, later: bool
) -> None:
    assert waits(case, delivered_at, judge(case, delivered_at)) is later


MARKS = st.lists(
    st.builds(
        lambda second, ip, link: Mark(seconds(second), ip, link),
        st.integers(0, 20),
        st.sampled_from([HOME, "198.51.100.7"]),
        st.sampled_from(["a", "b", "c", HIDDEN]),
    ),
    max_size=8,
)


@given(MARKS, st.data())
def test_the_order_of_companions_and_their_repeats_change_nothing(marks: list[Mark], data: st.DataObject) -> None:
    other = data.draw(st.permutations([*marks, *marks[:2]]))
    case = look(10, link="a")
    assert judge(case, DELIVERED, marks) == judge(case, DELIVERED, other)


@given(st.text(max_size=300), st.text(max_size=40), st.floats(-1e6, 1e6))
def test_whatever_a_program_says_it_is_judged(agent: str, ip: str, second: float) -> None:
    verdict = judge(Look(seconds(second), ip, agent, "a"), DELIVERED)
    assert verdict.score >= 0
