"""What could hide a no, make one of nothing, or lose a yes: consents, their pages and imports, looked at again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_consents import ADA, PERSON, imported, logged, of_topic, row, say, topic
from tests.functional.test_merges import OLD, merge, person_and_device, undo
from tests.support.letters import HTML, ONE_CLICK, Letter, Reader, decided, send
from tests.support.world import World

NO, YES = "unsubscribed", "subscribed"


@pytest.fixture
def letter(world: World) -> Letter:
    world.template("news", text="News", html=HTML, kind="marketing")
    letter = send(world)
    topic(world, "tips", consent="opt_out")
    topic(world, "beta", consent="opt_in")
    for name in ("tips", "beta"):
        world.template(name, text="x", kind="marketing", topic=name)
    world.now += timedelta(minutes=2)
    return letter


@pytest.fixture
def reader(world: World) -> Reader:
    return Reader(world)


def events(world: World, name: str) -> list[dict[str, Any]]:
    return [item for item in world.items("TABLE_EVENTS") if item["name"]["S"] == name]


def test_a_yes_after_a_no_to_everything_counts_also_soon_after_an_earlier_yes(
    world: World, letter: Letter, reader: Reader
) -> None:
    for action, chosen in (("save", ("tips", "beta")), ("all", ()), ("save", ("tips", "beta"))):
        reader.press(letter.way_out, action, *chosen)
        world.now += timedelta(minutes=2)
    assert decided(world, "beta", "b-1") == ("accepted", "")


def test_a_second_no_to_everything_reaches_topics_that_are_gone_for_a_while(
    world: World, letter: Letter, reader: Reader
) -> None:
    reader.press(letter.way_out, "all")
    world.now += timedelta(minutes=2)
    reader.press(letter.way_out, "save", "beta")
    world.now += timedelta(minutes=2)
    topic(world, "beta", "DELETE")
    world.now += timedelta(minutes=2)
    reader.press(letter.way_out, "all")
    topic(world, "beta", consent="opt_in")
    world.now += timedelta(minutes=2)
    assert decided(world, "beta", "b-1") == ("skipped", "consent")


def test_a_mail_about_a_topic_that_is_gone_leads_out_of_everything(
    world: World, letter: Letter, reader: Reader
) -> None:
    tips = send(world, "tips", "t-1")
    topic(world, "tips", "DELETE")
    world.now += timedelta(minutes=2)
    assert "Stop all marketing mail?" in reader.get(tips.way_out).text
    assert reader.post(tips.way_out, ONE_CLICK).status_code == 200
    assert decided(world, "news", "n-1") == ("skipped", "consent")


def test_what_did_not_stand_on_the_page_is_not_refused_by_saving_it(
    world: World, letter: Letter, reader: Reader
) -> None:
    page = reader.get(letter.way_out).text
    assert page.count('name="shown"') == 3
    topic(world, "fairs", consent="opt_out")
    world.template("fairs", text="x", kind="marketing", topic="fairs")
    world.now += timedelta(minutes=2)
    body = b"shown=marketing&shown=tips&shown=beta&topic=marketing&action=save"
    assert reader.post(letter.way_out, body).status_code == 200
    assert decided(world, "tips", "t-1") == ("skipped", "consent")
    assert decided(world, "fairs", "f-1") == ("accepted", "")


def test_all_topics_that_a_workspace_may_have_are_saved_by_one_press(
    world: World, letter: Letter, reader: Reader
) -> None:
    names = [f"topic-{number}" for number in range(48)]
    for name in names:
        topic(world, name, consent="opt_in")
    world.now += timedelta(minutes=2)
    assert reader.press(letter.way_out, "save", *names, "beta").status_code == 200
    assert len(events(world, "Consent Given")) == 49
    assert len(events(world, "Consent Withdrawn")) == 2


def test_the_events_of_a_choice_name_the_mail_as_their_cause(world: World, letter: Letter, reader: Reader) -> None:
    reader.press(letter.way_out, "save", "beta")
    told = [*events(world, "Consent Given"), *events(world, "Consent Withdrawn")]
    assert len(told) == 3
    assert {item["caused_by"]["S"] for item in told} == {f"acme#message:{letter.id}"}
    assert all('"root":"call:k-' in item["body"]["S"] for item in told)


def test_parts_within_parts_of_a_posted_form_unsubscribe_and_break_nothing(
    world: World, letter: Letter, reader: Reader
) -> None:
    body = "".join(f"--b{n}\nContent-Type:multipart/x;boundary=b{n + 1}\n\n" for n in range(1200)).encode()
    answer = reader.post(letter.way_out, body, "multipart/form-data; boundary=b0")
    assert (answer.status_code, answer.text) == (200, "You are unsubscribed.\n")


def test_a_no_said_where_a_merge_had_carried_one_outlives_the_merge(world: World, reader: Reader) -> None:
    ada, device = person_and_device(world)
    world.template("news", text="News", html=HTML, kind="marketing")
    letter = send(world, to=ADA)
    say(world, "*", NO, OLD, **PERSON)
    record = merge(world, device, ada)
    world.now += timedelta(minutes=2)
    assert decided(world, "news", "n-1", ADA) == ("skipped", "consent")
    reader.press(letter.way_out, "all")
    undo(world, record)
    assert decided(world, "news", "n-2", ADA) == ("skipped", "consent")


# --- whose word holds ------------------------------------------------------------------------------------------------


@pytest.fixture
def ada(world: World) -> World:
    world.identify("ada", email=ADA, phone="+48600100200")
    topic(world, "tips", consent="opt_in")
    topic(world, "club", consent="double_opt_in", confirmation="confirm")
    world.now += timedelta(minutes=2)
    return world


def test_an_operators_no_to_everything_holds_for_what_came_after_the_persons_own(ada: World) -> None:
    say(ada, "*", NO, **PERSON)
    ada.now += timedelta(hours=1)
    say(ada, "tips", YES, **PERSON)
    ada.now += timedelta(hours=1)
    assert of_topic(ada, "tips")["marketing"]["passed"] is True
    assert say(ada, "*", NO, source="phone call")[1]["result"] == "set"
    assert of_topic(ada, "tips")["marketing"]["passed"] is False
    assert logged(ada)[0][0]["source"] == "phone call"
    ada.now += timedelta(minutes=30)
    assert say(ada, "*", NO, source="phone call")[1]["result"] == "unchanged"
    assert say(ada, "tips", YES)[1]["code"] == "own_no"


def test_an_unconfirmed_yes_of_the_person_leaves_them_asked_to_confirm(ada: World) -> None:
    ada.template("confirm", text="Confirm: {{ confirm_url }}", kind="transactional")
    body = {"email": ADA, "topic": "club", "wording": "Join"}
    assert ada.call("subscriptions", "POST /v1/subscriptions", body, "publishable")[0] == 202
    ada.now += timedelta(minutes=1)
    say(ada, "club", YES, **PERSON)
    assert of_topic(ada, "club")["said"]["asked_at"] is not None


def test_a_check_of_a_contact_asks_about_its_phone_where_the_channel_is_sms(ada: World) -> None:
    path = {"channel": "sms", "address": "+48600100200"}
    ada.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)
    status, answer = ada.call("check_suppression", "POST /v1/suppressions/check", {"channel": "sms", "user_id": "ada"})
    assert (status, answer.get("suppressed")) == (200, True)


# --- imports ---------------------------------------------------------------------------------------------------------


def test_two_yeses_of_one_topic_at_two_times_are_imported_together(ada: World) -> None:
    rows = [row(at="2024-01-01"), row(at="2025-01-01")]
    assert imported(ada, *rows) == ["set", "set"]
    assert of_topic(ada, "tips")["said"]["proof"]["at"].startswith("2025")


def test_all_rows_of_a_file_may_be_about_one_address(ada: World) -> None:
    rows = [row(reply=(YES, NO)[n % 2], at=f"20{n // 12:02}-{n % 12 + 1:02}-01") for n in range(240)]
    assert imported(ada, *rows) == ["set"] * 240
    assert of_topic(ada, "tips")["said"]["reply"] == NO
    assert imported(ada, *rows) == ["unchanged"] * 240
    assert imported(ada, *rows[-1:], row(address="bob@people.example")) == ["unchanged", "set"]


# --- asking to confirm -----------------------------------------------------------------------------------------------


def test_whoever_types_somebodys_address_for_every_topic_brings_them_five_mails_a_day(ada: World) -> None:
    ada.template("confirm", text="Confirm: {{ confirm_url }}", kind="transactional")
    names = [f"topic-{number}" for number in range(8)]
    for name in names:
        topic(ada, name, consent="double_opt_in", confirmation="confirm")

    def wish() -> None:
        for name in names:
            body = {"email": ADA, "topic": name, "wording": "Join"}
            answer = ada.call("subscriptions", "POST /v1/subscriptions", body, "secret")
            assert answer == (202, {"state": "pending"})

    wish()
    wish()
    assert len(ada.ses.accepted) == 5
    ada.now += timedelta(hours=25)
    wish()
    assert len(ada.ses.accepted) == 10
