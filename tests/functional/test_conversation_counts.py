"""The live counts say what is so, whatever was done, repeated, lost on the way, or done by two at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.inbound import counts, recounted, sms, take
from tests.support.recorder import Call, Killed
from tests.support.world import START, World

from tidings.core.errors import TidingsError

PEOPLE = ("+48600100401", "+48600100402")
AGENTS: dict[str, dict[str, Any]] = {
    "take": {},
    "transfer": {"inbox": "sales"},
    "back": {"inbox": "default"},
    "hold": {},
    "resume": {},
    "resolve": {"type": "task", "category": "general", "key_message": "Done."},
    "notes": {"text": "A note."},
}
# What happens: a message of somebody's, or what an agent does to the latest conversation of theirs.
STEP = st.tuples(
    st.sampled_from(("write", "write", *AGENTS)),
    st.sampled_from(PEOPLE),
    st.sampled_from(("", "", "before", "after", "lost")),
    st.integers(0, 3),
    st.booleans(),
)


def attempted(world: World, do: Any, mode: str, number: int) -> Any:
    """Do it with a fault at a call of that number, and again as whoever asked for it does, until it answers."""
    left = [number]

    def strike(call: Call) -> None:
        if left and left[0] == 0:
            left.clear()
            if mode == "lost":
                raise ReadTimeoutError(endpoint_url="https://dynamodb")
            raise Killed(call.name)
        if left:
            left[0] -= 1

    world.recorder.before = strike if mode == "before" else None
    world.recorder.after = strike if mode in ("after", "lost") else None
    try:
        while True:
            try:
                return do()
            except (TidingsError, Killed):
                continue
    finally:
        world.recorder.before = world.recorder.after = None


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=1, max_size=12))
def test_counts_are_what_a_recount_finds(world: World, steps: list[Any]) -> None:
    world.call("policy", "PUT /v1/inboxes/{inbox}", {}, path={"inbox": "sales"})
    latest: dict[str, str] = {}
    for what, person, mode, number, again in steps:
        world.now += timedelta(seconds=1)
        if what == "write":
            message = sms(world, f"in-{world.fresh()}", at=START, sender=person)
            taken = attempted(world, lambda one=message: take(world, one), mode, number)
            if again:
                assert take(world, message).repeated
            latest[person] = taken.conversation
        elif person in latest:
            route = "POST /v1/conversations/{conversation}/" + {"back": "transfer"}.get(what, what)
            path, body = {"conversation": latest[person]}, AGENTS[what]

            def ask(route: str = route, path: dict[str, str] = path, body: dict[str, Any] = body) -> Any:
                return world.call("conversations", route, body, path=path)

            attempted(world, ask, mode, number)
            if again:
                ask()
        assert counts(world) == recounted(world)


@pytest.mark.parametrize("place", range(2))
def test_of_two_who_change_a_conversation_at_once_both_are_done_and_counted_once(world: World, place: int) -> None:
    world.call("policy", "PUT /v1/inboxes/{inbox}", {}, path={"inbox": "sales"})
    taken = take(world, sms(world, "in-1"))
    path = {"conversation": taken.conversation}
    route = "POST /v1/conversations/{conversation}/"
    left = [place]

    def other(_: Call) -> None:
        if left and left[0] == 0:
            left.clear()
            assert world.call("conversations", f"{route}transfer", {"inbox": "sales"}, path=path)[0] == 200
            take(world, sms(world, "in-2"))
        elif left:
            left[0] -= 1

    world.call("conversations", "GET /v1/conversations/counts")  # the key is known from here on
    world.recorder.before = other
    status, answer = world.call("conversations", f"{route}hold", {}, path=path)
    world.recorder.before = None
    assert (status, answer["inbox"], answer["state"]) == (200, "sales", "on_hold")
    assert counts(world) == recounted(world) == {("sales", "on_hold"): 1}
