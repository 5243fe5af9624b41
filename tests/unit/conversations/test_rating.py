"""How many stars a contact has: the row of the product, its edges, and what is kept beside the contact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.contacts.model import Contact, Identity, IdentityKind, Trait
from tidings.conversations.rating import MARKS, WAITING, Entry, Kept, What, has_invalid_phone, rating_of

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
OF = {"sent": What.SENT, "received": What.RECEIVED, "replied": What.REPLIED}
DAY = 24 * 60.0


def entry(what: str, minutes: float, number: int = 0) -> Entry:
    """A message so many minutes after nine in the morning."""
    return Entry.of(START + timedelta(minutes=minutes), OF[what], f"{what}-{minutes}-{number}")


def answered(*waits: float) -> list[Entry]:
    """A message every three days, at nine, each answered after so many minutes."""
    days = {3 * DAY * number: wait for number, wait in enumerate(waits)}
    return [e for day, wait in days.items() for e in (entry("received", day), entry("replied", day + wait))]


def stars(*entries: Entry, zone: str = "UTC", invalid_phone: bool = False) -> int:
    return rating_of(entries, zone, invalid_phone).stars


# --- the row ----------------------------------------------------------------------------------------------------------

ROW = [
    ("nothing sent or received", [], 0),
    ("sent, none received", [entry("sent", 0)], 1),
    ("an agent wrote first, none received", [entry("replied", 0)], 1),
    ("received", [entry("received", 0)], 2),
    ("sent and received", [entry("sent", 0), entry("received", 5)], 2),
    ("answered on another day", answered(2 * DAY), 2),
    ("answered on the same day", answered(14 * 60), 3),
    ("once on the same day is enough", answered(2 * DAY, 2 * DAY, 10 * 60), 3),
    ("nine of ten within two hours", answered(*[119] * 9, 2 * DAY), 4),
    ("eight of nine within two hours", answered(*[119] * 8, 2 * DAY), 3),
    ("nine of ten within half an hour", answered(*[29] * 9, 2 * DAY), 5),
    ("eight of nine within half an hour, all within two hours", answered(*[29] * 8, 100), 4),
]


@pytest.mark.parametrize(("entries", "expected"), [of[1:] for of in ROW], ids=[of[0] for of in ROW])
def test_stars_are_those_of_the_row(entries: list[Entry], expected: int) -> None:
    assert stars(*entries) == expected


@pytest.mark.parametrize("entries", [of[1] for of in ROW], ids=[of[0] for of in ROW])
def test_an_invalid_phone_number_is_no_star_whatever_was_answered(entries: list[Entry]) -> None:
    rating = rating_of(entries, invalid_phone=True)
    assert (rating.stars, rating.why, rating.next) == (0, "the phone number is not valid", "a valid phone number")


# --- its edges --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "expected"), [(0, 5), (30, 5), (30.001, 4), (120, 4), (120.001, 3)])
def test_both_bounds_are_within(minutes: float, expected: int) -> None:
    assert stars(*answered(minutes)) == expected


@pytest.mark.parametrize(
    ("quick", "of", "expected"), [(1, 1, 5), (1, 2, 3), (8, 9, 3), (9, 10, 5), (17, 19, 3), (18, 20, 5)]
)
def test_ninety_percent_is_exact_however_few_there_are(quick: int, of: int, expected: int) -> None:
    assert stars(*answered(*[5] * quick, *[2 * DAY] * (of - quick))) == expected


def test_every_message_that_a_reply_answers_waited_for_it() -> None:
    messages = [entry("received", 0), entry("received", 10), entry("replied", 35)]
    assert rating_of(messages).why == "2 of 2 replies within 2 hours"
    assert stars(*messages) == 4  # the first waited for 35 minutes


def test_a_second_reply_answers_nothing() -> None:
    assert rating_of([*answered(5), entry("replied", 2 * DAY)]).why == "1 of 1 reply within 30 minutes"


def test_what_an_automation_sends_is_no_reply() -> None:
    assert stars(entry("received", 0), entry("sent", 5)) == 2


def test_a_message_that_was_never_answered_is_no_interaction() -> None:
    assert rating_of([*answered(5), entry("received", DAY)]).why == "1 of 1 reply within 30 minutes"


@pytest.mark.parametrize(("zone", "expected"), [("UTC", 3), ("Europe/Warsaw", 3), ("Pacific/Auckland", 2)])
def test_a_day_is_one_of_the_workspace_s_time_zone(zone: str, expected: int) -> None:
    morning, noon = 0, 3 * 60  # 9:00 and 12:00 in UTC; 22:00 and 1:00 of the next day in Auckland
    assert stars(entry("received", morning), entry("replied", noon), zone=zone) == expected


def test_who_is_answered_soon_needs_no_same_day() -> None:
    late = 14 * 60 + 50  # 23:50
    assert stars(entry("received", late), entry("replied", late + 20)) == 5
    assert stars(entry("received", late), entry("replied", late + 100)) == 4


def test_the_latest_of_several_messages_tells_whether_it_was_the_same_day() -> None:
    assert stars(entry("received", 0), entry("received", 2 * DAY), entry("replied", 2 * DAY + 5 * 60)) == 3


def test_whoever_floods_is_not_waiting() -> None:
    flood = [entry("received", number / 60, number) for number in range(WAITING + 50)]
    assert rating_of([*flood, entry("replied", 200)]).why.endswith(f"0 of {WAITING} replies within 2 hours")


# --- the explanation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "why", "wanted"),
    [
        ([], "no message was sent or received", "a message sent or received"),
        ([entry("sent", 0)], "messages were sent, and none was received", "a message received"),
        (
            [entry("received", 0)],
            "messages were received, and none was answered",
            "a reply on the day of the message",
        ),
        (
            answered(2 * DAY),
            "messages were received, and none was answered on the same day",
            "a reply on the day of the message",
        ),
        (
            answered(600, 5),
            "a reply on the same day, and 1 of 2 replies within 2 hours",
            "the next 8 replies within 2 hours",
        ),
        (answered(60), "1 of 1 reply within 2 hours", "the next 9 replies within 30 minutes"),
        (answered(*[5] * 18, 60, 60), "18 of 20 replies within 30 minutes", ""),
        (answered(*[5] * 8, 60), "9 of 9 replies within 2 hours", "the next reply within 30 minutes"),
    ],
)
def test_a_rating_explains_itself(entries: list[Entry], why: str, wanted: str) -> None:
    rating = rating_of(entries)
    assert (rating.why, rating.next) == (why, wanted)


WAITS = st.lists(st.integers(0, 400), min_size=1, max_size=30)


@given(WAITS)
def test_what_it_wants_for_the_next_star_gives_it(waits: list[int]) -> None:
    before = rating_of(answered(*waits))
    if before.stars == 5 or not before.next.startswith("the next"):
        return
    more = 1 if before.next.startswith("the next reply") else int(before.next.split()[2])
    within = 120 if before.next.endswith("2 hours") else 30
    assert rating_of(answered(*waits, *[within] * more)).stars > before.stars
    if more > 1:
        assert rating_of(answered(*waits, *[within] * (more - 1))).stars == before.stars


# --- invariants -------------------------------------------------------------------------------------------------------

ENTRIES = st.lists(st.builds(entry, st.sampled_from(sorted(OF)), st.integers(0, 3000), st.integers(0, 3)), max_size=60)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_order_in_which_messages_are_given_does_not_matter_nor_how_often(entries: list[Entry], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [*entries, *entries]
    random.shuffle(shuffled)
    assert rating_of(shuffled) == rating_of(entries)


@given(WAITS, st.data())
def test_a_faster_reply_never_lowers_it(waits: list[int], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(waits) - 1))
    faster = [*waits[:number], data.draw(st.integers(0, waits[number])), *waits[number + 1 :]]
    assert stars(*answered(*faster)) >= stars(*answered(*waits))


@given(ENTRIES, st.data())
def test_a_reply_that_passes_no_other_message_never_lowers_it_by_coming_sooner(
    entries: list[Entry], data: st.DataObject
) -> None:
    ordered = sorted(set(entries))
    replies = [place for place, one in enumerate(ordered) if one.what is What.REPLIED and place]
    if not replies:
        return
    place = data.draw(st.sampled_from(replies))
    sooner = Entry(data.draw(st.integers(ordered[place - 1].at, ordered[place].at)), What.REPLIED, "sooner")
    if sooner < ordered[place - 1]:
        return
    assert stars(*ordered[:place], sooner, *ordered[place + 1 :]) >= stars(*ordered)


@given(ENTRIES, ENTRIES)
def test_more_messages_sent_by_automations_never_change_it_once_somebody_answered(
    entries: list[Entry], others: list[Entry]
) -> None:
    sent = [one for one in others if one.what is What.SENT]
    if any(one.what is What.RECEIVED for one in entries):
        assert rating_of([*entries, *sent]) == rating_of(entries)


# --- what is kept -----------------------------------------------------------------------------------------------------


def told(entries: list[Entry]) -> Kept:
    """What is kept after messages were told one at a time; all that came so far are counted again where it asks."""
    kept, seen = Kept(), []
    for one in entries:
        seen.append(one)
        kept = Kept.of(kept.as_dict()).told(one) or Kept.over(seen, kept.zone)
    return kept


@given(ENTRIES, st.randoms(use_true_random=False))
def test_what_is_kept_comes_to_the_rule_in_whatever_order_and_however_often_messages_are_told(
    entries: list[Entry], random
) -> None:  # type: ignore[no-untyped-def]
    shuffled = [*entries, *entries[: len(entries) // 2]]
    random.shuffle(shuffled)
    kept = told(shuffled)
    assert kept.rating(invalid_phone=False) == rating_of(entries)
    assert kept == Kept.over(entries, kept.zone)
    assert len(kept.marks) <= MARKS


@given(ENTRIES, ENTRIES)
def test_the_messages_of_two_contacts_that_became_one_are_rated_together(
    mine: list[Entry], theirs: list[Entry]
) -> None:
    union = Kept.over([*mine, *theirs], "UTC")
    assert union.rating(invalid_phone=False) == rating_of([*theirs, *mine])


def test_messages_in_their_order_are_never_counted_again() -> None:
    kept: Kept | None = Kept()
    for one in sorted(answered(*[5] * 100)):
        kept = kept and kept.told(one)
    assert kept is not None
    assert len(str(kept.as_dict())) < 1200


def test_a_message_older_than_what_is_kept_as_it_is_has_all_counted_again() -> None:
    kept = told(answered(*[5] * 20))
    assert kept.told(entry("received", 1)) is None
    assert kept.told(answered(*[5] * 20)[-1]) == kept


# --- the phone number -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "led_by", "expected"),
    [
        (None, (), False),
        ("", (), False),
        (" ", (), False),
        ("+48600100200", ("+48600100200",), False),
        ("12", (), True),
        ("12", ("+48600100200",), True),
        (600100200, (), True),
    ],
)
def test_a_number_that_leads_to_nobody_is_invalid(phone: object, led_by: tuple[str, ...], expected: bool) -> None:
    traits = {"phone": Trait(phone, START, "m")}
    identities = frozenset(Identity(IdentityKind.PHONE, number) for number in led_by)
    assert has_invalid_phone(Contact("acme", "c1", START, traits=traits, identities=identities)) is expected
