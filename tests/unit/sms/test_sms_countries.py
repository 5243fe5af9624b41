"""The country of a number, and what text messages may do there."""

import pytest

from tidings.sms.countries import Names, all_rules, country_of, rule_of


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+48600100200", "PL"),
        ("+447400123456", "GB"),
        ("+12025550123", "US"),
        ("+14165550123", "CA"),  # shares +1
        ("+18095550123", "DO"),  # too
        ("+38344123456", "XK"),
        ("+883510012345", ""),  # of no country
        ("+999", ""),
        ("600100200", ""),
        ("", ""),
        ("hello", ""),
    ],
)
def test_the_country_of_a_number_is_what_its_digits_say(number: str, country: str) -> None:
    assert country_of(number) == country


@pytest.mark.parametrize(
    ("country", "names", "two_way"),
    [
        ("US", Names.NOT_SUPPORTED, True),
        ("BE", Names.NOT_SUPPORTED, True),
        ("AR", Names.NOT_SUPPORTED, False),
        ("TR", Names.REGISTRATION, False),
        ("IN", Names.REGISTRATION, True),
        ("PL", Names.FREE, True),
        ("AL", Names.FREE, False),
    ],
)
def test_a_rule_tells_what_a_country_makes_of_names_and_answers(country: str, names: Names, two_way: bool) -> None:
    rule = rule_of(country)
    assert (rule.sender_id, rule.two_way) == (names, two_way)
    assert rule.source.startswith("AWS")
    assert rule.date == "2023"
    assert not rule.own


def test_names_in_singapore_are_registered_and_the_rule_says_with_whom() -> None:
    rule = rule_of("SG")
    assert rule.sender_id is Names.REGISTRATION
    assert "SSIR" in rule.note


def test_a_country_that_nobody_tells_of_takes_neither_names_nor_answers() -> None:
    rule = rule_of("XX")
    assert (rule.sender_id, rule.two_way, rule.source) == (Names.NOT_SUPPORTED, False, "not in the table")


def test_the_owner_overrides_a_country_with_a_source_and_a_date() -> None:
    own = {"PL": {"sender_id": "registration", "source": "UKE", "date": "2026-11-01"}}
    rule = rule_of("PL", own)
    assert (rule.sender_id, rule.source, rule.date, rule.own) == (Names.REGISTRATION, "UKE", "2026-11-01", True)
    assert rule.two_way  # of which the owner says nothing
    assert not rule_of("DE", own).own


def test_the_owner_may_say_only_whether_people_can_answer() -> None:
    rule = rule_of("AL", {"AL": {"two_way": True, "source": "us", "date": "2026-11-01"}})
    assert (rule.sender_id, rule.two_way) == (Names.FREE, True)


def test_the_owner_may_tell_of_a_country_that_the_table_leaves_out() -> None:
    own = {"XX": {"sender_id": "free", "two_way": True, "source": "us", "date": "2026-11-01"}}
    assert rule_of("XX", own).sender_id is Names.FREE
    assert "XX" in {rule.country for rule in all_rules(own)}


def test_all_rules_are_by_country_each_with_source_and_date_and_the_countries_are_iso_ones() -> None:
    from tidings.contacts.countries import continent_of

    rules = all_rules()
    countries = [rule.country for rule in rules]
    assert countries == sorted(set(countries))
    assert len(countries) > 200
    assert all(continent_of(country) for country in countries)
    assert all(rule.source and rule.date for rule in rules)
    assert {rule.as_dict()["sender_id"] for rule in rules} == {"not_supported", "registration", "free"}
