"""Facts made up for tests, which remember what they were asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tidings.conditions.facts import EventQuery, Occurrence

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


@dataclass
class MadeUpFacts:
    traits: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    instants: Mapping[str, datetime] = field(default_factory=dict)
    events: Mapping[str, list[Occurrence]] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    engaged: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    asked: list[EventQuery] = field(default_factory=list)
    engagements_asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    read: int = 0
    is_known: bool = False

    def instant(self, name: str) -> datetime | None:
        return self.instants.get(name)

    def occurrences(self, query: EventQuery) -> Iterator[Occurrence]:
        self.asked.append(query)
        for occurrence in self.events.get(query.event, []):
            if query.since is None or occurrence.received_at >= query.since:
                self.read += 1
                yield occurrence

    def engagements(self, component: str, kinds: Collection[str]) -> Mapping[str, datetime]:
        self.engagements_asked.append((component, tuple(kinds)))
        return self.engaged.get(component, {})  # more than was asked for: whoever asks takes what it asked for

    def has_sent(self, component: str) -> bool:
        return component in self.engaged
