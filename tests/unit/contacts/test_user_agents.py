"""What user agents and client hints tell, and what they only seem to tell."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.user_agents import LONGEST_CHARACTERS, NOTHING, parse

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
APPLE = {"manufacturer": "Apple"}


@pytest.mark.parametrize(
    ("user_agent", "browser", "os", "device"),
    [
        (f"{WINDOWS} {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome 126", "Windows", {"type": "desktop"}),
        (f"{WINDOWS} {WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge 126", "Windows",
         {"type": "desktop"}),
        ("Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0", "Firefox 52", "Windows 7",
         {"type": "desktop"}),
        (f"{MAC} {SAFARI} Version/17.4 Safari/605.1.15", "Safari 17", "macOS",
         {"type": "desktop", **APPLE, "model": "Mac"}),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.13; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox 127",
         "macOS 10.13", {"type": "desktop", **APPLE, "model": "Mac"}),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome 126", "ChromeOS",
         {"type": "desktop"}),
        (f"Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) {SAFARI} Version/16.5 Mobile/15E148 Safari/604.1",
         "Mobile Safari 16", "iOS 16.5", {"type": "tablet", **APPLE, "model": "iPad"}),
        (f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S911B) {WEBKIT} SamsungBrowser/23.0 Chrome/115 Mobile Safari/537",
         "Samsung Internet 23", "Android 13", {"type": "mobile", "manufacturer": "Samsung", "model": "SM-S911B"}),
        (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome 126",
         "Android 13", {"type": "tablet", "model": "SM-X700"}),
        (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome Mobile 126",
         "Android", {"type": "mobile"}),
        (f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/94.0.4606.128 Safari/537.36", "Chrome 94", "Web0S",
         {"type": "tv", "manufacturer": "LG", "model": "Web0S SmartTV"}),
        # What an app sends that speaks HTTP by itself: a device, and no browser.
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-A536B Build/TP1A.220624.014)", "", "Android 13",
         {"type": "mobile", "manufacturer": "Samsung", "model": "SM-A536B"}),
    ],
)  # fmt: skip
def test_a_user_agent_tells_browser_system_and_device(
    user_agent: str, browser: str, os: str, device: dict[str, str]
) -> None:
    assert parse(user_agent) == (browser, os, device)


@pytest.mark.parametrize(
    "user_agent",
    [
        "analytics-python/2.4.0", "analytics-node-next/latest", "rudder-sdk-python/2.1.9", "okhttp/4.9.0",
        "python-requests/2.31", "curl/8.0", "Go-http-client/1.1", "node",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36 "
        "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"{WINDOWS} " + "x" * LONGEST_CHARACTERS,
        "", " ", None, 7, [], {}, True,
    ],
)  # fmt: skip
def test_a_library_a_crawler_and_what_is_no_user_agent_tell_nothing(user_agent: Any) -> None:
    assert parse(user_agent) == NOTHING


def brands(*names: str) -> list[dict[str, str]]:
    return [{"brand": name, "version": "126"} for name in names]


CHROME = f"{WINDOWS} {WEBKIT} Chrome/126.0.0.0 Safari/537.36"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "hints", "browser", "os"),
    [
        (CHROME, {"platform": "Windows", "platformVersion": "15.0.0"}, "Chrome 126", "Windows 11"),
        (CHROME, {"platform": "Windows", "platformVersion": "10.0.0"}, "Chrome 126", "Windows 10"),
        (CHROME, {"platform": "Windows", "platformVersion": "0.3.0"}, "Chrome 126", "Windows"),
        (CHROME, {"platform": "Windows"}, "Chrome 126", "Windows"),
        (CHROME, {"brands": brands("Not/A)Brand", "Chromium", "Brave")}, "Brave 126", "Windows"),
        (CHROME, {"brands": brands("Chromium", "Microsoft Edge")}, "Edge 126", "Windows"),
        (CHROME, {"brands": brands("Chromium", "Not;A=Brand")}, "Chrome 126", "Windows"),
        (CHROME, {"brands": brands("Opera"), "fullVersionList": [{"brand": "Opera", "version": "112.0.1"}]},
         "Opera 112", "Windows"),
        (ANDROID, {"platform": "Android", "platformVersion": "14.0.0"}, "Chrome Mobile 126", "Android 14"),
        (f"{MAC} {WEBKIT} Chrome/126.0.0.0 Safari/537.36", {"platform": "macOS", "platformVersion": "14.5.0"},
         "Chrome 126", "macOS 14.5"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
         {"platform": "Android"}, "Chrome Mobile 126", "Android 14"),
        (None, {"platform": "Chrome OS"}, "", "ChromeOS"),
        (None, {"platform": "Linux", "platformVersion": "6.5.0"}, "", "Linux"),
        ("Mozilla/5.0 Firefox/120.0", {}, "Firefox 120", ""),
        (CHROME, {"brands": 7, "platform": ["Windows"], "platformVersion": {}}, "Chrome 126", "Windows"),
        (CHROME, {"brands": [7, {"brand": 7}, {"brand": "Vivaldi"}], "platform": "Unknown"}, "Vivaldi", "Windows"),
        (CHROME, "Windows", "Chrome 126", "Windows"),
    ],
)  # fmt: skip
def test_client_hints_are_preferred_where_they_tell_more(user_agent: Any, hints: Any, browser: str, os: str) -> None:
    found = parse(user_agent, hints)
    assert (found.browser, found.os) == (browser, os)


def test_client_hints_tell_the_model_that_the_user_agent_hides() -> None:
    assert parse(ANDROID, {"mobile": True, "model": "Pixel 8"}).device == {"type": "mobile", "model": "Pixel 8"}
    assert parse(CHROME, {"mobile": False, "model": ""}).device == {"type": "desktop"}


def test_a_device_without_a_letter_in_its_name_is_told_by_all_else() -> None:
    said = f"Mozilla/5.0 (Linux; Android 13;  ) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36"
    assert parse(said) == ("Chrome Mobile 126", "Android 13", {"type": "mobile"})


@given(st.text(alphabet="();/. _-:;,0123456789abcMozillaAndroidWindowsBuild", max_size=LONGEST_CHARACTERS))
def test_no_text_keeps_the_parser_busy(text: str) -> None:
    before = time.process_time()
    parse(f"Mozilla/5.0 (Linux; Android 5; {text}")
    assert time.process_time() - before < 1  # the first one compiles the patterns; the others take milliseconds
