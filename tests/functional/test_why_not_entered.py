"""Why somebody did not enter an automation, or did: kept when it was decided, with the values that were seen then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_merges import merge, say, who
from tests.functional.test_reentry import COMPONENTS, refused
from tests.functional.test_why import answered, why
from tests.support.world import World

from tidings.accounts.model import KeyKind
from tidings.automations.entering.refusals import MOST_KEPT, Reason
from tidings.core.clock import to_text

TEAM = {"trait": "plan", "is": "team"}


@pytest.fixture
def acme(world: World) -> World:
    """A workspace in which Ada is known, who is on the free plan."""
    world.identify("ada", email="ada@people.example", plan="free")
    return world


def publish(world: World, name: str = "tour", where: Any = None, event: str = "Ordered", **more: Any) -> None:
    trigger = {"event": event, **({"where": where} if where else {}), **more.pop("trigger", {})}
    definition = {"automation": name, "trigger": trigger, "start": "pause", "components": COMPONENTS}
    world.automation({**definition, **more})


def act(world: World, action: str, name: str = "tour", **body: Any) -> None:
    route = "POST /v1/automations/{name}/{action}"
    status, answer = world.call("automations", route, body, path={"name": name, "action": action})
    assert status == 200, answer


def because(world: World, name: str = "tour") -> str:
    return answered(world, user_id="ada", automation=name)[1].partition("because ")[2]


# --- the condition of the trigger ------------------------------------------------------------------------------------


def test_the_condition_is_told_with_the_value_it_saw_then(acme: World) -> None:
    publish(acme, where=TEAM)
    acme.track("ada", "Ordered")
    acme.identify("ada", plan="team")
    code, answer = answered(acme, user_id="ada", automation="tour")
    assert code == "never_entered"
    assert answer == (
        'They never entered tour, which begins with the event "Ordered": they did that last on '
        '2026-11-21 09:00:00 UTC, and did not enter because their plan is "free", which is not "team".'
    )


def test_the_truth_table_is_told_rule_by_rule(acme: World) -> None:
    where = {"all": [TEAM, {"property": "total", "at_least": 10}, {"none": [{"trait": "email", "exists": True}]}]}
    publish(acme, where=where)
    acme.track("ada", "Ordered", total=12)
    (kept,) = why(acme, user_id="ada", automation="tour")["refused"]
    (one,) = kept["refused"]
    assert (one["automation"], one["version"], one["reason"]) == ("tour", 1, "where")
    assert [(part["found"], part["result"]) for part in one["why"]["where"]["parts"]] == [
        ("free", False),
        (12, True),
        (1, False),
    ]
    assert one["sentence"] == (
        'They did not enter tour because their plan is "free", which is not "team"; '
        'their email has a value: "ada@people.example", which must not be so.'
    )
    assert kept["event"]["event"] == "Ordered"
    assert kept["more"] == 0


def test_who_entered_is_told_why_with_their_path(acme: World) -> None:
    publish(acme, where={"any": [TEAM, {"property": "total", "at_least": 10}]})
    acme.track("ada", "Ordered", total=12)
    (way,) = why(acme, user_id="ada", automation="tour")["ways"]
    (enrolment,) = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert way["why"] == enrolment["why"]
    assert [(part["found"], part["result"]) for part in way["why"]["parts"]] == [("free", False), (12, True)]


def test_without_a_condition_nothing_is_kept_of_why_they_entered(acme: World) -> None:
    publish(acme)
    acme.track("ada", "Ordered")
    (enrolment,) = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert enrolment["why"] == {}


# --- other reasons ---------------------------------------------------------------------------------------------------


def test_who_was_refused_to_enter_again_is_told_by_which_rule(acme: World) -> None:
    publish(acme, reentry={"interval": "7 days"})
    acme.track("ada", "Ordered")
    acme.now += timedelta(days=1)
    acme.track("ada", "Ordered")
    account = why(acme, user_id="ada", automation="tour")
    assert account["notes"] == [
        'They did "Ordered" on 2026-11-22 09:00:00 UTC, and did not enter tour again because they entered on '
        "2026-11-21 09:00:00 UTC, and 7 days must pass in between."
    ]
    assert account["refused"][0]["refused"][0]["why"]["last"] == "2026-11-21T09:00:00.000000Z"
    acme.run(timedelta(days=7))
    acme.track("ada", "Ordered")
    assert why(acme, user_id="ada", automation="tour")["notes"] == [], "they have entered since"


@pytest.mark.parametrize(("action", "reason"), [("pause", "it was paused"), ("archive", "it was archived")])
def test_nobody_enters_what_is_paused_or_archived_and_is_told_so(acme: World, action: str, reason: str) -> None:
    publish(acme, where={"trait": "plan", "is_not": "team"})
    act(acme, action)
    acme.track("ada", "Ordered")
    assert acme.of_contact(who(acme, user_id="ada"), "enrolments") == []
    assert because(acme) == f"{reason}."
    acme.identify("ada", plan="team")
    acme.track("ada", "Ordered")
    assert because(acme) == 'their plan is "team", which it must not be.', "they would not have entered anyway"


def test_who_comes_too_late_for_the_date_at_the_start_enters_nothing(acme: World) -> None:
    wait = {**COMPONENTS["pause"], "until": {"property": "starts"}, "if_past": "leave"}
    del wait["for"]
    publish(acme, components={**COMPONENTS, "pause": wait})
    acme.track("ada", "Ordered", starts="2026-11-20")
    assert because(acme) == (
        'it begins with the wait "pause", whose date was 2026-11-20, which is past, and who is too late leaves there.'
    )
    acme.now += timedelta(seconds=1)
    acme.track("ada", "Ordered")
    assert "whose date is missing, and" in because(acme)
    assert acme.started == {}
    acme.track("ada", "Ordered", starts="2026-11-22")
    assert len(acme.started) == 1


PARTNER = {"name": "Partner", "when": {"all": [{"trait": "role", "is": "partner"}, {"none": [TEAM]}]}}


@pytest.mark.parametrize("reentry", ["every_time", "once", {"per": "cart"}, {"parallel": 2}])
def test_whom_an_exit_would_let_out_at_once_does_not_enter_and_is_told_so(acme: World, reentry: Any) -> None:
    publish(acme, exits=[{"name": "Gone", "event": "Left"}, PARTNER], reentry=reentry)
    acme.identify("ada", role="partner")
    acme.track("ada", "Ordered", cart="c")
    assert acme.of_contact(who(acme, user_id="ada"), "enrolments") == []
    assert because(acme) == (
        'its exit "Partner" would let them out at once: their role is "partner"; their plan is "free", which is not '
        '"team".'
    )
    (kept,) = why(acme, user_id="ada", automation="tour")["refused"][0]["refused"]
    assert (kept["reason"], kept["why"]["exit"], kept["why"]["when"]["result"]) == ("exit_holds", "Partner", True)
    acme.identify("ada", role="user")
    acme.track("ada", "Ordered", cart="c")
    assert len(acme.of_contact(who(acme, user_id="ada"), "enrolments")) == 1, "whoever was refused counts as no entry"


@pytest.mark.parametrize(
    ("when", "enters"),
    [
        ({"known": True}, False),
        ({"known": False}, True),
        ({"did": "Complained"}, True),
        ({"did": "Complained", "within": "1 day"}, False),
        ({"did": "Complained", "within": "1 minute"}, True),
        ({"did_not": "Complained", "within": "1 minute"}, False),
        ({"did": "Ordered"}, True),
    ],
)
def test_conditions_of_exits_are_asked_of_the_moment_of_entering(acme: World, when: Any, enters: bool) -> None:
    publish(acme, exits=[{"name": "Out", "when": when}])
    acme.track("ada", "Complained")
    acme.now += timedelta(hours=1)
    acme.track("ada", "Ordered")
    assert bool(acme.of_contact(who(acme, user_id="ada"), "enrolments")) is enters


def test_what_lets_out_right_after_they_entered_does_not_keep_them_from_entering(acme: World) -> None:
    publish(acme, exits=[{"name": "Out", "when": {"did": "Complained", "within": "1 day"}}])
    ordered = {"userId": "ada", "event": "Ordered", "messageId": "o"}
    assert acme.ingest("track", ordered)[0] == 200
    acme.now += timedelta(seconds=1)
    acme.track("ada", "Complained")
    (one,) = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert one["left"]["exit"] == "Out"


@pytest.mark.parametrize("reentry", ["every_time", "once", {"parallel": 2}])
def test_who_entered_before_an_exit_held_is_not_refused_by_a_repeat(acme: World, reentry: Any) -> None:
    publish(acme, exits=[PARTNER], reentry=reentry)
    acme.now += timedelta(seconds=1)
    assert acme.ingest("track", {"userId": "ada", "event": "Ordered", "messageId": "o"})[0] == 200
    records = acme.new_records()
    acme.invoke("react", {"Records": records})
    acme.identify("ada", role="partner")
    acme.invoke("react", {"Records": records})
    (one,) = acme.of_contact(who(acme, user_id="ada"), "enrolments")
    assert one["left"]["exit"] == "Partner"
    assert refused(acme) == []


def test_what_a_device_did_is_told_as_it_was_seen_and_that_it_came_by_a_merge(acme: World) -> None:
    publish(acme, where=TEAM)
    say(acme, "Ordered", anonymousId="a-1")
    acme.identify("ada", plan="team")
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    assert because(acme) == (
        'their plan has no value, so it is not "team"; it came to them by a merge, and the automation does not ask for '
        "such events (merged: true)."
    )


def test_what_comes_by_a_merge_is_refused_and_kept_by_those_who_ask_for_it(acme: World) -> None:
    publish(acme, where=TEAM, trigger={"merged": True})
    publish(acme, "other", where={"trait": "plan", "is": "gold"}, trigger={"merged": True})
    say(acme, "Ordered", anonymousId="a-1")
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    (kept,) = refused(acme, ada)
    assert [(one.automation, one.why["where"]["found"]) for one in kept.refused] == [
        ("other", "free"),
        ("tour", "free"),
    ]


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_one_document_tells_of_an_event_whichever_automations_refused(acme: World) -> None:
    publish(acme, "tour", where=TEAM)
    publish(acme, "once", reentry="once")
    publish(acme, "paused")
    act(acme, "pause", "paused")
    acme.track("ada", "Ordered")
    acme.now += timedelta(seconds=1)
    acme.track("ada", "Ordered")
    latest, first = refused(acme)
    assert {one.automation: one.reason for one in latest.refused} == {
        "once": Reason.REENTRY,
        "tour": Reason.WHERE,
        "paused": Reason.PAUSED,
    }
    assert {one.automation for one in first.refused} == {"tour", "paused"}


def test_however_many_automations_listen_a_few_are_told_of(acme: World) -> None:
    for number in range(MOST_KEPT + 2):
        publish(acme, f"tour-{number}", where={"all": [TEAM] * 5})
    publish(acme, "once", reentry="once")
    acme.track("ada", "Ordered")
    acme.now += timedelta(seconds=1)
    acme.recorder.clear()
    acme.track("ada", "Ordered")
    latest, first = refused(acme)
    assert (len(latest.refused), latest.more) == (MOST_KEPT, 3)
    assert (len(first.refused), first.more) == (MOST_KEPT, 2)
    assert latest.refused[0].automation == "once", "who asked more of them comes first"
    parts = latest.refused[1].why["where"]
    assert (len(parts["parts"]), parts["more"]) == (2, 3)


def test_it_is_kept_for_thirty_days_also_if_it_is_deleted_late(acme: World) -> None:
    publish(acme, where=TEAM)
    acme.track("ada", "Ordered")
    (item,) = [one for one in acme.items("TABLE_ENROLMENTS") if one["sk"]["S"].startswith("#refused#")]
    assert int(item["expires_at"]["N"]) == int((acme.now + timedelta(days=30)).timestamp())
    acme.now += timedelta(days=30) - timedelta(seconds=1)
    assert len(refused(acme)) == 1
    acme.now += timedelta(seconds=1)
    assert refused(acme) == []


def test_an_event_nobody_listens_to_leaves_nothing(acme: World) -> None:
    publish(acme, where=TEAM)
    acme.track("ada", "Looked")
    assert refused(acme) == []


def test_what_was_asked_about_is_as_it_was_known_then(acme: World) -> None:
    publish(acme, where=TEAM)
    acme.track("ada", "Ordered")
    acme.now += timedelta(days=1)
    before = to_text(acme.now - timedelta(seconds=1))
    acme.identify("ada", plan="gold")
    acme.track("ada", "Ordered")
    assert 'their plan is "gold"' in because(acme)
    assert 'their plan is "free"' in answered(acme, user_id="ada", automation="tour", at=before)[1]


# --- privacy ---------------------------------------------------------------------------------------------------------


def exported(world: World, contact: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        query = {"cursor": cursor} if cursor else {}
        route = "GET /v1/contacts/{contact}/export"
        status, page = world.call("export", route, path={"contact": contact}, query=query)
        assert status == 200, page
        found += page["items"]
        cursor = page["cursor"]
        if not cursor:
            return found


def test_it_is_exported_with_everything_else_that_is_known_also_after_a_merge(acme: World) -> None:
    publish(acme, where=TEAM)
    publish(acme, "counted", where={"property": "total", "at_least": 1}, reentry={"at_most": 5})
    say(acme, "Ordered", anonymousId="a-1")
    acme.track("ada", "Ordered", total=2)
    ada, device = who(acme, user_id="ada"), who(acme, anonymous_id="a-1")
    merge(acme, device, ada)
    told = [one for one in exported(acme, ada) if one["section"] == "refusals"]
    assert sorted(one["contact"] for one in told) == sorted([ada, device])
    (enrolled,) = [one for one in exported(acme, ada) if one["section"] == "enrolments"]
    assert (enrolled["why"]["found"], enrolled["properties"]) == (2, {"total": 2})


def test_it_is_erased_with_the_person_and_so_are_the_counts(acme: World) -> None:
    publish(acme, where=TEAM)
    publish(acme, "counted", reentry={"at_most": 5})
    acme.track("ada", "Ordered")
    ada = who(acme, user_id="ada")
    beside = [one["sk"]["S"].split("#")[1] for one in acme.items("TABLE_ENROLMENTS") if one["sk"]["S"][0] == "#"]
    assert sorted(beside) == ["entries", "refused"]
    acme.erase(ada)
    assert [one["sk"]["S"] for one in acme.items("TABLE_ENROLMENTS") if one["sk"]["S"][0] == "#"] == []


def test_another_workspace_is_told_nothing(acme: World) -> None:
    publish(acme, where=TEAM)
    acme.track("ada", "Ordered")
    query = {"contact": who(acme, user_id="ada"), "automation": "tour"}
    acme.accounts.create_workspace("globex", "Globex")
    acme.keys["theirs"] = acme.accounts.create_key("globex", KeyKind.SECRET, "theirs")
    status, answer = acme.call("why", "GET /v1/why", key="theirs", query=query)
    assert (status, answer["code"], answer["refused"]) == (200, "no_such_person", [])
