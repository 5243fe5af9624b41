"""What enrolments and steps look like in their tables and are read as, and by which keys their indexes list them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from tidings.activity.chain import Node
from tidings.automations.enrolments.model import Enrolment, EnrolmentState, StepCall, StepTaken
from tidings.automations.statistics.tallies import is_component
from tidings.core.clock import from_text, to_text
from tidings.core.ids import shard
from tidings.core.store import Item, JsonAttribute

ENROLMENT_SHARDS = 4
# Ends the key of what an enrolment's event said, which stands right behind the enrolment.
TRIGGER = "#trigger"


class EnteredIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """An automation's enrolments, by when they began: what changes of them is not written twice, but for the state."""

    class Meta:
        index_name = "entered"
        projection = IncludeProjection(["state", "version"])

    automation_shard = UnicodeAttribute(hash_key=True)
    entered = UnicodeAttribute(range_key=True)


class StandingIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Who is inside an automation, by the state they came to last, and when its first wait ends."""

    class Meta:
        index_name = "standing"
        projection = IncludeProjection(["version", "until"])

    standing = UnicodeAttribute(hash_key=True)
    stands_until = UnicodeAttribute(range_key=True)


class TakenIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Steps by component, outcome and time."""

    class Meta:
        index_name = "taken"
        projection = IncludeProjection(["version"])

    acted = UnicodeAttribute(hash_key=True)
    taken = UnicodeAttribute(range_key=True)


class EnrolmentItem(Item):
    state = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    started_at = UnicodeAttribute(null=True)
    automation_shard = UnicodeAttribute(null=True)
    entered = UnicodeAttribute(null=True)
    standing = UnicodeAttribute(null=True)
    stands_until = UnicodeAttribute(null=True)
    machine = UnicodeAttribute(null=True)
    component = UnicodeAttribute(null=True)
    until = JsonAttribute(null=True)
    n = NumberAttribute(null=True)
    runs = NumberAttribute(null=True)
    run_at = UnicodeAttribute(null=True)
    run_n = NumberAttribute(null=True)
    conversation = UnicodeAttribute(null=True)
    waited = JsonAttribute(null=True)
    depth = NumberAttribute(null=True)
    event = JsonAttribute(null=True)
    root = UnicodeAttribute(null=True)
    stored_at = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    properties = JsonAttribute(null=True)
    why = JsonAttribute(null=True)
    left = JsonAttribute(null=True)
    ended = JsonAttribute(null=True)
    converted_at = UnicodeAttribute(null=True)
    erased_at = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    entered_index = EnteredIndex()
    standing_index = StandingIndex()


class StepItem(Item):
    component = UnicodeAttribute()
    outcome = UnicodeAttribute()
    next = UnicodeAttribute(null=True)
    until = JsonAttribute()
    at = UnicodeAttribute()
    why = JsonAttribute(null=True)
    version = NumberAttribute(null=True)
    acted = UnicodeAttribute(null=True)
    taken = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    taken_index = TakenIndex()


def entered_in(workspace: str, automation: str, number: int) -> str:
    """One shard of an automation's enrolments, in the index `entered`."""
    return f"{workspace}#{automation}#{number}"


def shard_at(whose: Enrolment | StepCall, component: str) -> str:
    """A contact's shard of a component: in the index `standing` of who came there last, in `taken` of its steps."""
    return f"{whose.workspace}#{whose.automation}#{component}#{shard_of(whose)}"


def shard_of(whose: Enrolment | StepCall) -> int:
    """Which shard of the indexes a contact's enrolments stand in."""
    return shard(whose.contact, ENROLMENT_SHARDS)


def until_of(whose: Enrolment | StepCall, until: Mapping[str, str], since: datetime) -> str:
    """By what those are sorted who are inside: when the first of their waits ends, else since when they are there."""
    first = next((end for wait, end in until.items() if is_component(wait)), to_text(since))
    return ordered(first, whose.contact, whose.entry)


def ordered(*parts: str) -> str:
    """The parts as a key that sorts by them, first by the first."""
    return "\t".join(parts)


def enrolment_in(item: EnrolmentItem) -> Enrolment:
    """The enrolment that a read item is."""
    workspace, _, contact = item.pk.partition("#")
    automation, _, entry = item.sk.partition("#")
    return Enrolment(
        workspace=workspace,
        contact=contact,
        automation=automation,
        version=int(item.version or 0),
        entry=entry,
        state=EnrolmentState(item.state),
        started_at=from_text(item.started_at or ""),
        machine=item.machine or "",
        component=item.component or "",
        until=item.until or {},
        n=int(item.n or 0),
        runs=int(item.runs or 0),
        event=item.event or {},
        root=Node.parse(item.root) if item.root else None,
        stored_at=from_text(item.stored_at) if item.stored_at else None,
        updated_at=from_text(item.updated_at) if item.updated_at else None,
        error=item.error or "",
        run_at=from_text(item.run_at) if item.run_at else None,
        run_n=int(item.run_n or 0),
        conversation=item.conversation or "",
        waited=item.waited or {},
        depth=int(item.depth or 0),
        left=item.left or {},
        ended=(item.ended[0], item.ended[1]) if item.ended else None,
        converted_at=from_text(item.converted_at) if item.converted_at else None,
        erased=bool(item.erased_at),
    )


def step_in(item: StepItem) -> StepTaken:
    """The step that a read item is."""
    return StepTaken(
        n=int(item.sk.rpartition("#")[2]),
        component=item.component,
        outcome=item.outcome,
        next=item.next or "",
        until=item.until,
        at=from_text(item.at),
        why=item.why or {},
    )
