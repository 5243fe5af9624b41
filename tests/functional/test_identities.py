"""Whose an event is: identities lead to contacts, anonymous contacts become known, and known ones are never merged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.recorder import Call
from tests.support.world import World

from tidings.core.clock import from_text

ADA = "ada@people.example"
MOST_CALLS = 40


def say(world: World, event: str = "", pump: bool = True, **fields: Any) -> None:
    """A second later somebody makes a call: a track call if it names an event, else an identify call."""
    world.now += timedelta(seconds=1)
    kind = "track" if event else "identify"
    named = {"event": event} if event else {}
    status, answer = world.ingest(kind, {"messageId": world.fresh(), **named, **fields})
    assert status == 200, answer
    if pump:
        world.pump()


def events_of(world: World, contact: dict[str, Any]) -> list[str]:
    """The names of a contact's events, earliest first."""
    return [one["event"] for one in world.of_contact(contact["contact"], "events")][::-1]


def found(world: World, **query: str) -> str:
    """The id of the contact that an identity leads to; empty if there is none."""
    status, answer = world.call("contacts", "GET /v1/contacts", query=query)
    assert status == 200, answer
    return str(answer["contacts"][0]["contact"]) if answer["contacts"] else ""


# --- finding ---------------------------------------------------------------------------------------------------------


def test_a_user_id_an_anonymous_id_and_an_email_find_the_contact(world: World) -> None:
    say(world, userId="u-7", anonymousId="a-9", traits={"email": "Ada@People.example", "firstName": "Ada"})
    contact = world.contact(user_id="u-7")
    assert contact["traits"] == {"email": ADA, "first_name": "Ada"}
    assert contact["known"] is True
    for query in ({"anonymous_id": "a-9"}, {"email": ADA}, {"email": " ADA@people.EXAMPLE "}):
        assert world.contact(**query) == contact
    status, by_id = world.call("contacts", "GET /v1/contacts/{contact}", path={"contact": contact["contact"]})
    assert (status, by_id) == (200, contact)


def test_who_is_not_there_is_not_found(world: World) -> None:
    say(world, "Viewed", userId="null", anonymousId="a-1")
    for query, status, code in (
        ({"user_id": "nobody"}, 200, None),
        ({"anonymous_id": "nobody"}, 200, None),
        ({"email": "nobody@people.example"}, 200, None),
        ({"user_id": "null"}, 200, None),
        ({"user_id": ""}, 200, None),
        ({"email": "nobody"}, 400, "invalid_email"),
        ({"user_id": "u", "email": ADA}, 400, "invalid_identity"),
        ({"user_id": "u" * 1025}, 400, "id_too_long"),
    ):
        answered, answer = world.call("contacts", "GET /v1/contacts", query=query)
        assert (answered, answer.get("code")) == (status, code), query
        assert status != 200 or answer == {"contacts": [], "cursor": ""}


def test_a_contact_that_is_not_there_is_not_found_by_its_id(world: World) -> None:
    for contact, code in (("cnobody", "unknown_contact"), ("%20", "unknown_contact"), ("c" * 3000, "not_found")):
        for route in ("", "/timeline", "/messages", "/enrolments"):
            path = {"contact": contact}
            status, answer = world.call("contacts", f"GET /v1/contacts/{{contact}}{route}", path=path)
            assert (status, answer["code"]) == (404, code), (contact, route)


def test_an_email_that_cannot_be_one_is_shown_and_leads_to_nobody(world: World) -> None:
    say(world, userId="u-7", traits={"email": "ada at people"})
    contact = world.contact(user_id="u-7")
    assert contact["traits"] == {"email": "ada at people"}
    assert [one["kind"] for one in contact["identities"]] == ["user"]


def test_blocked_values_bring_nobody_together(world: World) -> None:
    blocked = ["null", "anonymous", "-1", "0", "", "00000000-0000-0000-0000-000000000000"]
    for number, value in enumerate(blocked):
        for one in ("x", "y"):
            say(world, "Viewed", userId=value, anonymousId=f"a-{number}-{one}")
            say(world, "Viewed", userId=f"u-{number}-{one}", anonymousId=value)
    assert len(world.items("TABLE_CONTACTS")) == 4 * len(blocked)
    assert found(world, user_id="null") == found(world, anonymous_id="0") == ""


# --- anonymous and known ---------------------------------------------------------------------------------------------


def test_an_anonymous_contact_that_identifies_itself_becomes_known_and_keeps_its_history(world: World) -> None:
    say(world, "Page Viewed", anonymousId="a-9")
    before = world.contact(anonymous_id="a-9")
    assert before["known"] is False
    say(world, userId="u-7", anonymousId="a-9", traits={"email": ADA})
    say(world, "Signed Up", userId="u-7")
    after = world.contact(user_id="u-7")
    assert after["contact"] == before["contact"]
    assert after["created_at"] == before["created_at"]
    assert (after["known"], after["absorbed"]) == (True, [])
    assert events_of(world, after) == ["Page Viewed", "", "Signed Up"]


def test_an_anonymous_contact_becomes_part_of_the_known_one_with_all_it_did(world: World) -> None:
    say(world, userId="u-7", traits={"plan": "team"})
    known = world.contact(user_id="u-7")
    say(world, "Page Viewed", anonymousId="a-9")
    say(world, anonymousId="a-9", traits={"colour": "red", "plan": "solo"})
    stranger = world.contact(anonymous_id="a-9")
    say(world, "Signed In", userId="u-7", anonymousId="a-9")
    merged = world.contact(anonymous_id="a-9")
    assert merged == world.contact(user_id="u-7")
    assert merged["contact"] == known["contact"]
    assert merged["absorbed"] == [stranger["contact"]]
    assert merged["traits"] == {"plan": "solo", "colour": "red"}
    assert sorted(events_of(world, merged)) == ["", "", "Contacts Merged", "Page Viewed", "Signed In"]


def test_the_id_of_an_absorbed_contact_leads_to_who_it_became(world: World) -> None:
    say(world, userId="u-7")
    say(world, "Page Viewed", anonymousId="a-9", traits={})
    absorbed = found(world, anonymous_id="a-9")
    say(world, "Signed In", userId="u-7", anonymousId="a-9")
    for route in ("", "/timeline", "/messages", "/enrolments"):
        path = {"contact": absorbed}
        status, answer = world.call("contacts", f"GET /v1/contacts/{{contact}}{route}", path=path)
        assert status == 200
        assert route or answer == world.contact(user_id="u-7")


def test_an_absorbed_contacts_email_leads_to_who_it_became(world: World) -> None:
    say(world, userId="u-7", traits={"email": "old@people.example"})
    say(world, anonymousId="a-9", traits={"email": ADA})
    say(world, "Signed In", userId="u-7", anonymousId="a-9")
    contact = world.contact(user_id="u-7")
    assert contact["traits"]["email"] == ADA
    assert found(world, email=ADA) == contact["contact"]
    assert found(world, email="old@people.example") == contact["contact"]
    assert len(world.items("TABLE_IDENTITIES")) == 4


def test_later_events_of_either_id_belong_to_the_merged_contact(world: World) -> None:
    say(world, "Page Viewed", anonymousId="a-9")
    say(world, userId="u-7")
    say(world, "Signed In", userId="u-7", anonymousId="a-9")
    say(world, "Clicked", anonymousId="a-9")
    say(world, "Paid", userId="u-7")
    contact = world.contact(user_id="u-7")
    assert sorted(events_of(world, contact)) == ["", "Clicked", "Contacts Merged", "Page Viewed", "Paid", "Signed In"]


def test_many_devices_of_one_person_lead_to_one_contact(world: World) -> None:
    for device in range(5):
        say(world, "Page Viewed", anonymousId=f"a-{device}")
        say(world, "Signed In", userId="u-7", anonymousId=f"a-{device}")
    contact = world.contact(user_id="u-7")
    assert len(contact["absorbed"]) == 4
    assert len([name for name in events_of(world, contact) if name != "Contacts Merged"]) == 10


def test_two_known_contacts_are_never_merged(world: World) -> None:
    say(world, userId="ada", anonymousId="shared", traits={"email": ADA})
    say(world, userId="bob", traits={"email": "bob@people.example"})
    say(world, "Signed In", userId="bob", anonymousId="shared")
    say(world, "Page Viewed", anonymousId="shared")
    ada, bob = world.contact(user_id="ada"), world.contact(user_id="bob")
    assert ada["contact"] != bob["contact"]
    assert world.contact(anonymous_id="shared") == ada
    assert (ada["absorbed"], bob["absorbed"]) == ([], [])
    assert events_of(world, ada) == ["", "Page Viewed"]
    assert events_of(world, bob) == ["", "Signed In"]


def test_a_second_person_on_a_known_device_is_a_new_contact(world: World) -> None:
    say(world, userId="ada", anonymousId="shared")
    say(world, "Signed In", userId="bob", anonymousId="shared")
    assert found(world, user_id="ada") == found(world, anonymous_id="shared") != found(world, user_id="bob")
    assert events_of(world, world.contact(user_id="bob")) == ["Signed In"]


def test_workspaces_share_no_identities(world: World) -> None:
    world.ingest("track", {"userId": "u-7", "anonymousId": "a-9", "event": "E"}, world.other_secret)
    say(world, "Signed Up", userId="u-7", anonymousId="a-9")
    assert events_of(world, world.contact(user_id="u-7")) == ["Signed Up"]
    assert len(world.items("TABLE_CONTACTS")) == 2


# --- e-mails ---------------------------------------------------------------------------------------------------------


def test_a_changed_email_finds_the_contact_also_under_those_it_had(world: World) -> None:
    say(world, userId="u-7", traits={"email": "old@people.example"})
    say(world, userId="u-7", traits={"email": ADA})
    say(world, userId="u-8")
    say(world, userId="u-8", traits={"email": "old@people.example"})
    assert found(world, email=ADA) == found(world, user_id="u-7")
    assert found(world, email="old@people.example") == found(world, user_id="u-8")  # whose address it is now
    say(world, userId="u-7", traits={"email": None})
    assert found(world, email=ADA) == found(world, user_id="u-7")
    assert "email" not in world.contact(user_id="u-7")["traits"]


def test_of_the_addresses_a_contact_had_the_latest_five_find_it(world: World) -> None:
    for number in range(7):
        say(world, userId="u-7", traits={"email": f"{number}@people.example"})
    found_by = [found(world, email=f"{number}@people.example") for number in range(7)]
    assert found_by == ["", "", *[found(world, user_id="u-7")] * 5]


def test_the_oldest_contact_answers_for_an_email_that_several_have(world: World) -> None:
    for user in ("first", "second", "third"):
        say(world, userId=user)
    for user in ("third", "first", "second"):
        say(world, userId=user, traits={"email": ADA})
    assert found(world, email=ADA) == found(world, user_id="first")
    say(world, userId="first", traits={"email": "moved@people.example"})
    assert found(world, email=ADA) == found(world, user_id="second")


# --- at the same time ------------------------------------------------------------------------------------------------


def interleave(world: World, operation: str | None, meanwhile: Callable[[], Any], number: int = 0) -> list[str]:
    """Let something else happen in another process right before the first call of an operation, or any but the first.

    `operation` None means any; `number` calls are let pass.
    """
    happened: list[str] = []
    passed: list[str] = []

    def before(call: Call) -> None:
        if operation in (None, call.operation) and not happened:
            passed.append(call.name)
            if len(passed) <= number:
                return
            happened.append(call.name)
            mine = world._modules.pop("react", None)
            meanwhile()
            if mine:
                world._modules["react"] = mine

    world.recorder.before = before
    return happened


def react(world: World, records: list[dict[str, Any]]) -> None:
    assert world.invoke("react", {"Records": records}) == {"batchItemFailures": []}


PAIRS = [
    ({"userId": "u-7"}, {"userId": "u-7", "anonymousId": "a-9"}),
    ({"userId": "u-7", "anonymousId": "a-9"}, {"userId": "u-7", "anonymousId": "a-9"}),
    ({"anonymousId": "a-9"}, {"userId": "u-7", "anonymousId": "a-9"}),
    ({"userId": "u-7", "anonymousId": "a-9"}, {"anonymousId": "a-9"}),
    ({"userId": "u-7", "anonymousId": "a-9"}, {"userId": "u-7"}),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_processes_that_meet_a_new_person_at_once_make_one_contact(
    world: World, one: dict[str, str], other: dict[str, str]
) -> None:
    for ids, trait in ((one, "one"), (other, "other")):
        say(world, pump=False, **ids, traits={trait: True})
    first, second = world.new_records()
    happened = interleave(world, "TransactWriteItems", lambda: react(world, [second]))
    react(world, [first])
    assert happened
    contacts = [item for item in world.items("TABLE_CONTACTS") if "merged_into" not in item]
    assert len(contacts) == 1
    contact = world.contact(**({"user_id": "u-7"} if "userId" in {**one, **other} else {"anonymous_id": "a-9"}))
    assert contact["traits"] == {"one": True, "other": True}


def test_a_trait_that_is_set_while_a_contact_is_absorbed_is_kept(world: World) -> None:
    say(world, userId="u-7")
    say(world, anonymousId="a-9", traits={"colour": "red"})
    say(world, pump=False, anonymousId="a-9", traits={"size": "L"})
    say(world, "Signed In", pump=False, userId="u-7", anonymousId="a-9")
    late, merging = world.new_records()
    happened = interleave(world, "TransactWriteItems", lambda: react(world, [late]))
    react(world, [merging])
    assert happened
    assert world.contact(user_id="u-7")["traits"] == {"colour": "red", "size": "L"}


def test_a_contact_that_is_absorbed_while_a_trait_is_set_keeps_the_trait(world: World) -> None:
    say(world, userId="u-7")
    say(world, anonymousId="a-9", traits={"colour": "red"})
    say(world, pump=False, anonymousId="a-9", traits={"size": "L"})
    say(world, "Signed In", pump=False, userId="u-7", anonymousId="a-9")
    late, merging = world.new_records()
    happened = interleave(world, "UpdateItem", lambda: react(world, [merging]))
    react(world, [late])
    assert happened
    assert world.contact(user_id="u-7")["traits"] == {"colour": "red", "size": "L"}


def test_whoever_changes_a_contact_at_the_same_time_loses_nothing(world: World) -> None:
    say(world, userId="u-7")
    say(world, pump=False, userId="u-7", traits={"one": 1})
    say(world, pump=False, userId="u-7", traits={"two": 2})
    first, second = world.new_records()
    happened = interleave(world, "UpdateItem", lambda: react(world, [second]))
    react(world, [first])
    assert happened
    assert world.contact(user_id="u-7")["traits"] == {"one": 1, "two": 2}


LINKS = {
    # What was reacted to before, what one process reacts to, and what another does meanwhile: (user, minute, device).
    "an earlier link and a move": ([("bob", 5)], [("ada", 4), ("ada", 1)], [("cid", 3)]),
    "a move and an earlier link": ([("bob", 5)], [("cid", 3)], [("bob", 1)]),
    "two moves": ([("bob", 5)], [("cid", 3)], [("ada", 1)]),
    "two links of one person": ([("ada", None)], [("ada", 3)], [("ada", 1)]),
    "two people and a device of nobody's": ([("", 5), ("ada", None), ("bob", None)], [("ada", 1)], [("bob", 3)]),
    "a device of nobody's and a new person": ([("", 5), ("ada", None)], [("ada", 1)], [("bob", 3)]),
}


def link(world: World, name: str, user: str, minute: int | None) -> None:
    """Say who is at the shared device, at a minute; without a minute only that there is such a user."""
    device = {} if minute is None else {"anonymousId": f"{name}.shared"}
    ids = {"userId": f"{name}.{user}", **device} if user else device
    say(world, "Viewed", pump=False, timestamp=f"2026-11-21T08:0{minute or 0}:00Z", **ids)


def owner(world: World, name: str) -> str:
    """The user whose contact the shared device leads to."""
    device = found(world, anonymous_id=f"{name}.shared")
    (user,) = (user for user in ("ada", "bob", "cid", "zoe") if found(world, user_id=f"{name}.{user}") == device)
    return user


@pytest.mark.parametrize("case", LINKS)
def test_a_device_belongs_to_its_earliest_link_though_two_processes_learn_of_links_at_once(
    world: World, case: str
) -> None:
    before, mine, theirs = LINKS[case]
    _, earliest = min((minute, user) for user, minute in (*before, *mine, *theirs) if user and minute is not None)
    for number in range(MOST_CALLS):
        name = world.fresh()
        for one in before:
            link(world, name, *one)
            world.pump()
        for one in (*mine, *theirs):
            link(world, name, *one)
        records = world.new_records()
        first, second = records[: len(mine)], records[len(mine) :]
        happened = interleave(world, None, lambda late=second: react(world, late), number)  # type: ignore[misc]
        react(world, first)
        world.recorder.before = None
        if not happened:
            break
        assert owner(world, name) == earliest, (number, happened)
        # The time of the link is the earliest's too: one that is said in between moves nothing.
        link(world, name, "zoe", 2)
        world.pump()
        assert owner(world, name) == earliest, (number, happened)
    else:
        pytest.fail("there were more calls")
    assert number > 1


def test_a_link_learnt_to_be_earlier_counts_for_what_comes_after_it_in_the_batch(world: World) -> None:
    for one in (("bob", 5), ("ada", 4), ("ada", 1), ("cid", 3)):
        link(world, "x", *one)
    world.pump()
    assert owner(world, "x") == "ada"


# --- when somebody was last seen -------------------------------------------------------------------------------------


def test_last_seen_is_the_latest_event_however_late_an_earlier_one_comes(world: World) -> None:
    say(world, "Viewed", userId="u-7")
    say(world, "Early", pump=False, userId="u-7")
    world.now += timedelta(hours=1)
    say(world, "Late", pump=False, userId="u-7")
    early, late = world.new_records()
    react(world, [late])
    react(world, [early])
    assert from_text(world.contact(user_id="u-7")["last_seen_at"]) == world.now


def test_last_seen_does_not_go_back_when_a_trait_is_set_at_the_same_time(world: World) -> None:
    # The two stand under different identities, so that different shards of the stream carry them.
    say(world, "Viewed", userId="u-7", anonymousId="a-9")
    say(world, pump=False, userId="u-7", traits={"plan": "team"})
    world.now += timedelta(hours=1)
    say(world, "Late", pump=False, anonymousId="a-9")
    early, late = world.new_records()
    happened = interleave(world, "UpdateItem", lambda: react(world, [late]))
    react(world, [early])
    assert happened
    contact = world.contact(user_id="u-7")
    assert from_text(contact["last_seen_at"]) == world.now
    assert contact["traits"] == {"plan": "team"}


def test_what_we_do_ourselves_is_no_sign_of_life(world: World) -> None:
    say(world, userId="u-7", traits={"email": ADA})
    seen = world.contact(user_id="u-7")["last_seen_at"]
    world.now += timedelta(hours=1)
    path = {"channel": "email", "address": ADA}
    assert world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path)[0] == 200
    world.pump()
    assert world.contact(user_id="u-7")["last_seen_at"] == seen


# --- in any order ----------------------------------------------------------------------------------------------------

said = st.fixed_dictionaries(
    {
        "ids": st.sampled_from([("u", ""), ("u", "a"), ("u", "b"), ("", "a"), ("", "b")]),
        "traits": st.dictionaries(
            st.sampled_from(["email", "plan", "seats"]), st.sampled_from([None, "x@y.z", "p@q.r", 1, ["a"]]), max_size=3
        ),
        "minute": st.integers(0, 3),
    }
)
histories = st.lists(said, min_size=1, max_size=5)


@few(12)
@given(data=st.data(), history=histories)
def test_any_order_and_any_split_into_batches_gives_the_same_contact(
    world: World, data: st.DataObject, history: list[dict[str, Any]]
) -> None:
    told = [_told(world, name, history) for name in (world.fresh(), world.fresh())]
    react(world, told[0])
    order = data.draw(st.permutations(told[1]))
    while order:
        size = data.draw(st.integers(1, len(order)))
        for _ in range(data.draw(st.integers(1, 2))):  # the stream may repeat a batch
            react(world, order[:size])
        order = order[size:]
    outcomes = [_outcomes(world, records[0]) for records in told]
    assert outcomes[0] == outcomes[1]


def _told(world: World, name: str, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    batch = [
        {
            "type": "identify",
            "messageId": f"m-{number}",
            "timestamp": f"2026-11-21T08:0{one['minute']}:00Z",
            **{
                key: f"{name}-{value}"
                for key, value in zip(("userId", "anonymousId"), one["ids"], strict=True)
                if value
            },
            "traits": one["traits"],
        }
        for number, one in enumerate(history)
    ]
    world.new_records()  # what an earlier example set off is no part of this one
    assert world.ingest("batch", {"batch": batch})[0] == 200
    return world.new_records()


def _ids(name: str, user: str, anonymous: str) -> dict[str, str]:
    ids = {"userId": user, "anonymousId": anonymous}
    return {field: f"{name}-{value}" for field, value in ids.items() if value}


def _outcomes(world: World, record: dict[str, Any]) -> list[Any]:
    name = record["dynamodb"]["Keys"]["pk"]["S"].split("#")[2].rpartition("-")[0]
    queries = ({"user_id": f"{name}-u"}, {"anonymous_id": f"{name}-a"}, {"anonymous_id": f"{name}-b"})
    outcomes = []
    for query in queries:
        _, answer = world.call("contacts", "GET /v1/contacts", query=query)
        if not answer["contacts"]:
            outcomes.append(None)
            continue
        (contact,) = answer["contacts"]
        identities = {(one["kind"], one["value"].removeprefix(f"{name}-")) for one in contact["identities"]}
        outcomes.append((contact["traits"], identities, contact["known"], contact["last_seen_at"]))
    return outcomes


def test_an_anonymous_visit_that_ends_a_batch_is_when_the_person_was_last_seen(world: World) -> None:
    batch = [
        {"type": "track", "event": "One", "userId": "ada", "messageId": "m-one"},
        {"type": "track", "event": "Two", "userId": "ada", "anonymousId": "a-1", "messageId": "m-two"},
        {"type": "track", "event": "Three", "anonymousId": "a-1", "messageId": "m-three"},
    ]
    assert world.ingest("batch", {"batch": batch})[0] == 200
    one, two, three = world.new_records()
    react(world, [one, three, two])  # another shard's order
    assert world.contact(user_id="ada")["last_seen_at"] == three["dynamodb"]["NewImage"]["received_at"]["S"]
