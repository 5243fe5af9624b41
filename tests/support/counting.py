"""What reports count, beside what the messages themselves say: the two have to be the same, whatever happened."""

from __future__ import annotations

from collections import Counter

from tests.support.world import World
from tidings.automations.statistics.tallies import DID, parts_of
from tidings.messages.model import Message, State
from tidings.messages.progress import HISTORY
from tidings.messages.report_store import DynamoReportStore
from tidings.messages.reports import MILESTONES, Row, row_of
from tidings.messages.store import DynamoMessageStore, MessageItem

Place = tuple[str | int, ...]
Counts = dict[Place, dict[str, int]]
# What a message is counted as while it is in that state, and by nothing else.
_BY_STATE = {State.SKIPPED: "skipped", State.REFUSED: "refused", State.UNKNOWN: "unknown"}


def messages_of(world: World) -> list[Message]:
    """All messages, as the code reads them."""
    store = DynamoMessageStore(world.database)
    model = world.database.table(MessageItem, "messages")
    return [store.entity(model.from_raw_data(item)) for item in world.items("TABLE_MESSAGES")]


def told(world: World) -> Counts:
    """How many messages came to which milestone, asked of each message."""
    found: dict[Place, Counter[str]] = {}
    for message in messages_of(world):
        counts = found.setdefault(_place(row_of(message)), Counter())
        counts.update(_milestones(message))
    return {row: dict(counts) for row, counts in found.items() if counts}


def counted(world: World, workspace: str = "acme") -> Counts:
    """The same as reports have it."""
    found: dict[Place, Counter[str]] = {}
    with world.recorder.unseen():
        rows = list(DynamoReportStore(world.database).rows(workspace, "2000-01-01", "2999-12-31"))
    for row in rows:
        counts = found.setdefault(_place(row), Counter())
        counts.update({name: number for name, number in row.counts.items() if name in MILESTONES})
    kept = {row: {name: number for name, number in counts.items() if number} for row, counts in found.items()}
    return {row: counts for row, counts in kept.items() if counts}


def _place(row: Row) -> Place:
    return (row.day, row.kind, row.source, row.name, row.component, row.template, row.version)


def _milestones(message: Message) -> list[str]:
    if message.state in _BY_STATE:
        return [_BY_STATE[message.state]]
    reported = set(MILESTONES) - set(_BY_STATE.values())
    return [name for name in sorted(reported) if HISTORY.get(name, name) in message.history]


def steps_told(world: World) -> dict[tuple[str, str], int]:
    """How often each component came to each outcome, asked of each step."""
    found = Counter((item["component"]["S"], item["outcome"]["S"]) for item in world.items("TABLE_STEPS"))
    return dict(found)


def steps_counted(world: World) -> dict[tuple[str, str], int]:
    """The same as statistics have it."""
    found: Counter[tuple[str, str]] = Counter()
    for item in world.items("TABLE_TALLIES"):
        component = item["sk"]["S"].partition("#")[2]
        for name, value in item.items():
            kind, *said = parts_of(name)
            if kind == DID:
                found[component, said[0]] += int(value["N"])
    return dict(found)
