"""A mail is sent at most once, ends in a stated state and is counted as what it is, whatever fails on its way.

Each way that a send can go is walked with a fault at each of its calls: before it, after it, and with its answer lost.
Then chance decides: two processes with the same order, SES's events, the sweep and what the person says interleave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.counting import counted, messages_of, told
from tests.support.examples import few
from tests.support.faults import MODES, Fault, Repeating
from tests.support.recorder import Call
from tests.support.world import World

from tidings.messages.model import Message, State

ADA = "ada@people.example"
OPEN = {State.CLAIMED, State.RELEASED}


def ready(world: World) -> World:
    """A person with an address, and templates."""
    world.template("tips")
    world.identify("ada", email=ADA)
    return world


def suppress(world: World, address: str = ADA) -> None:
    with world.recorder.unseen():
        status, _ = world.call(
            "suppressions",
            "PUT /v1/suppressions/{channel}/{address}",
            path={"channel": "email", "address": address},
        )
    assert status < 300


def sweep(world: World) -> None:
    """What a schedule does every few minutes: give up what never settled."""
    world.invoke("settle_messages", {"detail-type": "Scheduled Event", "source": "aws.events"})


def once(world: World, key: str = "k-1", **fields: Any) -> dict[str, Any] | None:
    """An order through the API; None if it is to be repeated."""
    body = {"to": {"user_id": "ada"}, "template": "tips", "idempotency_key": key, **fields}
    status, answer = world.call("send_email", "POST /v1/emails", body)
    assert status in {202, 429, 503}, answer
    return answer if status == 202 else None


# --- each way, with a fault at each call ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How a send goes: how SES fails, what happens before it and during it, and the states it may end in."""

    ends: frozenset[str]
    ses: tuple[str, ...] = ()
    before: Callable[[World], None] | None = None
    at_the_claim: Callable[[World], None] | None = None
    resend: bool = False
    reads: bool = False
    """Whether a fault strikes at reads too: what comes after a way's first decision reads nothing new."""


SENT = frozenset({"delivered"})
UNTAKEN = frozenset({"unknown"})
WAYS = {
    "sent": Way(SENT, reads=True),
    "skipped": Way(frozenset({"skipped"}), before=suppress),
    "throttled": Way(SENT, ses=("TooManyRequestsException",)),
    "refused": Way(frozenset({"refused"}), ses=("MessageRejected",)),
    "taken without an answer": Way(SENT, ses=("timeout",)),
    "not taken, without an answer": Way(UNTAKEN, ses=("lost",)),
    "sent again when unknown": Way(SENT, ses=("lost",), resend=True),
    "refused when sent again": Way(UNTAKEN, ses=("lost", "MessageRejected"), resend=True),
    "throttled when sent again": Way(SENT, ses=("lost", "TooManyRequestsException"), resend=True),
    "a no between decision and claim": Way(frozenset({"skipped"}), at_the_claim=suppress),
}
READS = {"GetItem", "BatchGetItem", "Query"}
ROUTES = ("api", "machine")
# How many calls each way makes at which a fault can strike, by API and from a machine.
CALLS = {
    "sent": (9, 6),
    "skipped": (2, 1),
    "throttled": (8, 6),
    "refused": (4, 3),
    "taken without an answer": (4, 3),
    "not taken, without an answer": (6, 4),
    "sent again when unknown": (9, 6),
    "refused when sent again": (9, 6),
    "throttled when sent again": (13, 9),
    "a no between decision and claim": (3, 2),
}


def cases() -> Iterator[Any]:
    for name, counts in CALLS.items():
        for route, count in zip(ROUTES, counts, strict=True):
            yield from (pytest.param(name, route, number, id=f"{name}, {route}, {number}") for number in range(count))


@dataclass
class Walk:
    """One way, walked to its end with at most one fault."""

    world: World
    way: Way
    fault: Fault | None = None
    calls: int = 0
    claims: int = 0
    repeating: Repeating = field(init=False)

    def __post_init__(self) -> None:
        self.repeating = Repeating(self.world)
        self.world.ses.failing = list(self.way.ses)
        self.world.recorder.before, self.world.recorder.after = self.before, self.after

    def before(self, call: Call) -> None:
        if self.world.running != "send_email":
            return
        self.calls += self._counts(call)
        if call.operation == "TransactWriteItems":
            self.claims += 1
            if self.claims == 1 and self.way.at_the_claim:
                self.way.at_the_claim(self.world)
        if self.fault and self._counts(call):
            self.fault.before(call)

    def after(self, call: Call) -> None:
        if self.fault and self._counts(call):
            self.fault.after(call)

    def _counts(self, call: Call) -> bool:
        return self.way.reads or call.operation not in READS

    def api(self) -> None:
        """The caller repeats what failed; the sweep and SES's events come between."""
        fields = {"kind": "transactional", **({"on_unknown": "resend"} if self.way.resend else {})}
        world = self.world
        for attempt in range(9):
            answer = self.repeating.tried(lambda: once(world, **fields))
            self.repeating.feedback()
            again = self.way.resend and (self.way.ends == SENT or world.ses.failing)
            if answer and answer["state"] not in OPEN | ({"unknown"} if again else set()):
                return
            world.now += timedelta(minutes=1 + attempt)
            sweep(world)

    def machine(self) -> None:
        """The machine repeats what failed."""
        tips = {"type": "send_email", "template": "tips", "kind": "transactional"}
        components = {"tips": {**tips, "on_unknown": "resend" if self.way.resend else "hold"}}
        self.world.recorder.paused = True
        self.world.automation(
            {"automation": "hello", "trigger": {"event": "Signed Up"}, "start": "tips", "components": components}
        )
        self.world.track("ada", "Signed Up")
        self.world.recorder.paused = False
        (execution,) = self.world.executions.values()
        execution.step(self.repeating.task)
        self.repeating.feedback()
        self.world.now += timedelta(minutes=5)
        sweep(self.world)


def walked(world: World, way: Way, route: str, fault: Fault | None = None) -> Walk:
    ready(world)
    if way.before:
        way.before(world)
    walk = Walk(world, way, fault)
    walk.api() if route == "api" else walk.machine()
    world.recorder.before = world.recorder.after = None
    return walk


def the_message(world: World) -> Message:
    (message,) = messages_of(world)
    return message


def at_most_once(world: World) -> bool:
    return all(times == 1 for times in Counter(world.ses.messages()).values())


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", WAYS)
def test_a_way_without_a_fault_ends_where_it_says(world: World, name: str, route: str) -> None:
    way = WAYS[name]
    walk = walked(world, way, route)
    assert the_message(world).state.value in way.ends
    assert len(world.ses.accepted) == (way.ends == SENT)
    assert counted(world) == told(world)
    assert walk.calls == dict(zip(ROUTES, CALLS[name], strict=True))[route]  # so that each has its cases


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "route", "number"), list(cases()))
def test_a_fault_at_any_call_sends_at_most_once_and_ends_in_a_stated_state(
    world: World, name: str, route: str, number: int, mode: str
) -> None:
    way = WAYS[name]
    fault = Fault(world, "send_email", number, mode)
    walk = walked(world, way, route, fault)
    message = the_message(world)
    assert at_most_once(world)
    assert counted(world) == told(world)
    if len(world.ses.accepted):
        assert message.state.value == "delivered"
    else:  # a fault leaves room for doubt, never for another end
        assert message.state.value in way.ends - SENT | {"unknown"}
    assert fault.struck or mode != "before" or walk.calls <= number


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_of_the_sweep_counts_a_lost_mail_as_unknown_once(world: World, mode: str) -> None:
    ready(world)
    world.ses.failing = ["lost"]
    once(world, kind="transactional")
    world.now += timedelta(minutes=5)
    fault = Fault(world, "settle_messages", 4, mode)  # after a query of each of the four shards
    world.recorder.before, world.recorder.after = fault.before, fault.after
    repeating = Repeating(world)
    for _ in range(3):
        repeating.tried(lambda: sweep(world), "settle_messages")
    assert fault.struck
    assert the_message(world).state is State.UNKNOWN
    assert counted(world) == told(world)


# --- a new version of the template in between -------------------------------------------------------------------------


def test_a_message_claimed_anew_by_a_newer_template_counts_in_that_row_alone(world: World) -> None:
    ready(world)
    world.ses.failing = ["lost"]
    once(world, kind="transactional", on_unknown="resend")
    world.now += timedelta(minutes=5)
    sweep(world)
    (before,) = counted(world)
    world.template("tips", subject="Newer tips")
    world.now += timedelta(days=1)
    answer = once(world, kind="transactional", on_unknown="resend")
    assert answer
    ((row, counts),) = counted(world).items()
    assert (answer["template_version"], before[-1], row[-1], counts) == (2, 1, 2, {"sent": 1})
    assert row[0] == before[0]  # the day of the first decision, not of the attempt
    assert [one["versions"] for one in answer["earlier"]] == [{"template": 1}]
    assert counted(world) == told(world)


def test_attempts_that_found_the_same_are_kept_as_one_decision(world: World) -> None:
    ready(world)
    world.ses.failing = ["TooManyRequestsException"] * 4
    for _ in range(4):
        assert once(world, kind="transactional") is None
        world.now += timedelta(seconds=1)
    answer = once(world, kind="transactional")
    assert answer
    assert (answer["state"], len(answer["earlier"])) == ("accepted", 1)
    assert answer["earlier"][0]["at"] < answer["decision"]["at"]


def test_a_person_s_no_after_an_unknown_mail_leaves_it_unknown(world: World) -> None:
    ready(world)
    world.ses.failing = ["timeout"]
    once(world, kind="transactional", on_unknown="resend")
    world.now += timedelta(minutes=5)
    sweep(world)
    suppress(world)
    answer = once(world, kind="transactional", on_unknown="resend")
    assert answer
    assert (answer["state"], len(world.ses.accepted)) == ("unknown", 1)
    world.feedback(world.ses.event("Send", world.ses.accepted[0]))
    assert the_message(world).state is State.ACCEPTED
    assert counted(world) == told(world)


# --- every order ------------------------------------------------------------------------------------------------------

DEEDS = ("order", "send event", "delivery event", "sweep", "suppress", "later")
# Before which call of all that are made, counted from the first, something else happens.
MEANWHILE = st.lists(st.tuples(st.integers(0, 14), st.sampled_from(DEEDS)), max_size=6)
ANSWERS = st.lists(st.sampled_from(["", "timeout", "lost", "TooManyRequestsException", "MessageRejected"]), max_size=3)


class Interleaved:
    """Processes side by side: at the calls that chance names, one waits while another does something."""

    def __init__(self, world: World, key: str, meanwhile: list[tuple[int, str]]) -> None:
        self.world, self.key = world, key
        self.made = 0
        self.meanwhile = sorted(meanwhile)
        self.sent_before = len(world.ses.accepted)
        world.recorder.before = self.before

    def before(self, _: Call) -> None:
        self.made += 1
        while self.meanwhile and self.meanwhile[0][0] < self.made:
            self.do(self.meanwhile.pop(0)[1])

    def do(self, deed: str) -> None:
        """In a process of its own, which may be interrupted too."""
        world = self.world
        waiting, world._modules = world._modules, {}
        try:
            if deed == "order":
                once(world, self.key, to={"user_id": self.key}, kind="transactional")
            elif deed == "sweep":
                sweep(world)
            elif deed == "suppress":
                suppress(world, f"{self.key}@people.example")
            elif deed == "later":
                # No process lives as long as a claim: who sleeps through it is not woken.
                world.now += timedelta(minutes=1)
            else:
                self.report("Send" if deed == "send event" else "Delivery")
        finally:
            world._modules = waiting

    def report(self, kind: str) -> None:
        for mail in self.world.ses.accepted[self.sent_before :]:
            self.world.feedback(self.world.ses.event(kind, mail), pump=False)


@few(25)
@given(st.data())
def test_in_whatever_order_things_happen_a_mail_is_sent_at_most_once_and_counted_right(
    world: World, data: st.DataObject
) -> None:
    if not world.items("TABLE_TEMPLATES"):
        world.template("tips")
    key = world.fresh()
    world.recorder.before = None
    world.identify(key, email=f"{key}@people.example")
    world.ses.failing = data.draw(ANSWERS)
    sides = Interleaved(world, key, data.draw(MEANWHILE))
    for deed in ("order", *data.draw(st.lists(st.sampled_from(DEEDS), max_size=4)), "order"):
        sides.do(deed)
    world.recorder.before = None
    world.ses.failing = []
    world.now += timedelta(minutes=5)
    sweep(world)
    for kind in data.draw(st.permutations(["Send", "Delivery", "Delivery"])):
        sides.report(kind)
    message = next(one for one in messages_of(world) if one.cause == {"api": key})
    sent = world.ses.messages().count(message.id)
    assert sent <= 1
    if sent:
        assert message.state is State.DELIVERED
    else:
        assert message.state in {State.UNKNOWN, State.REFUSED, State.SKIPPED, State.RELEASED}
    assert counted(world) == told(world)
