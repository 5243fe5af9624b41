"""Facts made up for tests, which remember what they were asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tidings.conditions.model import EventQuery, Occurrence

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


@dataclass
class MadeUpFacts:
    traits: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    instants: Mapping[str, datetime] = field(default_factory=dict)
    events: Mapping[str, list[Occurrence]] = field(default_factory=dict)
    asked: list[EventQuery] = field(default_factory=list)
    read: int = 0

    def instant(self, name: str) -> datetime | None:
        return self.instants.get(name)

    def occurrences(self, query: EventQuery) -> Iterator[Occurrence]:
        self.asked.append(query)
        for occurrence in self.events.get(query.event, []):
            if query.since is None or occurrence.received_at >= query.since:
                self.read += 1
                yield occurrence
