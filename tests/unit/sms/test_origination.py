"""What a text message leaves from."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.consent.model import Kind
from tidings.core.clock import from_text
from tidings.sms.model import Number, Setup
from tidings.sms.origination import Choice, choose, is_known, receives, ways

MARKETING, TRANSACTIONAL = Kind.MARKETING, Kind.TRANSACTIONAL
POLISH = Number("+48732000001", "PL", two_way=True)
POLISH_ONE_WAY = Number("+48732000002", "PL")
BRITISH = Number("+447700900001", "GB", two_way=True)
ACME = {"ACME": {"PL": "active", "DE": "registering", "US": "active"}}


def setup(*numbers: Number, **more: object) -> Setup:
    return Setup(numbers={number.number: number for number in numbers}, **more)  # type: ignore[arg-type]


def name_of(choice: Choice) -> str:
    return choice.origin.name if choice.origin else ""


def test_a_sender_id_that_is_asked_for_is_taken_where_it_is_active() -> None:
    choice = choose(setup(sender_ids=ACME), "PL", MARKETING, "ACME")
    assert (name_of(choice), choice.code, choice.found) == ("ACME", "asked", "asked for")
    assert not choice.origin.receives  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("country", "asked", "two_way", "code"),
    [
        ("DE", "ACME", False, "sender_not_active"),  # still registering
        ("FR", "ACME", False, "sender_not_active"),  # never wanted there
        ("US", "ACME", False, "country_without_names"),  # whatever the state says
        ("PL", "ACME", True, "sender_cannot_receive"),
        ("PL", "OTHER", False, "unknown_sender"),
        ("PL", "+48999999999", False, "unknown_sender"),
        ("PL", "pool:none", False, "unknown_sender"),
        ("PL", POLISH_ONE_WAY.number, True, "sender_cannot_receive"),
        ("", "ACME", False, "unknown_country"),
    ],
)
def test_what_is_asked_for_and_cannot_be_is_refused_with_the_reason(
    country: str, asked: str, two_way: bool, code: str
) -> None:
    choice = choose(setup(POLISH_ONE_WAY, sender_ids=ACME), country, MARKETING, asked, two_way)
    assert choice.origin is None
    assert choice.code == code
    assert choice.found


def test_a_refusal_names_what_would_work_instead() -> None:
    both = {**ACME, "BETA": {"DE": "active"}}
    choice = choose(setup(POLISH, sender_ids=both), "DE", MARKETING, "ACME")
    assert choice.alternatives == ("BETA", POLISH.number)
    assert choice.found == "ACME, asked for: it is registering in DE"


def test_who_asks_a_name_for_answers_is_told_the_numbers_that_receive_them() -> None:
    choice = choose(setup(POLISH_ONE_WAY, BRITISH, POLISH, sender_ids=ACME), "PL", MARKETING, "ACME", two_way=True)
    assert choice.alternatives == (POLISH.number, BRITISH.number)
    assert "only a phone number" in choice.found


def test_the_owner_may_say_that_a_country_takes_names_after_all() -> None:
    own = {"US": {"sender_id": "free", "source": "us", "date": "2026-11-01"}}
    assert name_of(choose(setup(sender_ids=ACME, countries=own), "US", MARKETING, "ACME")) == "ACME"


def test_a_number_is_taken_for_the_kinds_that_it_takes_only() -> None:
    number = replace(POLISH, kinds=(TRANSACTIONAL,))
    assert name_of(choose(setup(number), "PL", TRANSACTIONAL, number.number)) == number.number
    refused = choose(setup(number, sender_ids=ACME), "PL", MARKETING, number.number)
    assert (refused.code, refused.alternatives) == ("sender_takes_other_kinds", ("ACME",))


def test_a_pool_works_if_all_its_numbers_do() -> None:
    first, second = replace(POLISH, pool="p1"), replace(POLISH_ONE_WAY, pool="p1")
    has = setup(first, second)
    assert name_of(choose(has, "PL", MARKETING, "pool:p1")) == "pool:p1"
    assert choose(has, "PL", MARKETING, "pool:p1", two_way=True).code == "sender_cannot_receive"
    all_receive = choose(setup(first, replace(second, two_way=True)), "PL", MARKETING, "pool:p1", two_way=True)
    assert all_receive.origin is not None
    assert (all_receive.origin.identity, all_receive.origin.receives) == ("p1", True)


@pytest.mark.parametrize(
    ("plan", "country", "kind", "expected", "code"),
    [
        ({"PL": {"marketing": "ACME", "*": "+48732000001"}}, "PL", MARKETING, "ACME", "planned"),
        ({"PL": {"marketing": "ACME", "*": "+48732000001"}}, "PL", TRANSACTIONAL, "+48732000001", "planned"),
        ({"PL": {"*": "ACME"}, "*": {"*": "+48732000001"}}, "PL", MARKETING, "ACME", "planned"),
        ({"PL": {"*": "ACME"}, "*": {"*": "+48732000001"}}, "DE", MARKETING, "+48732000001", "planned_anywhere"),
        ({"PL": {"marketing": "ACME"}, "*": {"*": "+48732000001"}}, "PL", TRANSACTIONAL, "+48732000001",
         "planned_anywhere"),
        ({"*": {"transactional": "+48732000001"}}, "PL", MARKETING, "ACME", "first"),
    ],
)  # fmt: skip
def test_the_plan_says_by_country_before_any_and_by_kind_before_all(
    plan: dict[str, dict[str, str]], country: str, kind: Kind, expected: str, code: str
) -> None:
    choice = choose(setup(POLISH, sender_ids=ACME, plan=plan), country, kind)
    assert (name_of(choice), choice.code) == (expected, code)


def test_what_is_asked_for_goes_before_the_plan() -> None:
    has = setup(POLISH, sender_ids=ACME, plan={"PL": {"*": "ACME"}})
    assert name_of(choose(has, "PL", MARKETING, POLISH.number)) == POLISH.number


def test_a_plan_that_cannot_be_kept_is_not_guessed_around() -> None:
    choice = choose(setup(POLISH, sender_ids=ACME, plan={"*": {"*": "ACME"}}), "DE", MARKETING)
    assert (choice.origin, choice.code, choice.alternatives) == (None, "sender_not_active", (POLISH.number,))
    assert "planned for any country" in choice.found


def test_an_order_that_wants_answers_passes_over_names_in_the_plan_but_not_numbers() -> None:
    has = setup(POLISH, POLISH_ONE_WAY, sender_ids=ACME, plan={"PL": {"*": "ACME"}, "*": {"*": POLISH.number}})
    assert name_of(choose(has, "PL", MARKETING, two_way=True)) == POLISH.number
    planned = replace(has, plan={"PL": {"*": POLISH_ONE_WAY.number}})
    assert choose(planned, "PL", MARKETING, two_way=True).code == "sender_cannot_receive"


def test_without_a_plan_names_come_first_then_numbers_of_the_country_then_pools_then_others() -> None:
    pooled = replace(POLISH, number="+48732000003", pool="p1")
    away = replace(BRITISH, number="+447700900002", pool="p2")
    names = {"BETA": {"PL": "active"}, "ACME": {"PL": "active"}}
    has = setup(BRITISH, away, pooled, POLISH, sender_ids=names)
    expected = (
        "ACME",
        "BETA",
        POLISH.number,
        pooled.number,
        "pool:p1",
        BRITISH.number,
        away.number,
        "pool:p2",
    )
    assert ways(has, "PL", MARKETING) == expected
    choice = choose(has, "PL", MARKETING)
    assert (name_of(choice), choice.alternatives, choice.code) == ("ACME", expected[1:], "first")


def test_with_nothing_that_works_there_is_no_sender() -> None:
    assert choose(setup(), "PL", MARKETING).code == "no_sender"
    answers = choose(setup(POLISH_ONE_WAY, sender_ids=ACME), "PL", MARKETING, two_way=True)
    assert (answers.origin, answers.code) == (None, "no_sender")
    assert "receives answers" in answers.found


def test_a_setup_is_read_from_what_the_workspace_keeps() -> None:
    kept = {"sender_ids": ACME, "numbers": {POLISH.number: {"country": "PL", "two_way": True, "kinds": ["marketing"]}}}
    workspace = Workspace("acme", "Acme", from_text("2026-11-22T00:00:00Z"), sms=kept)
    has = Setup.of(workspace)
    assert is_known(has, "ACME")
    assert is_known(has, POLISH.number)
    assert not is_known(has, "pool:")
    assert receives(has, POLISH.number)
    assert not receives(has, "ACME")


_numbers = st.builds(
    Number,
    number=st.sampled_from(["+48732000001", "+48732000002", "+447700900001"]),
    country=st.sampled_from(["PL", "GB"]),
    kinds=st.sampled_from([(MARKETING,), (TRANSACTIONAL,), tuple(Kind)]),
    two_way=st.booleans(),
    pool=st.sampled_from(["", "p1", "p2"]),
)
_senders = st.sampled_from(["ACME", "BETA", "+48732000001", "+447700900001", "pool:p1", "pool:", "nobody"])
_states = st.dictionaries(st.sampled_from(["PL", "US"]), st.sampled_from(["active", "registering", "retired"]))
_setups = st.builds(
    lambda numbers, names, plan: Setup(numbers={n.number: n for n in numbers}, sender_ids=names, plan=plan),
    st.lists(_numbers, max_size=3),
    st.dictionaries(st.sampled_from(["ACME", "BETA"]), _states),
    st.dictionaries(
        st.sampled_from(["PL", "*"]), st.dictionaries(st.sampled_from(["marketing", "*"]), _senders, max_size=2)
    ),
)


@given(_setups, st.sampled_from(["PL", "US", "GB"]), st.sampled_from(list(Kind)), st.just("") | _senders, st.booleans())
def test_whatever_is_chosen_or_offered_works(has: Setup, country: str, kind: Kind, asked: str, two_way: bool) -> None:
    choice = choose(has, country, kind, asked, two_way)
    offered = (*((choice.origin.name,) if choice.origin else ()), *choice.alternatives)
    assert len(set(offered)) == len(offered)
    for name in offered:
        assert choose(has, country, kind, name, two_way).origin is not None
        if two_way:
            assert receives(has, name)
        if name in has.sender_ids:
            assert has.sender_ids[name][country] == "active"
            assert not two_way
    if asked and choice.origin:
        assert choice.origin.name == asked
    if choice.code in ("first", "no_sender"):
        assert (choice.origin is not None) == bool(ways(has, country, kind, two_way))
