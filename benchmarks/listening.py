"""`python -m benchmarks.listening`: what one event costs where thousands of automations are published.

The index is packed and cut into pieces as the store does it, and given to `Listeners` as the query would; what is
measured is our own processor time, not DynamoDB's answer.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from rich.console import Console

from tidings.accounts.model import Workspace
from tidings.activity.facts import ContactFacts
from tidings.activity.model import Event
from tidings.automations.automation_store import Automation, DynamoAutomationStore
from tidings.automations.definition.model import parse_definition
from tidings.automations.listening.index import Line, line_of, pack, path_of
from tidings.automations.listening.index_store import PIECE_BYTES, PREFIX, DynamoIndexStore, Packed
from tidings.automations.listening.listeners import Listeners
from tidings.conditions.evaluate import evaluate
from tidings.contacts.model import Contact, Identity, IdentityKind, Trait

AUTOMATIONS, LISTENING, ROUNDS = 10_000, 10, 7
WORKSPACE = "acme"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HEARD = "Order Placed"


def automation(number: int, among: random.Random, every: int) -> Automation:
    """One of many automations: each `every`th listens to the event in question, with three rules."""
    event = HEARD if number % every == 0 else f"{among.choice(('Viewed', 'Added', 'Opened'))} {among.randrange(3000)}"
    where = [
        {"property": "plan", "is": among.choice(("team", "solo"))},
        {"trait": "country", "in": ["PL", "DE", among.choice(("FR", "ES"))]},
        {"property": "amount", "greater_than": among.randrange(500)},
    ]
    definition = parse_definition(
        {
            "automation": f"automation-{number:05d}",
            "trigger": {"event": event, "where": {"all": where}},
            "reentry": {"per": "order", "at_most": 3, "interval": "7 days"},
            "exits": [
                {"name": "Closed", "event": f"Account {among.randrange(500)} Closed"},
                {"name": "Grown", "when": {"trait": "plan", "is": "enterprise"}},
            ],
            "goal": {"event": f"Goal {among.randrange(800)}", "within": "14 days"},
            "start": "pause",
            "components": {
                "pause": {"type": "wait", "for": "2 days", "next": "mail"},
                "mail": {"type": "send_email", "template": "mail"},
            },
        }
    )
    machine = f"arn:aws:states:eu-central-1:123456789012:stateMachine:tidings_{among.getrandbits(128):032x}"
    waits = frozenset({f"Answer {among.randrange(2000)}"})
    return Automation(WORKSPACE, definition, 1, machine, NOW, waits, definition.lets_out)


def cut(lines: dict[str, Line], path: str = "") -> list[Packed]:
    """The pieces that a store would have made of it."""
    packed = pack(lines)
    if len(packed) <= PIECE_BYTES:
        return [Packed(f"{PREFIX}{path}", 1, packed)]
    below = [{n: line for n, line in lines.items() if path_of(n)[len(path)] == bit} for bit in "01"]
    return [piece for bit, part in zip("01", below, strict=True) for piece in cut(part, path + bit)]


@dataclass
class Kept:
    """The index as a query answers it."""

    stored: list[Packed]

    def pieces(self, workspace: str) -> list[Packed]:
        """All pieces."""
        return self.stored


def milliseconds(do: Callable[[], Any], times: int = 1) -> float:
    """Processor time of one call."""
    before = time.process_time()
    for _ in range(times):
        do()
    return (time.process_time() - before) / times * 1000


ADA = Contact(WORKSPACE, "c", NOW, traits={"country": Trait("PL", NOW, "m"), "plan": Trait("team", NOW, "m")})
EVENT = Event(
    WORKSPACE, Identity(IdentityKind.USER, "ada"), "m", "track", HEARD, NOW, NOW,
    properties={"plan": "team", "amount": 900, "order": 7},
)  # fmt: skip


def hear(listeners: Listeners, listening: int) -> int:
    """Ask all that listens about Ada's event; how many it concerns."""
    facts = ContactFacts(contact=ADA, now=NOW, properties=EVENT.properties)
    heard = [(one, one.trigger.where) for one in listeners.to(EVENT)]
    entering = [one for one, where in heard if where is None or evaluate(where, facts)]
    concerned = listeners.awaits(WORKSPACE, HEARD), listeners.letting_out(WORKSPACE, HEARD)
    assert len(heard) == listening
    return len(entering) + len(concerned)


def measure(automations: int = AUTOMATIONS, listening: int = LISTENING) -> dict[str, float]:
    """All figures, in milliseconds of processor time, bytes, and numbers."""
    among = random.Random(6)  # noqa: S311 - the same automations at every run
    live = [automation(number, among, automations // listening) for number in range(automations)]
    lines = {one.name: line_of(one, None) for one in live}
    kept = Kept(cut(lines))
    workspace = Workspace(WORKSPACE, "Acme", NOW, generation=1)
    first, loaded, later, again = [], [], [], []
    for _ in range(ROUNDS):
        listeners = Listeners(cast(DynamoAutomationStore, None), cast(DynamoIndexStore, kept))
        loaded.append(milliseconds(lambda one=listeners: one.refresh(workspace)))
        first.append(milliseconds(lambda one=listeners: hear(one, listening)))
        later.append(milliseconds(lambda one=listeners: hear(one, listening), 200))
        kept.stored = [replace(kept.stored[0], number=kept.stored[0].number + 1), *kept.stored[1:]]
        grown = replace(workspace, generation=2)
        again.append(milliseconds(lambda one=listeners, told=grown: one.refresh(told)))
    return {
        "automations": automations,
        "listening": listening,
        "pieces": len(kept.stored),
        "packed_bytes": sum(len(one.packed) for one in kept.stored),
        "event_milliseconds": min(later),
        "first_event_milliseconds": min(first),
        "load_milliseconds": min(loaded),
        "reload_milliseconds": min(again),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listening", description="What one event costs.")
    parser.add_argument("--automations", type=int, default=AUTOMATIONS)
    parser.add_argument("--listening", type=int, default=LISTENING, help="how many of them listen to the event")
    chosen = parser.parse_args(arguments)
    found = measure(chosen.automations, chosen.listening)
    Console().print_json(json.dumps({name: round(value, 3) for name, value in found.items()}))


if __name__ == "__main__":
    main()
