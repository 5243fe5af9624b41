"""What `react` does about an event that no automation listens to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.preparing import automated, known, must, sent, tell, told
from benchmarks.samples import TRAITS, from_browser, from_python


def events_of(*users: str, each: int = 1, kind: Callable[..., dict[str, Any]] = from_python) -> Preparation:
    """Events that nobody listens to, of people who are known, in one batch of the stream."""

    def prepare(world: World) -> Step:
        automated(world)
        for user in users:
            must(world.ingest("identify", from_python("identify", user, traits=TRAITS)))
            must(world.ingest("track", kind("track", user, event="Viewed")))
        world.pump()
        world.now += timedelta(seconds=1)
        return told(world, *(kind("track", user, n, event="Viewed") for user in users for n in range(1, each + 1)))

    return prepare


CROWD = tuple(f"person-{number}" for number in range(25))

operation("react", "event nobody listens to")(events_of("ada"))
operation("react", "the same from a browser, with both ids")(events_of("ada", kind=from_browser))
operation("react", "25 events of one contact nobody listens to")(events_of("ada", each=25))
operation("react", "25 events of 25 contacts nobody listens to")(events_of(*CROWD))


@operation("react", "identify of a known contact")
def identify_known(world: World) -> Step:
    """A trait changes."""
    automated(world)
    known(world, "ada")
    world.now += timedelta(seconds=1)
    later = "2026-11-21T09:00:00.520417+00:00"
    return told(world, from_python("identify", "ada", 1, traits={**TRAITS, "plan": "business"}, timestamp=later))


@operation("react", "identify of a new contact")
def identify_new(world: World) -> Step:
    """Somebody nobody knew, with an e-mail address."""
    automated(world)
    return told(world, from_python("identify", "ada", traits=TRAITS))


@operation("react", "identify of a new contact, with both ids")
def identify_new_from_browser(world: World) -> Step:
    """The same from a browser."""
    automated(world)
    return told(world, from_browser("identify", "ada", traits=TRAITS))


@operation("react", "event of a new anonymous visitor")
def visitor(world: World) -> Step:
    """A device nobody knew."""
    automated(world)
    return told(world, from_browser("track", "", event="Viewed"))


def _visiting(world: World, number: int) -> dict[str, Any]:
    """A page that a link of Ada's last mail opened, as her server tells it."""
    page = {"url": f"https://acme.example/tips?tid={world.ses.messages()[-1]}"}
    at = world.now.isoformat()
    return from_python("track", "ada", number, event="Viewed", context={"page": page}, timestamp=at)


@operation("react", "visit from a link in a mail")
def visit(world: World) -> Step:
    """Somebody follows a link."""
    sent(world)
    world.now += timedelta(minutes=1)
    return told(world, _visiting(world, 1))


@operation("react", "event that follows a visit")
def follower(world: World) -> Step:
    """Nobody listens to it, but a mail led to it."""
    sent(world)
    world.now += timedelta(minutes=1)
    tell(world, _visiting(world, 1))
    world.now += timedelta(minutes=1)
    return told(world, from_python("track", "ada", 2, event="Viewed", timestamp=world.now.isoformat()))
