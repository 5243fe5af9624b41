"""Automations that a date of the contact starts: in their zone, on the minute, once for each occasion, unpolled."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.world import WORKSPACE, World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.dates.arming_job import ROUNDS
from tidings.contacts.index import parts

DAY = timedelta(days=1)
BIRTHDAY = {"trait": "birthday", "every": "year", "at": "09:00"}


def automation(name: str = "birthday", date: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An automation that a date starts, and that ends at once."""
    components = {"mail": {"type": "send_email", "template": "birthday"}}
    trigger = {"date": date or BIRTHDAY, **more}
    return {"automation": name, "trigger": trigger, "start": "mail", "components": components}


@pytest.fixture
def shop(world: World) -> World:
    """A workspace whose automation congratulates on birthdays."""
    world.template("birthday")
    publish(world)
    return world


def publish(world: World, *args: Any, **more: Any) -> None:
    """Publish, and let everybody's dates be written down."""
    world.automation(automation(*args, **more))
    world.work_jobs()


def person(world: World, user: str = "ada", zone: str = "", **traits: Any) -> None:
    """Somebody with an address, in a zone."""
    more = {"timezone": zone} if zone else {}
    world.identify(user, email=f"{user}@people.example", **more, **traits)


def told(world: World, user: str = "ada") -> list[datetime]:
    """When somebody was told of a date, earliest first."""
    contact = world.contact(user_id=user)["contact"]
    events = world.of_contact(contact, "events")
    return sorted(datetime.fromisoformat(event["received_at"]) for event in events if event["event"] == "Date Reached")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- when it comes ----------------------------------------------------------------------------------------------------


def test_a_birthday_is_told_on_the_minute_in_the_person_s_own_zone_every_year(shop: World) -> None:
    person(shop, "ada", "Europe/Warsaw", birthday="1990-12-01")
    person(shop, "bo", "America/New_York", birthday="1985-12-01")
    shop.run(800 * DAY)
    assert told(shop, "ada") == [at("2026-12-01 08:00"), at("2027-12-01 08:00"), at("2028-12-01 08:00")]
    assert told(shop, "bo") == [at("2026-12-01 14:00"), at("2027-12-01 14:00"), at("2028-12-01 14:00")]
    assert len(shop.ses.accepted) == 6


def test_who_has_no_zone_is_told_in_that_of_the_workspace(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    shop.run(30 * DAY)
    assert told(shop) == [at("2026-12-01 09:00")]


def test_nothing_runs_while_nobody_s_date_comes(shop: World) -> None:
    person(shop, "ada", birthday="1990-12-01")
    person(shop, "bo", birthday="1985-12-01")
    (execution,) = [one for arn, one in shop.executions.items() if ":agenda:" in arn]
    assert execution.wait() == at("2026-12-01 09:00")
    shop.recorder.clear()
    shop.run(9 * DAY)
    assert shop.recorder.names() == [], "nothing is polled"


def test_those_who_were_known_before_it_was_published_are_told(world: World) -> None:
    world.template("birthday")
    for number in range(12):
        person(world, f"u{number}", birthday="1990-12-01")
    publish(world)
    world.run(30 * DAY)
    assert all(told(world, f"u{number}") == [at("2026-12-01 09:00")] for number in range(12))


def test_a_message_that_ran_out_of_time_leaves_the_next_page_to_another_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.automations.dates.arming_job.SECONDS", 0)
    world.template("birthday")
    for number in range(12):
        person(world, f"u{number}", birthday="1990-12-01")
    world.automation(automation())
    places = []
    while bodies := world.messages_in("jobs"):
        (body,) = bodies
        places.append(body["place"])
        world.invoke("run_jobs", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
    assert len(places) == ROUNDS * len(parts())
    world.run(30 * DAY)
    assert all(told(world, f"u{number}") == [at("2026-12-01 09:00")] for number in range(12))


def test_a_date_that_comes_once_comes_once(world: World) -> None:
    world.template("birthday")
    publish(world, date={"trait": "renews_on", "at": "10:30", "offset": "-3 days"})
    person(world, zone="Europe/Warsaw", renews_on="2026-12-10")
    world.run(400 * DAY)
    assert told(world) == [at("2026-12-07 09:30")]


def test_a_date_that_is_moved_comes_when_it_is_then_and_again_when_it_is_renewed(world: World) -> None:
    world.template("birthday")
    publish(world, date={"trait": "renews_on", "at": "09:00"})
    person(world, renews_on="2026-12-10")
    world.run(2 * DAY)
    person(world, renews_on="2026-12-20")
    world.run(20 * DAY)
    assert told(world) == []
    world.run(20 * DAY)
    assert told(world) == [at("2026-12-20 09:00")]
    person(world, renews_on="2027-12-20")
    world.run(400 * DAY)
    assert told(world) == [at("2026-12-20 09:00"), at("2027-12-20 09:00")]


@pytest.mark.parametrize("date", ["2026-11-20", "2026-11-21", "not a date", 19900101, None, ["2026-12-01"]])
def test_a_date_in_the_past_that_comes_once_and_what_is_no_date_never_come(world: World, date: Any) -> None:
    world.template("birthday")
    publish(world, date={"trait": "renews_on", "at": "08:00"})
    person(world, renews_on=date)
    world.run(400 * DAY)
    assert told(world) == []


def test_a_birthday_on_29_february_is_told_on_28_february_in_other_years(shop: World) -> None:
    person(shop, birthday="2000-02-29")
    shop.run(900 * DAY)
    assert told(shop) == [at("2027-02-28 09:00"), at("2028-02-29 09:00"), at("2029-02-28 09:00")]


def test_whoever_is_published_before_the_time_of_the_day_is_told_that_day(world: World) -> None:
    world.template("birthday")
    person(world, "ada", birthday="1990-11-21")
    world.now = at("2026-11-21 08:58:30")
    publish(world)
    world.run(timedelta(hours=3))
    (told_at,) = told(world)
    assert at("2026-11-21 09:00") <= told_at <= at("2026-11-21 09:05"), "late by what it takes to be sure"


def test_whoever_is_published_after_the_time_of_the_day_is_told_next_year(world: World) -> None:
    world.template("birthday")
    person(world, "ada", birthday="1990-11-21")
    world.now = at("2026-11-21 09:00:30")
    publish(world)
    world.run(400 * DAY)
    assert told(world) == [at("2027-11-21 09:00")]


def test_the_trigger_s_condition_and_reentry_hold_as_for_any_event(world: World) -> None:
    world.template("birthday")
    publish(world, where={"trait": "plan", "is": "team"})
    person(world, "ada", birthday="1990-12-01", plan="team")
    person(world, "bo", birthday="1990-12-01", plan="solo")
    world.run(30 * DAY)
    assert told(world, "ada") == told(world, "bo") == [at("2026-12-01 09:00")]
    assert [mail["Destination"]["ToAddresses"] for mail in world.ses.accepted] == [["ada@people.example"]]


def test_the_event_says_which_date_of_which_trait_came_for_which_automation(shop: World) -> None:
    person(shop, zone="Europe/Warsaw", birthday="1990-12-01T00:00:00.000Z")
    shop.run(30 * DAY)
    events = shop.of_contact(shop.contact(user_id="ada")["contact"], "events")
    (event,) = [one for one in events if one["event"] == "Date Reached"]
    assert event["properties"] == {"automation": "birthday", "trait": "birthday", "date": "2026-12-01"}
    assert event["timestamp"] == "2026-12-01T08:00:00.000000Z"


# --- who it is and where they are -------------------------------------------------------------------------------------


def agenda_of(world: World, contact: str = "") -> list[dict[str, Any]]:
    """The entries of the agenda, of one contact or all."""
    items = world.items("TABLE_ENROLMENTS")
    return [item for item in items if "#agenda" in item["pk"]["S"] + item["sk"]["S"] and contact in str(item)]


def test_whoever_moves_west_is_told_when_it_is_time_there_and_once(shop: World) -> None:
    person(shop, zone="Europe/Warsaw", birthday="1990-12-01")
    shop.run(8 * DAY)
    person(shop, zone="America/New_York")
    shop.run(30 * DAY)
    assert told(shop) == [at("2026-12-01 14:00")]


@pytest.mark.parametrize("hours_before", [1, 10, 20])
def test_whoever_moves_east_past_the_time_is_told_late_and_not_missed(shop: World, hours_before: int) -> None:
    """In Los Angeles it is still ahead, in Auckland it was up to 21 hours ago."""
    person(shop, zone="America/Los_Angeles", birthday="1990-12-01")
    moved = at("2026-12-01 17:00") - timedelta(hours=hours_before)
    shop.run(moved - shop.now)
    person(shop, zone="Pacific/Auckland")
    shop.run(60 * DAY)
    (once,) = told(shop)
    assert moved <= once <= moved + timedelta(minutes=4)


def test_whoever_was_told_and_moves_west_over_the_date_line_is_not_told_again(shop: World) -> None:
    person(shop, zone="Pacific/Auckland", birthday="1990-12-01")
    shop.run(at("2026-11-30 21:00") - shop.now)
    person(shop, zone="America/Los_Angeles")
    shop.run(60 * DAY)
    assert told(shop) == [at("2026-11-30 20:00")]


def test_a_zone_that_only_a_page_view_tells_counts(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    shop.ingest("page", {"userId": "ada", "messageId": "m-tz", "context": {"timezone": "America/New_York"}})
    shop.pump()
    shop.run(30 * DAY)
    assert told(shop) == [at("2026-12-01 14:00")]


def test_a_workspace_that_moves_tells_everybody_within_a_day_and_once(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    workspaces = DynamoWorkspaceStore(shop.database)
    found = workspaces.get(WORKSPACE)
    assert found is not None
    workspaces.change_settings(WORKSPACE, {**found.settings, "time_zone": "Asia/Tokyo"})
    shop.run(400 * DAY)
    assert told(shop) == [at("2026-12-01 09:00"), at("2027-12-01 00:00")]


def test_an_edit_by_api_moves_a_date(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    contact = shop.contact(user_id="ada")["contact"]
    body = {"traits": {"birthday": "1990-12-05"}}
    status, _ = shop.call("change_contacts", "PATCH /v1/contacts/{contact}", body, path={"contact": contact})
    assert status == 200
    shop.pump()
    shop.run(30 * DAY)
    assert told(shop) == [at("2026-12-05 09:00")]


def test_a_date_that_is_taken_away_comes_no_more(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    person(shop, birthday=None)
    shop.run(400 * DAY)
    assert told(shop) == []


def test_a_date_inside_an_object_is_found_by_its_path(world: World) -> None:
    world.template("birthday")
    publish(world, date={"trait": "plan.renews_on", "at": "09:00"})
    person(world, plan={"name": "team", "renews_on": "2026-12-01"})
    person(world, plan={"name": "team", "renews_on": "2026-12-03"})
    world.run(30 * DAY)
    assert told(world) == [at("2026-12-03 09:00")]


def known_by_device(world: World, device: str, **traits: Any) -> None:
    """Somebody of whom only the device is known."""
    body = {"anonymousId": device, "traits": traits, "messageId": world.fresh()}
    assert world.ingest("identify", body)[0] == 200
    world.pump()


def test_two_who_become_one_are_told_on_the_birthday_that_stays_and_once_a_year(shop: World) -> None:
    known_by_device(shop, "device", birthday="1990-12-01")
    person(shop, birthday="1990-12-10")
    shop.run(10 * DAY)  # the device's own was told on the 1st
    shop.ingest("identify", {"userId": "ada", "anonymousId": "device", "messageId": shop.fresh()})
    shop.pump()
    shop.run(45 * DAY)
    assert len(told(shop)) == 1, "the same person is told once a year"
    shop.run(365 * DAY)
    assert len(told(shop)) == 2


def test_what_became_part_of_another_is_told_as_that_one(shop: World) -> None:
    known_by_device(shop, "device", birthday="1990-12-01", email="ada@people.example")
    person(shop)
    shop.ingest("identify", {"userId": "ada", "anonymousId": "device", "messageId": shop.fresh()})
    shop.pump()
    shop.run(30 * DAY)
    assert told(shop) == [at("2026-12-01 09:00")]
    assert len(shop.ses.accepted) == 1


def test_of_whoever_is_erased_nothing_stays_in_the_agenda_and_nothing_is_told(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    person(shop, "bo", birthday="1990-12-02")
    contact = shop.contact(user_id="ada")["contact"]
    assert len(agenda_of(shop, contact)) == 2
    shop.erase(contact)
    assert agenda_of(shop, contact) == []
    assert len(agenda_of(shop)) == 2
    shop.run(30 * DAY)
    assert len(shop.ses.accepted) == 1


# --- where the automation stands --------------------------------------------------------------------------------------


def change(world: World, what: str) -> None:
    """Pause, resume, archive or unarchive the automation."""
    route = f"POST /v1/automations/{{name}}/{what}"
    status, answer = world.call("automations", route, {}, path={"name": "birthday"})
    assert status == 200, answer
    world.work_jobs()


@pytest.mark.parametrize(("before", "after"), [("pause", "resume"), ("archive", "unarchive")])
def test_what_comes_while_nobody_enters_is_not_made_up_and_the_next_year_s_is_told(
    shop: World, before: str, after: str
) -> None:
    person(shop, birthday="1990-12-01")
    change(shop, before)
    shop.run(30 * DAY)
    change(shop, after)
    shop.run(30 * DAY)
    assert told(shop) == []
    shop.run(365 * DAY)
    assert told(shop) == [at("2027-12-01 09:00")]


def test_a_new_version_with_another_time_of_day_is_what_counts(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    publish(shop, date={**BIRTHDAY, "at": "17:30"})
    shop.run(30 * DAY)
    assert told(shop) == [at("2026-12-01 17:30")]


def test_a_version_without_a_date_tells_nobody_and_one_that_has_it_again_tells_everybody(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    shop.automation({**automation(), "trigger": {"event": "Signed Up"}})
    shop.work_jobs()
    shop.run(30 * DAY)
    assert told(shop) == []
    publish(shop)
    shop.run(365 * DAY)
    assert told(shop) == [at("2027-12-01 09:00")]


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_where_no_automation_has_a_date_nothing_costs_more(world: World) -> None:
    world.template("birthday")
    world.automation({**automation(), "trigger": {"event": "Signed Up"}})
    person(world, birthday="1990-12-01")
    world.recorder.clear()
    person(world, birthday="1990-12-02")
    assert "dynamodb:BatchWriteItem" not in world.recorder.names()
    assert "stepfunctions:StartExecution" not in world.recorder.names()
    assert agenda_of(world) == []


def test_an_event_that_changes_no_date_writes_nothing_down(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    shop.recorder.clear()
    person(shop, plan="team")
    shop.track("ada", "Bought")
    assert "dynamodb:BatchWriteItem" not in shop.recorder.names()
    assert "stepfunctions:StartExecution" not in shop.recorder.names()


def test_a_date_is_one_write_and_the_first_of_a_minute_one_start(shop: World) -> None:
    person(shop, birthday="1990-12-01")
    shop.recorder.clear()
    person(shop, "bo", birthday="1985-12-01")
    names = shop.recorder.names()
    assert names.count("dynamodb:BatchWriteItem") == 1
    assert names.count("stepfunctions:StartExecution") == 0, "somebody waits for that minute already"


def test_a_hundred_people_of_one_minute_take_one_execution_and_few_calls(world: World) -> None:
    world.template("birthday")
    messages = [
        {"type": "identify", "userId": f"u{n}", "traits": {"birthday": "1990-12-01"}, "messageId": f"b-{n}"}
        for n in range(100)
    ]
    publish(world)
    assert world.ingest("batch", {"batch": messages})[0] == 200
    world.pump()
    assert len([arn for arn in world.executions if ":agenda:" in arn]) == 1
    world.run(9 * DAY)
    world.recorder.clear()
    world.now = at("2026-12-01 09:00")
    (execution,) = [one for arn, one in world.executions.items() if ":agenda:" in arn and not one.is_over]
    execution.step(world.task, world.now)
    execution.step(world.task, world.now)
    assert len(world.recorder.names()) < 40, "for a hundred"


# --- two of a shop's automations --------------------------------------------------------------------------------------


def test_a_birthday_and_a_renewal_come_each_at_its_time(world: World) -> None:
    """A birthday in the morning, and a renewal two weeks ahead, of those in a team."""
    is_team = {"trait": "plan.name", "is": "team"}
    triggers = {
        "birthday": {"date": {"trait": "birthday", "every": "year", "at": "09:00"}},
        "renewal": {"date": {"trait": "plan.renews_on", "offset": "-14 days", "at": "10:30"}, "where": is_team},
    }
    for name, trigger in triggers.items():
        world.template(name)
        mail = {"type": "send_email", "template": name}
        world.automation({"automation": name, "trigger": trigger, "start": "mail", "components": {"mail": mail}})
    world.work_jobs()
    person(world, "ada", "Europe/Warsaw", birthday="1990-12-01", plan={"name": "team", "renews_on": "2026-12-24"})
    person(world, "bo", "Europe/Warsaw", birthday="1985-03-01", plan={"name": "solo", "renews_on": "2026-12-24"})
    world.run(60 * DAY)
    assert told(world, "ada") == [at("2026-12-01 08:00"), at("2026-12-10 09:30")]
    assert told(world, "bo") == [at("2026-12-10 09:30")]
    assert [mail["Destination"]["ToAddresses"] for mail in world.ses.accepted] == [["ada@people.example"]] * 2
