"""react is killed at each call that it makes for a visit and what follows it, and repeated as the stream repeats it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.functional.test_chain import PAGE, api_mail, say, timeline, told
from tests.functional.test_faults import MODES, Fault, Repeating
from tests.support.world import World

__all__ = ["told"]

CALLS = [
    "dynamodb:BatchGetItem",  # the workspace, where identities lead, and the messages that were named
    "dynamodb:BatchGetItem",  # the contact
    "dynamodb:UpdateItem",  # its visit
    "dynamodb:UpdateItem",  # what began the visit's chain
    "dynamodb:UpdateItem",  # what followed the visit
    "dynamodb:UpdateItem",  # a token of nobody: taken away
    "dynamodb:UpdateItem",  # and that event followed the visit too
    "dynamodb:Query",  # what was received since and reacted to before, under each identity
    "dynamodb:Query",
]


def _prepared(world: World) -> tuple[str, dict[str, str]]:
    """A mail, and a visit from it with two events behind it that react has not seen; their ids."""
    message = api_mail(world)
    ids = {}
    links = {"visit": f"{PAGE}?tid={message}", "deed": PAGE, "stranger": f"{PAGE}?tid=c{'a' * 26}-{'b' * 26}"}
    for name, url in links.items():
        world.now += timedelta(seconds=1)
        ids[name] = say(world, "track", False, userId="ada", event="Viewed", context={"page": {"url": url}})
    return message, ids


def _cases() -> Iterator[Any]:
    for number, name in enumerate(CALLS):
        for mode in MODES:
            yield pytest.param(number, mode, id=f"{number}-{name.partition(':')[2]}-{mode}")


def test_every_call_for_a_visit_has_its_cases(told: World) -> None:
    _prepared(told)
    told.recorder.clear()
    told.pump()
    assert [call.name for call in told.recorder.calls] == CALLS


@pytest.mark.parametrize(("number", "mode"), list(_cases()))
def test_a_fault_at_any_of_them_loses_and_changes_nothing(told: World, number: int, mode: str) -> None:
    message, ids = _prepared(told)
    fault = Fault(told, "react", number, mode)
    told.recorder.before, told.recorder.after = fault.before, fault.after
    Repeating(told).react()
    assert fault.struck
    events = timeline(told)
    found = {name: (events[one]["cause"], events[one]["root"]) for name, one in ids.items()}
    assert found == dict.fromkeys(ids, (f"message:{message}", "call:k%2F1"))
    assert told.messages_in("aside") == []
