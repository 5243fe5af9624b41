"""What `react` knows of a workspace's automations: without a read for each, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from benchmarks import listening
from tests.support.recorder import Call
from tests.support.world import START, WORKSPACE, World, variables

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import REQUESTED
from tidings.automations.definition.model import parse_definition
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.listening import index_store
from tidings.automations.listening.index_store import DynamoIndexStore, IndexItem
from tidings.automations.listening.listeners import Listeners
from tidings.automations.store import Automation, DynamoAutomationStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.core.errors import Unavailable
from tidings.core.ids import digest
from tidings.core.store import ConditionFailed

TABLE = variables()["TABLE_AUTOMATIONS"]
COMPONENTS = {"start": "tips", "components": {"tips": {"type": "send_email", "template": "tips"}}}


def written(name: str, event: str = "Bought", **more: Any) -> dict[str, Any]:
    """An automation that an event starts."""
    return {"automation": name, "trigger": {"event": event}, **COMPONENTS, **more}


def event_of(name: str, workspace: str = WORKSPACE, kind: str = "track", **properties: Any) -> Event:
    """An event of Ada's."""
    ada = Identity(IdentityKind.USER, "ada")
    return Event(workspace, ada, "m-1", kind, name, START, START, user_id="ada", properties=properties)


class Publisher:
    """Publishes straight into the stores, as the service does."""

    def __init__(self, world: World) -> None:
        self.automations = DynamoAutomationStore(world.database)
        self.index = DynamoIndexStore(world.database, self.automations)
        self.workspaces = DynamoWorkspaceStore(world.database)

    def publish(self, definition: dict[str, Any], workspace: str = WORKSPACE, index: bool = True) -> Automation:
        """Make it live; without `index`, as before there was one."""
        before = self.automations.live(workspace, definition["automation"])
        parsed = parse_definition(definition)
        version = 1 if before is None else before.version + 1
        live = Automation(
            workspace, parsed, version, f"arn:{digest(parsed.automation)}", START, parsed.awaits, parsed.lets_out
        )
        grown = self.workspaces.grow_generation(workspace)
        if index:
            self.index.write(workspace, before, live, lambda parts: self.automations.publish(live, grown, *parts))
        else:
            self.automations.publish(live, grown)
        return live

    def listeners(self, workspace: str = WORKSPACE, **more: Any) -> Listeners:
        """What a process knows that begins now."""
        listeners = Listeners(self.automations, self.index, **more)
        self.refresh(listeners, workspace)
        return listeners

    def refresh(self, listeners: Listeners, workspace: str = WORKSPACE) -> None:
        """What a batch does first."""
        found = self.workspaces.get(workspace, consistent=True)
        assert found is not None
        listeners.refresh(found)


@pytest.fixture
def publisher(world: World) -> Publisher:
    return Publisher(world)


@contextmanager
def pieces_of(monkeypatch: pytest.MonkeyPatch, size: int) -> Iterator[None]:
    """Let pieces be split that are larger than so many bytes."""
    with monkeypatch.context() as patched:
        patched.setattr(index_store, "PIECE_BYTES", size)
        yield


def names(listeners: Listeners, event: Event) -> list[str]:
    return sorted(one.name for one in listeners.to(event))


# --- no read for each automation --------------------------------------------------------------------------------------


def test_one_query_loads_all_automations_and_an_event_reads_none(world: World, publisher: Publisher) -> None:
    for number in range(30):
        publisher.publish(written(f"one-{number}", "Bought" if number % 3 == 0 else f"Event {number}"))
    world.recorder.clear()
    listeners = publisher.listeners()
    assert world.recorder.names() == ["dynamodb:GetItem", "dynamodb:Query"], "the workspace and its index"
    world.recorder.clear()
    assert len(listeners.to(event_of("Bought"))) == 10
    assert [one.trigger.where for one in listeners.to(event_of("Bought"))] == [None] * 10
    assert not listeners.awaits(WORKSPACE, "Bought")
    assert world.recorder.names() == []


def test_an_event_that_nobody_hears_costs_the_same_whatever_is_published(world: World) -> None:
    world.template("tips")
    world.identify("ada", email="ada@people.example")
    costs = []
    for number in range(3):
        world.automation(written(f"one-{number}", f"Event {number}"))
        world.track("ada", "Nothing")  # the index is loaded again
        world.recorder.clear()
        world.track("ada", "Nothing")
        costs.append(world.recorder.names())
    assert costs[0] == costs[1] == costs[2]


def test_a_definition_is_read_when_somebody_enters_and_once(world: World) -> None:
    world.template("tips")
    where = {"event": "Bought", "where": {"property": "plan", "is": "team"}}
    world.automation(written("one") | {"trigger": where})
    world.identify("ada", email="ada@people.example")
    world.track("ada", "Bought", plan="solo")

    def reads() -> int:
        return sum("version#one" in str(call.arguments) for call in world.recorder.of("dynamodb:BatchGetItem"))

    world.recorder.clear()
    world.track("ada", "Bought", plan="solo")
    assert reads() == 0, "the condition is in the index"
    world.track("ada", "Bought", plan="team")
    world.track("ada", "Bought", plan="team")
    assert reads() == 1
    assert len(world.executions) == 2


def test_only_pieces_that_changed_are_unpacked_again(
    world: World, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pieces_of(monkeypatch, 400):
        for number in range(12):
            publisher.publish(written(f"one-{number}"))
        listeners = publisher.listeners()
        before = {id(one): one.name for one in listeners.to(event_of("Bought"))}
        publisher.publish(written("one-3", description="changed"))
        publisher.refresh(listeners)
        kept = [one.name for one in listeners.to(event_of("Bought")) if id(one) in before]
    assert "one-3" not in kept
    assert 0 < len(kept) < 12
    assert len(before) == 12


# --- pieces ----------------------------------------------------------------------------------------------------------


def test_a_piece_that_grows_too_large_is_split_and_nothing_is_lost(
    world: World, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pieces_of(monkeypatch, 400):
        for number in range(40):
            publisher.publish(written(f"one-{number}", description=f"number {number}"))
    items = [item for item in world.items("TABLE_AUTOMATIONS") if item["sk"]["S"].startswith("index#")]
    leaves = [item for item in items if "packed" in item]
    assert len(leaves) > 4
    assert {item["sk"]["S"] for item in items} - {item["sk"]["S"] for item in leaves}, "marks of what was split"
    assert len(names(publisher.listeners(), event_of("Bought"))) == 40


def test_publishing_writes_one_piece_however_many_there_are(
    world: World, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pieces_of(monkeypatch, 400):
        for number in range(20):
            publisher.publish(written(f"one-{number}"))
    world.recorder.clear()
    publisher.publish(written("one-7", "Sold"))
    (written_once,) = world.recorder.of("dynamodb:TransactWriteItems")
    keys = [str(part) for part in written_once.arguments["TransactItems"]]
    assert sum("index#" in key for key in keys) == 1
    assert names(publisher.listeners(), event_of("Sold")) == ["one-7"]
    assert len(names(publisher.listeners(), event_of("Bought"))) == 19


def test_an_automation_that_is_taken_out_is_not_heard_any_more(world: World, publisher: Publisher) -> None:
    live = publisher.publish(written("one"))
    publisher.publish(written("two"))
    grown = publisher.workspaces.grow_generation(WORKSPACE)
    publisher.index.write(WORKSPACE, live, None, lambda parts: world.database.transact([grown, *parts]))
    assert names(publisher.listeners(), event_of("Bought")) == ["two"]


def test_where_an_automation_stands_changes_with_the_index(world: World, publisher: Publisher) -> None:
    live = publisher.publish(written("one"))
    paused, grown = replace(live, state=AutomationState.PAUSED), publisher.workspaces.grow_generation(WORKSPACE)
    publisher.index.write(
        WORKSPACE,
        live,
        paused,
        lambda parts: publisher.automations.change_state(live, AutomationState.PAUSED, grown, *parts),
    )
    (found,) = publisher.listeners().to(event_of("Bought"))
    assert found.state is AutomationState.PAUSED


# --- at once ----------------------------------------------------------------------------------------------------------


def test_two_publications_at_once_keep_both_entries(world: World, publisher: Publisher) -> None:
    publisher.publish(written("first"))
    meanwhile = iter(["second"])

    def between(call: Call) -> None:
        if call.name == "dynamodb:TransactWriteItems" and (name := next(meanwhile, "")):
            publisher.publish(written(name))

    world.recorder.before = between
    publisher.publish(written("third"))
    world.recorder.before = None
    assert names(publisher.listeners(), event_of("Bought")) == ["first", "second", "third"]


def test_two_first_publications_at_once_keep_both_entries(world: World, publisher: Publisher) -> None:
    meanwhile = iter(["second"])

    def between(call: Call) -> None:
        if call.name == "dynamodb:TransactWriteItems" and (name := next(meanwhile, "")):
            publisher.publish(written(name))

    world.recorder.before = between
    publisher.publish(written("first"))
    world.recorder.before = None
    assert names(publisher.listeners(), event_of("Bought")) == ["first", "second"]


def test_a_publication_during_a_split_keeps_both_entries(
    world: World, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pieces_of(monkeypatch, 700):
        publisher.publish(written("first"))
        meanwhile = iter(range(1))

        def between(call: Call) -> None:
            if call.name == "dynamodb:TransactWriteItems" and next(meanwhile, None) is not None:
                for number in range(10):
                    publisher.publish(written(f"other-{number}", description=f"number {number}"))

        world.recorder.before = between
        publisher.publish(written("third"))
        world.recorder.before = None
    assert len(names(publisher.listeners(), event_of("Bought"))) == 12


def test_a_publication_that_others_keep_overtaking_gets_through_and_keeps_every_entry(
    world: World, publisher: Publisher
) -> None:
    meanwhile = iter(range(index_store.TRIES - 1))
    within = []

    def between(call: Call) -> None:
        if call.name == "dynamodb:TransactWriteItems" and not within and (number := next(meanwhile, None)) is not None:
            within.append(number)
            publisher.publish(written(f"other-{number}"))
            within.clear()

    world.recorder.before = between
    publisher.publish(written("first"))
    world.recorder.before = None
    assert len(names(publisher.listeners(), event_of("Bought"))) == index_store.TRIES


def test_who_never_gets_through_is_told_so(world: World, publisher: Publisher) -> None:
    def refuse(parts: Any) -> None:
        raise ConditionFailed(["index"])

    live = publisher.publish(written("one"))
    with pytest.raises(Unavailable) as told:
        publisher.index.write(WORKSPACE, live, live, refuse)
    assert told.value.code == "index_contended"


def test_a_conflict_about_the_automation_itself_is_not_repeated(world: World, publisher: Publisher) -> None:
    tries = []

    def refuse(parts: Any) -> None:
        tries.append(parts)
        raise ConditionFailed(["index", "live"])

    live = publisher.publish(written("one"))
    with pytest.raises(ConditionFailed):
        publisher.index.write(WORKSPACE, live, live, refuse)
    assert len(tries) == 1


# --- workspaces from before there was an index ------------------------------------------------------------------------


def test_automations_from_before_there_was_an_index_are_heard(world: World, publisher: Publisher) -> None:
    for name in ("one", "two"):
        publisher.publish(written(name), index=False)
    assert names(publisher.listeners(), event_of("Bought")) == ["one", "two"]
    assert not [item for item in world.items("TABLE_AUTOMATIONS") if item["sk"]["S"].startswith("index#")]


def test_the_next_publication_makes_the_index_of_all(world: World, publisher: Publisher) -> None:
    for name in ("one", "two"):
        publisher.publish(written(name), index=False)
    publisher.publish(written("three"))
    publisher.publish(written("two", "Sold"))
    listeners = publisher.listeners()
    assert names(listeners, event_of("Bought")) == ["one", "three"]
    assert names(listeners, event_of("Sold")) == ["two"]


def test_when_an_automation_was_first_published_is_asked_only_where_the_index_does_not_say(
    world: World, publisher: Publisher
) -> None:
    publisher.publish(written("old"), index=False)
    publisher.publish(written("old", "Opened"), index=False)
    publisher.publish(written("old", "Sold"))
    publisher.publish(written("new"))
    listeners = publisher.listeners()
    (old,), (new,) = listeners.to(event_of("Sold")), listeners.to(event_of("Bought"))
    world.recorder.clear()
    assert listeners.first_published(new) == START
    assert world.recorder.names() == []
    for _ in range(2):
        assert listeners.first_published(old) == START
    assert world.recorder.names().count("dynamodb:Query") == 1


# --- what a process keeps ---------------------------------------------------------------------------------------------


def test_a_process_keeps_only_so_much_and_hears_everything_all_the_same(world: World, publisher: Publisher) -> None:
    publisher.publish(written("here"))
    publisher.publish(written("there"), "other")
    listeners = publisher.listeners(kept_bytes=1)
    publisher.refresh(listeners, "other")  # in the same batch
    for _ in range(2):
        assert names(listeners, event_of("Bought")) == ["here"]
        assert names(listeners, event_of("Bought", "other")) == ["there"]


def test_a_workspace_without_automations_reads_nothing(world: World, publisher: Publisher) -> None:
    world.recorder.clear()
    listeners = publisher.listeners()
    assert listeners.to(event_of("Bought")) == []
    assert world.recorder.names() == ["dynamodb:GetItem"]


# --- whose an event is ------------------------------------------------------------------------------------------------


def test_an_event_that_names_an_automation_starts_that_one_only(publisher: Publisher) -> None:
    for name in ("one", "two"):
        publisher.publish(written(name) | {"trigger": {"api": True}})
    listeners = publisher.listeners()
    assert names(listeners, event_of(REQUESTED, kind=SYSTEM, automation="two")) == ["two"]
    assert names(listeners, event_of(REQUESTED, kind=SYSTEM, automation="three")) == []
    assert names(listeners, event_of(REQUESTED, kind=SYSTEM)) == []


def test_an_app_cannot_say_what_tidings_says(publisher: Publisher) -> None:
    publisher.publish(written("one") | {"trigger": {"api": True}})
    publisher.publish(written("two") | {"trigger": {"inbound": "any"}})
    listeners = publisher.listeners()
    assert names(listeners, event_of(REQUESTED, automation="one")) == []
    assert names(listeners, event_of("SMS Received")) == []
    assert names(listeners, event_of("SMS Received", kind=SYSTEM)) == ["two"]


def test_an_event_with_a_property_called_automation_starts_nothing_twice(publisher: Publisher) -> None:
    publisher.publish(written("one", "Form Submitted"))
    assert names(publisher.listeners(), event_of("Form Submitted", kind=SYSTEM, automation="one")) == ["one"]


def test_the_items_of_an_index_stay_far_below_what_an_item_holds(world: World, publisher: Publisher) -> None:
    publisher.publish(written("one"))
    items = world.database.table(IndexItem, "automations").query(WORKSPACE)
    assert all(len(item.packed or b"") <= index_store.PIECE_BYTES < 400 * 1024 for item in items if item.number)


def test_what_the_benchmark_measures_is_what_react_does() -> None:
    """It checks itself that as many listen as it says."""
    assert listening.measure(automations=40, listening=4)["pieces"] == 1
