"""What an event tells of language, device and place, and which of several tellings is believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.context import FIELD_CODES, Source, fields_of, is_server, merged, stamped, view

EVENTS = Path(__file__).parents[3] / "events"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PUBLIC = "81.2.69.142"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


class London:
    """Every address is in London."""

    def find(self, ip: str) -> Mapping[str, str]:
        return {"city": "London", "country": "GB", "continent": "EU", "time_zone": "Europe/London"}


class Unknown:
    """No address is in the data."""

    def find(self, ip: str) -> Mapping[str, str]:
        return {"city": "", "country": "", "continent": "", "time_zone": ""}


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def sdk(context: Any) -> dict[str, Any]:
    return fields_of(context, {}).get(Source.SDK, {})


def declared(traits: Any) -> dict[str, Any]:
    return fields_of({}, traits).get(Source.DECLARED, {})


def believed(*told: tuple[Mapping[Source, Mapping[str, Any]], datetime]) -> dict[str, tuple[Any, str]]:
    stored = reduce(merged, (stamped(fields, at) for fields, at in told), {})
    return {field: (found["value"], found["source"]) for field, found in view(stored).items()}


# --- what one event tells --------------------------------------------------------------------------------------------


def test_the_browser_sdk_tells_language_time_zone_page_browser_and_device() -> None:
    body = json.loads(json.loads((EVENTS / "identify.api.json").read_text("utf-8"))["body"])
    assert fields_of(body["context"], body["traits"]) == {
        Source.SDK: {"language": "en-GB", "time_zone": "Europe/London", "page": "https://www.acme.example/signup"},
        Source.USER_AGENT: {"browser": "Chrome 142", "os": "Linux", "device": {"type": "desktop"}},
    }


def test_a_mobile_sdk_tells_app_system_and_device() -> None:
    context = {
        "library": {"name": "analytics-kotlin", "version": "1.16"},
        "app": {"name": "Shop", "version": "2.1.0", "build": "210"},
        "os": {"name": "Android", "version": "14"},
        "device": {"id": "7", "manufacturer": "Google", "model": "Pixel 8", "name": "shiba", "type": "android"},
        "screen": {"width": 1080, "height": 2400, "density": 2.6},
    }
    assert sdk(context) == {
        "app": "Shop 2.1.0",
        "os": "Android 14",
        "device": {"type": "mobile", "manufacturer": "Google", "model": "Pixel 8"},
    }


@pytest.mark.parametrize(
    ("device", "screen", "kind"),
    [
        ({"type": "ios", "model": "iPhone14,2"}, {}, "mobile"),
        ({"type": "ios", "model": "iPad13,4"}, {}, "tablet"),
        ({"type": "android"}, {"width": 1200, "height": 1920, "density": 2}, "tablet"),
        ({"type": "android"}, {"width": 1080, "height": 2400, "density": 3}, "mobile"),
        ({"type": "android"}, {"width": 1080, "height": "tall", "density": 0}, "mobile"),
        ({"type": "Desktop"}, {}, "desktop"),
        ({"type": "toaster", "model": "T1"}, {}, None),
    ],
)
def test_a_device_has_one_of_four_types(device: dict[str, Any], screen: dict[str, Any], kind: str | None) -> None:
    assert sdk({"device": device, "screen": screen})["device"].get("type") == kind


@pytest.mark.parametrize(
    ("context", "server"),
    [
        ({"library": {"name": "analytics-python", "version": "2.4.0"}}, True),
        ({"library": {"name": "@segment/analytics-node"}}, True),
        ({"library": {"name": "analytics-node-next"}}, True),
        ({"library": {"name": "Analytics.NET"}}, True),
        ({"library": {"name": "rudder-analytics-python"}}, True),
        ({"library": {"name": "analytics-java"}}, True),
        ({"channel": "server"}, True),
        ({"channel": "mobile"}, False),
        ({"library": {"name": "analytics.js"}}, False),
        ({"library": {"name": "analytics-android"}}, False),
        ({"library": {"name": "analytics-react-native"}}, False),
        ({"library": {"name": "RudderLabs JavaScript SDK"}}, False),
        ({"library": "analytics-python"}, False),
        (None, False),
    ],
)
def test_libraries_of_servers_are_known_by_their_language(context: Any, server: bool) -> None:
    assert is_server(context) is server


def test_a_server_s_own_device_is_not_the_person_s() -> None:
    context = {
        "library": {"name": "analytics-python"},
        "userAgent": "analytics-python/2.4.0",
        "os": {"name": "Linux", "version": "6"},
        "device": {"type": "desktop"},
        "app": {"name": "billing", "version": "1"},
    }
    assert fields_of(context, {}) == {}


def test_what_a_server_says_of_the_person_is_heard() -> None:
    context = {
        "library": {"name": "analytics-node"},
        "locale": "pl-PL",
        "timezone": "Europe/Warsaw",
        "userAgent": IPHONE,
        "ip": PUBLIC,
    }
    assert fields_of(context, {}) == {
        Source.SDK: {"language": "pl-PL", "time_zone": "Europe/Warsaw"},
        Source.USER_AGENT: {
            "browser": "Mobile Safari 17",
            "os": "iOS 17.5",
            "device": {"type": "mobile", "manufacturer": "Apple", "model": "iPhone"},
        },
        Source.IP: {"ip": PUBLIC},
    }


# --- campaigns and pages ---------------------------------------------------------------------------------------------


SPRING = {"name": "spring sale", "source": "newsletter", "medium": "email"}


@pytest.mark.parametrize(
    ("context", "campaign"),
    [
        ({"campaign": SPRING}, SPRING),
        ({"campaign": {**SPRING, "term": "", "content": None, "colour": "red"}}, SPRING),
        ({"page": {"search": "?utm_campaign=spring+sale&utm_source=newsletter&utm_medium=email&id=7"}}, SPRING),
        ({"page": {"url": "https://a.example/?utm_campaign=spring%20sale&utm_source=newsletter&utm_medium=email#x"}},
         SPRING),
        ({"page": {"search": "?utm_source=a&utm_source=b&utm_term=t&utm_content=c&utm_id=1"}},
         {"source": "a", "term": "t", "content": "c"}),
        ({"campaign": SPRING, "page": {"search": "?utm_source=other"}}, SPRING),
        ({"campaign": {}, "page": {"search": "?utm_source=other"}}, {"source": "other"}),
        ({"campaign": "spring", "page": "home"}, None),
        ({"page": {"search": "?utm_source=", "url": "https://a.example/utm_source=x"}}, None),
    ],
)  # fmt: skip
def test_a_campaign_comes_from_the_sdk_or_from_the_page_s_address(context: Any, campaign: Any) -> None:
    assert sdk(context).get("campaign") == campaign


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ({"url": "https://a.example/pricing?token=secret#top", "title": "Pricing"}, "https://a.example/pricing"),
        ({"url": "https://a.example/#/pricing"}, "https://a.example/"),
        ({"path": "/pricing"}, "/pricing"),
        ({"url": "", "path": "/pricing?x"}, "/pricing"),
        ({"url": "https://a.example/" + "a" * 300}, "https://a.example/" + "a" * 238),
        ({"url": 7, "path": []}, "7"),
        ({"title": "Pricing"}, None),
    ],
)
def test_a_page_is_its_address_without_what_may_be_secret(page: Any, kept: str | None) -> None:
    assert sdk({"page": page}).get("page") == kept


# --- languages, time zones, countries --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("pl", "pl"), ("en-GB", "en-GB"), ("en_gb", "en-GB"), ("pl_PL.UTF-8", "pl-PL"), ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"), ("de-DE-u-co-phonebk", "de-DE"), ("ca-ES-valencia", "ca-ES"), (" fr ", "fr"),
        ("en-GB,en;q=0.9", "en-GB"), ("en_US@euro", "en-US"), ("yue", "yue"),
        ("Polish", None), ("C", None), ("POSIX", None), ("", None), ("*", None), (7, None), (["en"], None),
    ],
)  # fmt: skip
def test_a_language_is_a_tag(locale: Any, language: str | None) -> None:
    assert sdk({"locale": locale}).get("language") == language
    assert declared({"language": locale}).get("language") == language


@pytest.mark.parametrize(
    ("given_as", "kept"),
    [
        ("Europe/Warsaw", True), ("America/Argentina/Ushuaia", True), ("UTC", True), ("Etc/GMT+1", True),
        ("America/Port-au-Prince", True), ("CET", False), ("+01:00", False), ("Central European Time", False),
        ("Europe/" + "a" * 40, False), ("a/b/c/d", False), (60, False), ("Europe/Łódź", False),
    ],
)  # fmt: skip
def test_a_time_zone_is_a_name_of_the_iana_database(given_as: Any, kept: bool) -> None:
    assert ("time_zone" in sdk({"timezone": given_as})) is kept
    assert ("time_zone" in declared({"timeZone": given_as})) is kept


@pytest.mark.parametrize(
    ("traits", "country", "continent"),
    [
        ({"country": "PL"}, "PL", "EU"), ({"country": " pl "}, "PL", "EU"), ({"country": "Poland"}, "PL", "EU"),
        ({"country": "POL"}, "PL", "EU"), ({"country": "united states"}, "US", "NA"), ({"country": "UK"}, "GB", "EU"),
        ({"address": {"country": "PL"}}, "PL", "EU"), ({"country": "DE", "address": {"country": "PL"}}, "DE", "EU"),
        ({"country": "", "address": {"country": "PL"}}, "PL", "EU"),
        ({"country": "Atlantis"}, "Atlantis", None), ({"country": "XX"}, "XX", None),
    ],
)  # fmt: skip
def test_a_country_is_two_letters_where_it_is_one(traits: Any, country: str, continent: str | None) -> None:
    assert declared(traits) == {"country": country, "continent": continent}


def test_traits_declare_language_time_zone_city_and_country() -> None:
    traits = {"locale": "pl_PL", "timezone": "Europe/Warsaw", "address": {"city": "Kraków", "country": "PL"}}
    expected = {"language": "pl-PL", "time_zone": "Europe/Warsaw", "city": "Kraków", "country": "PL", "continent": "EU"}
    assert declared(traits) == expected


def test_a_null_takes_back_what_was_declared() -> None:
    assert declared({"country": None, "language": None}) == {"country": None, "continent": None, "language": None}
    assert declared({"address": {"city": None}}) == {"city": None}
    assert declared({"country": None, "address": {"country": "PL"}})["country"] == "PL"
    told = fields_of({"ip": PUBLIC}, {}, London())
    place = believed((declare(country="PL"), NOW), (told, NOW), (declare(country=None), later(1)))
    assert place["country"] == ("GB", "ip")


def test_what_is_too_long_is_cut_and_what_is_too_large_is_no_text() -> None:
    assert declared({"city": "a" * 99 + " b"}) == {"city": "a" * 99}
    assert sdk({"app": {"name": "Shop", "version": 7}}) == {"app": "Shop 7"}
    assert sdk({"app": {"name": 10**5000}}) == {}


def test_what_cannot_be_a_language_leaves_the_one_that_was_declared() -> None:
    assert declared({"language": "Klingon", "country": {}, "city": []}) == {}


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "10.1.2.3", "192.168.0.7", "172.16.9.9", "169.254.1.1", "100.64.0.1", "0.0.0.0",  # noqa: S104
     "255.255.255.255", "224.0.0.1", "203.0.113.4", "::1", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
     "::ffff:10.0.0.1", "localhost", "81.2.69", "81.2.69.142, 10.0.0.1", "", None, 1359103374, {}],
)  # fmt: skip
def test_an_address_that_no_person_has_gives_no_place(ip: Any) -> None:
    assert fields_of({"ip": ip}, {}, London()) == {}


@pytest.mark.parametrize(
    ("ip", "kept"),
    [(PUBLIC, PUBLIC), (f" {PUBLIC}", PUBLIC), (f"::ffff:{PUBLIC}", PUBLIC),
     ("2A02:0FF0:0000::0001", "2a02:ff0::1")],
)  # fmt: skip
def test_a_public_address_gives_a_place(ip: str, kept: str) -> None:
    place = {"city": "London", "country": "GB", "continent": "EU", "time_zone": "Europe/London"}
    assert fields_of({"ip": ip}, {}, London()) == {Source.IP: {"ip": kept, **place}}


def test_without_data_an_address_is_only_an_address() -> None:
    assert fields_of({"ip": PUBLIC}, {}) == {Source.IP: {"ip": PUBLIC}}


def test_the_next_address_takes_the_last_place_away() -> None:
    there = fields_of({"ip": PUBLIC}, {}, London())
    elsewhere = fields_of({"ip": "8.8.8.8"}, {}, Unknown())
    assert believed((there, NOW), (elsewhere, later(1))) == {"ip": ("8.8.8.8", "ip")}
    assert believed((there, later(1)), (elsewhere, NOW))["city"] == ("London", "ip")


# --- which is believed -----------------------------------------------------------------------------------------------


def declare(**fields: Any) -> dict[Source, dict[str, Any]]:
    return fields_of({}, fields)


@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_what_is_declared_wins_over_what_is_guessed_whatever_came_later(minutes: int) -> None:
    guessed = fields_of({"locale": "en-GB", "ip": PUBLIC}, {}, London())
    found = believed((guessed, later(minutes)), (declare(language="pl", country="GB", city="Leeds"), NOW))
    assert found["language"] == ("pl", "declared")
    assert found["city"] == ("Leeds", "declared")
    assert found["country"] == ("GB", "declared")
    assert found["time_zone"] == ("Europe/London", "ip")


def test_an_sdk_is_believed_before_a_user_agent_and_that_before_an_address() -> None:
    context = {"os": {"name": "iOS", "version": "17.5.1"}, "userAgent": IPHONE, "timezone": "Asia/Tokyo", "ip": PUBLIC}
    found = believed((fields_of(context, {}, London()), NOW))
    assert found["os"] == ("iOS 17.5.1", "sdk")
    assert found["browser"] == ("Mobile Safari 17", "user_agent")
    assert found["time_zone"] == ("Asia/Tokyo", "sdk")


def test_an_address_in_another_country_tells_neither_city_nor_continent_nor_time_zone() -> None:
    guessed = fields_of({"ip": PUBLIC}, {}, London())
    assert believed((guessed, NOW), (declare(country="JP"), NOW)) == {
        "ip": (PUBLIC, "ip"),
        "country": ("JP", "declared"),
        "continent": ("AS", "declared"),
    }


def test_a_device_s_time_zone_is_believed_wherever_the_device_is() -> None:
    abroad = fields_of({"timezone": "America/New_York", "location": {"city": "New York", "country": "USA"}}, {})
    assert believed((abroad, NOW), (declare(country="PL"), NOW)) == {
        "country": ("PL", "declared"),
        "continent": ("EU", "declared"),
        "time_zone": ("America/New_York", "sdk"),
    }


def test_an_address_adds_to_a_declared_city_what_it_knows() -> None:
    found = believed((fields_of({"ip": PUBLIC}, {}, London()), NOW), (declare(city="Leeds"), NOW))
    assert (found["city"], found["country"]) == (("Leeds", "declared"), ("GB", "ip"))


def test_the_view_tells_since_when() -> None:
    at = NOW + timedelta(microseconds=123456)
    seen = view(stamped(declare(language="pl"), at))
    assert seen == {"language": {"value": "pl", "source": "declared", "at": "2026-11-21T09:00:00.123000Z"}}


def test_a_view_leaves_out_what_a_later_release_keeps() -> None:
    assert view({"x": {"la": ["pl", 1]}, "d": {"zz": ["?", 1]}}) == {}
    assert merged({"x": {"la": ["pl", 1]}}, {"d": {"zz": ["?", 1]}}) == {}


# --- any JSON, in any order ------------------------------------------------------------------------------------------


NAMES = ["app", "campaign", "channel", "device", "ip", "library", "locale", "location", "os", "page", "screen",
         "timezone", "userAgent", "userAgentData", "name", "version", "type", "model", "url", "search", "brands",
         "brand", "platform", "platformVersion", "mobile", "city", "country", "address", "language", "time_zone",
         "width", "height", "density", "source"]  # fmt: skip
VALUES = ["android", "en-GB", "Poland", PUBLIC, IPHONE, "?utm_source=x", "Windows", "13.0", "a" * 5000, "😀" * 300]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=8),
    max_leaves=25,
)


@given(json_values, json_values)
def test_any_json_makes_a_small_flat_context(context: Any, traits: Any) -> None:
    fields = fields_of(context, traits, London())
    for told in fields.values():
        assert set(told) <= set(FIELD_CODES)
        for value in told.values():
            assert value is None or isinstance(value, str | dict)
            texts = list(value.values()) if isinstance(value, dict) else [value or ""]
            assert all(isinstance(text, str) for text in texts)
            assert sum(map(len, texts)) <= 256
    stored = stamped(fields, NOW)
    assert json.loads(json.dumps(stored)) == stored
    view(stored)


contexts = st.builds(
    stamped,
    st.builds(fields_of, json_values, json_values),
    st.sampled_from([later(minutes) for minutes in (0, 1, 2)]),
) | st.builds(
    lambda values, minutes: stamped({Source.SDK: values}, later(minutes)),
    st.dictionaries(st.sampled_from(sorted(FIELD_CODES)), st.sampled_from(["a", "b", None, {"type": "tv"}])),
    st.integers(0, 2),
)


@given(contexts, contexts, contexts)
def test_the_order_in_which_contexts_are_joined_does_not_matter(one: Any, two: Any, three: Any) -> None:
    results = [merged(merged(a, b), c) for a, b, c in permutations((one, two, three))]
    results += [merged(a, merged(b, c)) for a, b, c in permutations((one, two, three))]
    assert all(result == results[0] for result in results)


@given(contexts, contexts)
def test_joining_again_changes_nothing(one: Any, two: Any) -> None:
    both = merged(one, two)
    assert merged(one, one) == merged(one, {}) == merged({}, one)
    assert merged(both, one) == merged(both, two) == merged(both, both) == both


def test_a_browser_s_context_takes_less_than_half_a_kilobyte() -> None:
    body = json.loads(json.loads((EVENTS / "identify.api.json").read_text("utf-8"))["body"])
    fields = fields_of({**body["context"], "ip": PUBLIC, "campaign": SPRING}, body["traits"], London())
    assert len(json.dumps(stamped(fields, NOW), separators=(",", ":")).encode()) < 500
