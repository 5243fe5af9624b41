"""Taking calls in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from tidings.activity.calls import BATCH_MESSAGES, check_context, check_size, read_call
from tidings.activity.model import Event
from tidings.activity.rules import Reporter, to_event
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput


class EventStore(Protocol):
    """Where events are kept."""

    def add(self, event: Event) -> bool: ...
    def add_all(self, events: Sequence[Event]) -> int: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """An item of a batch that was not taken, and why."""

    index: int
    error: InvalidInput

    def as_dict(self) -> dict[str, Any]:
        """The refusal as the answer lists it."""
        return {"index": self.index, **self.error.as_dict()}


class IngestService:
    """One write and no reads for each call."""

    def __init__(self, events: EventStore, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    def take(self, reporter: Reporter, kind: str, message: Mapping[str, Any]) -> None:
        """Store one call of the given type. Raises InvalidInput, Throttled or Unavailable; a duplicate is a success."""
        now = self._clock.now()
        check_size(message)
        self._events.add(to_event(reporter, read_call({**message, "type": kind}), now))

    def take_batch(self, reporter: Reporter, body: Mapping[str, Any]) -> list[Refused]:
        """Store the good items of a batch; those refused, with their reasons.

        Raises InvalidInput if the batch itself is wrong, and then stores nothing. Raises Throttled or Unavailable if
        some could not be stored: others may be, and repeating the whole is safe.
        """
        now = self._clock.now()
        items = body.get("batch")
        if not isinstance(items, list):
            raise InvalidInput("invalid_type", "batch is a list of messages.", "batch")
        if len(items) > BATCH_MESSAGES:
            raise InvalidInput("batch_too_long", f"A batch has at most {BATCH_MESSAGES} messages.", "batch")
        shared = _shared(body)
        events: dict[tuple[str, str], Event] = {}
        refused = []
        for index, item in enumerate(items):
            # A microsecond apart, so that order within the batch is order in time.
            received_at = now + timedelta(microseconds=index)
            try:
                event = _batch_event(reporter, item, shared, received_at)
            except InvalidInput as error:
                refused.append(Refused(index, error))
                continue
            events.setdefault((str(event.identity), event.message_id), event)
        self._events.add_all(list(events.values()))
        return refused


def _shared(body: Mapping[str, Any]) -> dict[str, Any]:
    context = body.get("context")
    if context is not None and not isinstance(context, dict):
        raise InvalidInput("invalid_type", "context is an object.", "context")
    check_context(context or {})
    return {"context": context or {}, "sentAt": body.get("sentAt")}


def _batch_event(reporter: Reporter, item: Any, shared: Mapping[str, Any], received_at: datetime) -> Event:
    if not isinstance(item, dict):
        raise InvalidInput("invalid_type", "A message is an object.", "batch")
    check_size(item)  # its own size counts, not what the batch adds
    context = item.get("context")
    if context is None or isinstance(context, dict):
        context = {**shared["context"], **(context or {})}
    sent_at = item.get("sentAt") or shared["sentAt"]
    return to_event(reporter, read_call({**item, "context": context, "sentAt": sent_at}), received_at)
