"""The log of what happened to every message, which is also the queue of what SNS has yet to hear."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, cast

from tidings_cli.carriers.database import Database

SES_SUBJECT = "Amazon SES Email Event Notification"


class State(StrEnum):
    """Where an entry stands on its way to SNS."""

    PENDING = "pending"  # to be published, in the order of the log
    PUBLISHED = "published"
    FAILED = "failed"  # given up after several tries
    DROPPED = "dropped"  # held back by the fault `drop_events`
    HELD = "held"  # published later, as ordered
    UNSENT = "unsent"  # never meant for SNS: no configuration set, or something only a person sees


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a message; `target` names the configuration set that listens."""

    message: str
    type: str
    at: str
    target: str
    body: dict[str, Any]
    state: State = State.PENDING
    subject: str | None = None
    id: int = 0
    error: str | None = None


_COLUMNS = "id, message, type, at, target, subject, body, state, error"


class FeedbackLog:
    """Entries in the order in which they happened, and the topics they go to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entries: Iterable[Entry], held: bool = False) -> None:
        """Write entries down in their order; `held` back until they are released."""
        if held:
            late = {State.PENDING: State.HELD}
            entries = [replace(entry, state=late.get(entry.state, entry.state)) for entry in entries]
        self._database.change_many(
            "INSERT INTO feedback (message, type, at, target, subject, body, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(e.message, e.type, e.at, e.target, e.subject, json.dumps(e.body), e.state.value) for e in entries],
        )

    def of(self, messages: Sequence[str]) -> dict[str, list[Entry]]:
        """What happened to each of the messages, oldest first."""
        found: dict[str, list[Entry]] = {message: [] for message in messages}
        for start in range(0, len(messages), 500):  # SQLite bounds the number of values of one query
            part = messages[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"SELECT {_COLUMNS} FROM feedback WHERE message IN ({marks}) ORDER BY id"  # noqa: S608
            for row in self._database.rows(query, part):
                entry = _entry(row)
                found[entry.message].append(entry)
        return found

    def next_pending(self, targets: Sequence[str]) -> Entry | None:
        """The oldest entry that one of the targets has yet to hear."""
        marks = ",".join("?" * len(targets))
        query = f"SELECT {_COLUMNS} FROM feedback WHERE state = 'pending' AND target IN ({marks}) ORDER BY id LIMIT 1"  # noqa: S608
        rows = self._database.rows(query, targets)
        return _entry(rows[0]) if rows else None

    def settle(self, entry: Entry, state: State, error: str | None = None) -> None:
        """Note what became of an entry."""
        self._database.change("UPDATE feedback SET state = ?, error = ? WHERE id = ?", (state.value, error, entry.id))

    def release(self, message: str = "") -> None:
        """Let what was held back of a message, or of all, be published."""
        wish = "AND message = ?" if message else ""
        statement = f"UPDATE feedback SET state = 'pending' WHERE state = 'held' {wish}"  # noqa: S608
        self._database.change(statement, (message,) if message else ())

    def set_topic(self, target: str, topic_arn: str) -> None:
        """From now on the events of this target go to this topic."""
        self._database.change("INSERT OR REPLACE INTO topics VALUES (?, ?)", (target, topic_arn))

    def topic(self, target: str) -> str | None:
        """The topic of a target, None when there is no such target."""
        rows = self._database.rows("SELECT arn FROM topics WHERE target = ?", (target,))
        return cast(str, rows[0][0]) if rows else None

    def targets(self) -> list[str]:
        """Every target that has a topic, in the order of their names."""
        return [cast(str, row[0]) for row in self._database.rows("SELECT target FROM topics ORDER BY target")]

    def forget(self, messages: str) -> None:
        """Drop what is settled of the messages that a query names; what is still to be published is."""
        settled = "state NOT IN ('pending', 'held')"
        self._database.change(f"DELETE FROM feedback WHERE {settled} AND message IN ({messages})")  # noqa: S608


def _entry(row: tuple[object, ...]) -> Entry:
    number, message, kind, at, target, subject, body, state, error = cast(
        tuple[int, str, str, str, str, str | None, str, str, str | None], row
    )
    return Entry(message, kind, at, target, json.loads(body), State(state), subject, number, error)
