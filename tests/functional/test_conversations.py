"""What agents do with conversations, through the API: each change is an event, counted once, and names who made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.support.inbound import OURS, PERSON, conversation, counts, later, mail, recounted, sms, take, texts
from tests.support.recorder import Call
from tests.support.world import LATER, World

from tidings.accounts.model import KeyKind, Role
from tidings.conversations import listing
from tidings.conversations.model import Taken

ROUTE = "POST /v1/conversations/{conversation}/"


@pytest.fixture
def agents(world: World) -> World:
    """The workspace with two agents, Eve and Mallory."""
    with world.recorder.unseen():
        for name in ("eve", "mallory"):
            world.keys[name] = world.accounts.create_key("acme", KeyKind.SECRET, name, Role.AGENT, name.title())
    return world


@pytest.fixture
def opened(agents: World) -> Taken:
    """A conversation that a text message opened."""
    taken = take(agents, sms(agents, "in-1", "Is it open?"))
    agents.now += timedelta(seconds=1)
    return taken


def change(world: World, taken: Taken, what: str, key: str = "eve", **body: Any) -> tuple[int, dict[str, Any]]:
    return world.call("conversations", f"{ROUTE}{what}", body, key, path={"conversation": taken.conversation})


def changed(world: World, taken: Taken, what: str, key: str = "eve", **body: Any) -> dict[str, Any]:
    status, answer = change(world, taken, what, key, **body)
    assert status == 200, answer
    assert counts(world) == recounted(world)
    return answer


def show(world: World, taken: Taken, **query: str) -> dict[str, Any]:
    path = {"conversation": taken.conversation}
    status, answer = world.call(
        "conversations", "GET /v1/conversations/{conversation}", key="eve", path=path, query=query
    )
    assert status == 200, answer
    return answer


def listed(world: World, **query: str) -> list[str]:
    """The ids of the listed conversations, over all pages of two."""
    found: list[str] = []
    while True:
        status, answer = world.call("conversations", "GET /v1/conversations", key="eve", query={"limit": "2", **query})
        assert status == 200, answer
        found += [one["conversation"] for one in answer["conversations"]]
        if not answer["cursor"]:
            return found
        query["cursor"] = answer["cursor"]


def told(world: World, taken: Taken, name: str) -> dict[str, Any]:
    """The properties of the one event of a name."""
    world.pump()
    (event,) = [one for one in world.of_contact(taken.contact, "events") if one["event"] == name]
    found: dict[str, Any] = event["properties"]
    return found


def test_an_agent_takes_a_new_conversation_and_it_goes_on_in_their_name(agents: World, opened: Taken) -> None:
    answer = changed(agents, opened, "take")
    assert (answer["state"], answer["agent"]) == ("ongoing", "Eve")
    assert counts(agents) == {("default", "ongoing"): 1}
    assert told(agents, opened, "Conversation Taken") == {
        "conversation": opened.conversation,
        "channel": "sms",
        "agent": "Eve",
        "by": "Eve",
        "from_agent": "",
        "from_state": "new",
        "state": "ongoing",
    }


def test_taking_it_again_changes_nothing(agents: World, opened: Taken) -> None:
    before = changed(agents, opened, "take")
    agents.recorder.clear()
    assert changed(agents, opened, "take") == before
    assert "dynamodb:TransactWriteItems" not in agents.recorder.names()


def test_a_conversation_can_be_assigned_to_somebody_else(agents: World, opened: Taken) -> None:
    assert changed(agents, opened, "take", agent="Mallory")["agent"] == "Mallory"
    assert told(agents, opened, "Conversation Taken")["by"] == "Eve"


def test_a_transfer_to_another_inbox_leaves_it_to_whoever_takes_it_there_with_a_note(
    agents: World, opened: Taken
) -> None:
    agents.call("policy", "PUT /v1/inboxes/{inbox}", {"title": "Sales"}, path={"inbox": "sales"})
    changed(agents, opened, "take")
    answer = changed(agents, opened, "transfer", inbox="sales", note="Wants a quote.")
    assert (answer["inbox"], answer["agent"], answer["state"]) == ("sales", "", "ongoing")
    assert counts(agents) == {("sales", "ongoing"): 1}
    assert [(one["direction"], one["text"], one["who"]) for one in show(agents, opened)["entries"]] == [
        ("in", "Is it open?", PERSON),
        ("note", "Wants a quote.", "Eve"),
    ]
    said = told(agents, opened, "Conversation Transferred")
    assert (said["from_inbox"], said["inbox"], said["from_agent"], said["agent"], said["by"]) == (
        *("default", "sales", "Eve", "", "Eve"),
    )


@pytest.mark.parametrize(
    ("what", "body", "status", "code"),
    [
        ("transfer", {}, 400, "missing_field"),
        ("transfer", {"inbox": "nowhere"}, 404, "unknown_inbox"),
        ("hold", {"until": "2020-01-01T00:00:00Z"}, 400, "invalid_until"),
        ("hold", {"until": "2030-01-01T00:00:00Z"}, 400, "invalid_until"),
        ("hold", {"until": "soon"}, 400, "invalid_until"),
        ("resolve", {"type": "question", "category": "none", "key_message": "x"}, 404, "unknown_category"),
        ("resolve", {"type": "chat", "category": "general", "key_message": "x"}, 400, "invalid_request"),
        ("resolve", {"type": "question", "category": "general"}, 400, "invalid_request"),
        ("notes", {"text": ""}, 400, "invalid_request"),
        ("take", {"revision": 7}, 409, "conversation_changed"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    agents: World, opened: Taken, what: str, body: dict[str, Any], status: int, code: str
) -> None:
    before = agents.items("TABLE_CONVERSATIONS")
    answered, answer = change(agents, opened, what, **body)
    assert (answered, answer["code"]) == (status, code), answer
    assert agents.items("TABLE_CONVERSATIONS") == before
    assert agents.executions == {}


def test_a_change_of_what_somebody_else_changed_is_refused_with_the_conversation_as_it_is(
    agents: World, opened: Taken
) -> None:
    changed(agents, opened, "take", "mallory", revision=1)
    status, answer = change(agents, opened, "take", "eve", revision=1)
    assert (status, answer["code"]) == (409, "conversation_changed")
    assert (answer["conversation"]["agent"], answer["conversation"]["revision"]) == ("Mallory", 2)


def test_a_hold_ends_by_itself_at_its_instant_without_anybody_looking(agents: World, opened: Taken) -> None:
    until = later(3600)
    answer = changed(agents, opened, "hold", until="2026-11-21T10:00:00Z")
    assert (answer["state"], answer["wakes_at"]) == ("on_hold", "2026-11-21T10:00:00.000000Z")
    (arn,) = agents.executions
    assert arn.startswith(LATER.replace(":stateMachine:", ":execution:"))
    agents.run(timedelta(minutes=59))
    assert conversation(agents, opened).state == "on_hold"
    agents.run(timedelta(minutes=2))
    found = conversation(agents, opened)
    assert (found.state, found.wakes_at) == ("ongoing", None)
    assert agents.now >= until
    assert told(agents, opened, "Conversation Resumed")["by"] == "time"
    assert counts(agents) == recounted(agents) == {("default", "ongoing"): 1}


@pytest.mark.parametrize("meanwhile", ["resume", "hold", "resolve"])
def test_the_end_of_a_hold_that_was_changed_meanwhile_does_nothing(
    agents: World, opened: Taken, meanwhile: str
) -> None:
    changed(agents, opened, "hold", until="2026-11-21T10:00:00Z")
    more = {
        "resume": {},
        "hold": {"until": "2026-11-21T12:00:00Z"},
        "resolve": {"type": "task", "category": "general", "key_message": "Done."},
    }
    before = changed(agents, opened, meanwhile, **more[meanwhile])
    agents.run(timedelta(hours=2))
    assert show(agents, opened)["revision"] == before["revision"]


def test_the_machine_may_wake_a_hold_as_often_as_it_likes(agents: World, opened: Taken) -> None:
    changed(agents, opened, "hold", until="2026-11-21T10:00:00Z")
    agents.run(timedelta(hours=2))
    before = show(agents, opened)
    woken = {"workspace": "acme", "conversation": opened.conversation, "at": "2026-11-21T10:00:00.000000Z"}
    assert agents.invoke("wake_conversations", woken) == {}
    assert agents.invoke("wake_conversations", {**woken, "conversation": "c-gone"}) == {}
    assert show(agents, opened) == before


def test_a_message_that_comes_in_ends_a_hold(agents: World, opened: Taken) -> None:
    changed(agents, opened, "hold")
    take(agents, sms(agents, "in-2", "Hello?", later(60)))
    assert conversation(agents, opened).state == "ongoing"
    assert told(agents, opened, "Conversation Resumed")["by"] == "inbound"
    assert counts(agents) == recounted(agents) == {("default", "ongoing"): 1}


def test_resolving_puts_type_category_and_key_message_on_the_timeline(agents: World, opened: Taken) -> None:
    agents.call("policy", "PUT /v1/categories/{category}", {"title": "Opening hours"}, path={"category": "hours"})
    said = {"type": "question", "category": "hours", "key_message": "Asked for Sunday."}
    answer = changed(agents, opened, "resolve", **said)
    assert answer["state"] == "resolved"
    assert {name: answer["resolution"][name] for name in said} == said
    assert answer["resolution"]["by"] == "Eve"
    event = told(agents, opened, "Conversation Resolved")
    assert {name: event[name] for name in said} == said
    assert changed(agents, opened, "resolve", **said) == answer
    status, refused = change(agents, opened, "resolve", **{**said, "type": "problem"})
    assert (status, refused["code"]) == (409, "conversation_resolved")
    assert change(agents, opened, "take")[1]["code"] == "conversation_resolved"


def test_what_comes_in_after_it_was_resolved_opens_a_new_conversation(agents: World, opened: Taken) -> None:
    changed(agents, opened, "resolve", type="task", category="general", key_message="Done.")
    again = take(agents, sms(agents, "in-2", "One more thing", later(60)))
    assert again.opened
    assert again.conversation != opened.conversation
    assert texts(agents, opened.conversation) == ["Is it open?"]
    assert counts(agents) == recounted(agents) == {("default", "resolved"): 1, ("default", "new"): 1}


def test_a_note_is_kept_once_for_its_key_and_leaves_the_conversation_as_it_is(agents: World, opened: Taken) -> None:
    before = show(agents, opened)
    first = changed(agents, opened, "notes", text="Angry.", idempotency_key="k")
    agents.now += timedelta(seconds=5)
    assert changed(agents, opened, "notes", text="Angry.", idempotency_key="k") == first
    after = show(agents, opened)
    assert {**after, "entries": before["entries"]} == before
    assert [one["text"] for one in after["entries"]] == ["Is it open?", "Angry."]
    assert told(agents, opened, "Conversation Noted")["by"] == "Eve"


def test_a_note_of_two_calls_at_once_is_kept_once(agents: World, opened: Taken) -> None:
    asked = {"text": "Angry.", "idempotency_key": "k"}
    answers = []

    def between(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            agents.recorder.before = None
            agents.now += timedelta(seconds=1)
            answers.append(changed(agents, opened, "notes", **asked))

    agents.recorder.before = between
    answers.append(changed(agents, opened, "notes", **asked))
    assert answers[0] == answers[1]
    assert [one["text"] for one in show(agents, opened)["entries"]] == ["Is it open?", "Angry."]
    assert told(agents, opened, "Conversation Noted")["entry"] == answers[0]["entry"]


def test_the_note_of_a_transfer_to_where_the_conversation_is_already_is_kept(agents: World, opened: Taken) -> None:
    changed(agents, opened, "transfer", agent="Mallory")
    before = show(agents, opened)
    answer = changed(agents, opened, "transfer", agent="Mallory", note="Call before noon.")
    assert answer["revision"] == before["revision"]
    assert [one["text"] for one in show(agents, opened)["entries"]] == ["Is it open?", "Call before noon."]
    assert told(agents, opened, "Conversation Noted")["by"] == "Eve"


def test_conversations_are_listed_latest_first_over_all_inboxes_and_by_what_is_asked(agents: World) -> None:
    for inbox, channel in (("mail", "email"), ("other", "sms")):
        body = {"channels": [channel]} if inbox == "mail" else {"addresses": ["+48732000222"]}
        agents.call("policy", "PUT /v1/inboxes/{inbox}", body, path={"inbox": inbox})
    came = []
    for number in range(4):
        said = {"sender": f"+4860010030{number}", "to": OURS if number % 2 else "+48732000222"}
        came.append(take(agents, sms(agents, f"in-{number}", "Hi", later(number), **said)))
    for number in range(3):
        said = {"sender": f"p{number}@people.example"}
        came.append(take(agents, mail(agents, f"m-{number}", "Hi", later(10), **said)))
    changed(agents, came[0], "take")
    names = [one.conversation for one in came]
    assert listed(agents)[3:] == names[3::-1]
    assert set(listed(agents)[:3]) == set(names[4:])
    assert listed(agents, inbox="other") == [names[2], names[0]]
    assert set(listed(agents, inbox="mail")) == set(names[4:])
    assert listed(agents, agent="Eve") == listed(agents, state="ongoing") == [names[0]]
    assert set(listed(agents, channel="email")) == set(names[4:])
    assert listed(agents, state="open") == listed(agents)
    assert listed(agents, state="resolved") == []
    assert agents.call("conversations", "GET /v1/conversations/counts", key="eve")[1] == {
        "inboxes": {
            "default": {"new": 2, "ongoing": 0, "on_hold": 0, "resolved": 0},
            "mail": {"new": 3, "ongoing": 0, "on_hold": 0, "resolved": 0},
            "other": {"new": 1, "ongoing": 1, "on_hold": 0, "resolved": 0},
        },
        "total": {"new": 6, "ongoing": 1, "on_hold": 0, "resolved": 0},
    }


def test_what_stands_in_a_conversation_is_shown_page_by_page_in_the_order_of_time(agents: World, opened: Taken) -> None:
    for number in range(5, 0, -1):
        take(agents, sms(agents, f"in-{number + 1}", str(number), later(number)))
    found: list[str] = []
    cursor = ""
    while True:
        page = show(agents, opened, limit="2", cursor=cursor)
        found += [one["text"] for one in page["entries"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert found == ["Is it open?", "1", "2", "3", "4", "5"]


def test_a_page_of_long_texts_is_shorter_than_asked_for_and_loses_none(agents: World, opened: Taken) -> None:
    long = "\N{GRINNING FACE}" * 10_000
    for n in range(60):
        changed(agents, opened, "notes", text=f"{n} {long}"[:10_000])
        agents.now += timedelta(seconds=1)
    found: list[str] = []
    sizes, query = [], {"limit": "200"}
    while len(sizes) < 5:
        path = {"conversation": opened.conversation}
        status, answer = agents.call("conversations", "GET /v1/conversations/{conversation}", path=path, query=query)
        assert status == 200
        found += [one["text"].partition(" ")[0] for one in answer["entries"]]
        sizes.append(sum(len(one["text"].encode()) for one in answer["entries"]))
        if not answer["cursor"]:
            break
        query = {"limit": "200", "cursor": answer["cursor"]}
    assert found == ["Is", *map(str, range(60))]
    assert len(sizes) == 2
    assert max(sizes) <= 1_500_000


def test_conversations_that_are_left_out_of_a_listing_are_read_many_at_once(agents: World) -> None:
    for n in range(12):
        take(agents, sms(agents, f"in-{n}", sender=f"+4860010{n:04}"))
    agents.recorder.clear()
    status, answer = agents.call("conversations", "GET /v1/conversations", query={"channel": "email", "limit": "1"})
    assert (status, answer["conversations"]) == (200, [])
    assert (
        len([one for one in agents.recorder.calls if one.operation == "Query"]) == 2
    )  # one for each part of the index


def pages(world: World, **query: str) -> list[tuple[list[str], int, int]]:
    """Each page of a listing: the ids on it, how many conversations were read for it, and by how many queries."""
    found: list[tuple[list[str], int, int]] = []
    cursor = ""
    while cursor or not found:
        world.recorder.clear()
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        status, answer = world.call("conversations", "GET /v1/conversations", key="eve", query=asked)
        assert status == 200, answer
        queries = [one.answer or {} for one in world.recorder.calls if one.operation == "Query"]
        names = [one["conversation"] for one in answer["conversations"]]
        found.append((names, sum(one["ScannedCount"] for one in queries), len(queries)))
        assert answer["cursor"] != cursor, "a page that comes no further"
        cursor = answer["cursor"]
    return found


@pytest.fixture
def shared(agents: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sixty conversations, two at each instant, of which Eve took every seventh; hers, those written in last first."""
    monkeypatch.setattr(listing, "READ_MOST", 12)
    monkeypatch.setattr(listing, "AT_ONCE", 3)
    hers = []
    with agents.recorder.unseen():
        for n in range(60):
            taken = take(agents, sms(agents, f"in-{n}", "Hi", later(n // 2), sender=f"+4860010{n:04}"))
            if n % 7 == 0:
                changed(agents, taken, "take")
                hers.append((later(n // 2), taken.conversation))
            elif n % 7 < 4:
                changed(agents, taken, "take", agent="Mallory")
    return [name for _, name in sorted(hers, reverse=True)]


@pytest.mark.parametrize("limit", ["1", "2", "5", "100"])
@pytest.mark.parametrize("state", ["", "open", "ongoing"])
def test_pages_of_an_agent_read_a_bounded_part_and_have_each_of_theirs_once(
    agents: World, shared: list[str], limit: str, state: str
) -> None:
    found = pages(agents, agent="Eve", limit=limit, **({"state": state} if state else {}))
    assert [name for names, _, _ in found for name in names] == shared
    assert max(read for _, read, _ in found) <= 12
    assert max(queries for _, _, queries in found) <= 8
    assert max(len(names) for names, _, _ in found) <= int(limit)


def test_pages_of_an_agent_who_has_none_end(agents: World, shared: list[str]) -> None:
    found = pages(agents, agent="Nobody", state="ongoing")
    assert all(names == [] for names, _, _ in found)
    assert max(read for _, read, _ in found) <= 12
    assert sum(read for _, read, _ in found) <= 3 * 60


def test_more_conversations_of_one_instant_than_a_page_reads_lose_none(
    agents: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "READ_MOST", 4)
    monkeypatch.setattr(listing, "AT_ONCE", 2)
    at = [0, *(1 for _ in range(15)), 2]
    came = [
        take(agents, sms(agents, f"in-{n}", "Hi", later(minute), sender=f"+4860010{n:04}"))
        for n, minute in enumerate(at)
    ]
    found = [name for names, _, _ in pages(agents, channel="sms", limit="2") for name in names]
    assert sorted(found) == sorted(one.conversation for one in came)
    assert (found[0], found[-1]) == (came[-1].conversation, came[0].conversation)


def test_a_listing_of_everything_reads_no_more_than_its_pages(agents: World, shared: list[str]) -> None:
    found = pages(agents, limit="10")
    assert [len(names) for names, _, _ in found] == [10] * 6
    assert len({name for names, _, _ in found for name in names}) == 60


def test_a_contact_lists_its_conversations(agents: World, opened: Taken) -> None:
    path = {"contact": opened.contact}
    status, answer = agents.call("contacts", "GET /v1/contacts/{contact}/conversations", key="eve", path=path)
    assert status == 200
    assert [one["conversation"] for one in answer["conversations"]] == [opened.conversation]


def test_one_change_is_one_read_and_one_transaction(agents: World, opened: Taken) -> None:
    changed(agents, opened, "take")
    agents.recorder.clear()
    changed(agents, opened, "hold")
    assert agents.recorder.names() == ["dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"]
