"""Calls that report something, and what the browser SDK asks before it reports."""

from __future__ import annotations

from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.preparing import must
from benchmarks.samples import COMPANY, PROPERTIES, TRAITS, from_browser, from_python, of_page


def _ingest(world: World, message: dict[str, Any]) -> Step:
    kind, key = message["type"], "publishable" if "userAgent" in message["context"] else "write"
    must(world.ingest(kind, {**message, "messageId": "warm"}, key))
    return lambda: must(world.ingest(kind, message, key))


@operation("ingest", "track from a server")
def track(world: World) -> Step:
    """A small event."""
    return _ingest(world, from_python("track", "u-7", event="Project Created", properties=PROPERTIES))


@operation("ingest", "track from a browser")
def track_from_browser(world: World) -> Step:
    """An event with all that a browser tells."""
    return _ingest(world, from_browser("track", "u-7", event="Project Created", properties=PROPERTIES))


@operation("ingest", "track, repeated")
def track_repeated(world: World) -> Step:
    """The same message id again."""
    step = track(world)
    step()
    return step


@operation("ingest", "identify from a server")
def identify(world: World) -> Step:
    """A few traits."""
    return _ingest(world, from_python("identify", "u-7", traits=TRAITS))


@operation("ingest", "identify from a browser")
def identify_from_browser(world: World) -> Step:
    """A few traits with all that a browser tells."""
    return _ingest(world, from_browser("identify", "u-7", traits=TRAITS))


def _calls(origin: str) -> dict[str, dict[str, Any]]:
    """What else there is to report, from a server or a browser."""
    make = {"server": from_python, "browser": from_browser}[origin]
    return {
        "page": of_page(make("page", "u-7", name="Pricing", properties={"name": "Pricing"})),
        "screen": make("screen", "u-7", name="Home", properties=PROPERTIES),
        "group": make("group", "u-7", groupId="g-1", traits=COMPANY),
        "ungroup": make("ungroup", "u-7", groupId="g-1"),
        "alias": make("alias", "u-7", previousId="6f1f9b1c-8d0e-4a52-9d3b-0c5a3e1d7f20"),
    }


def other_call(kind: str, origin: str) -> Preparation:
    """A page, screen, group, ungroup or alias call."""
    return lambda world: _ingest(world, _calls(origin)[kind])


for _kind in _calls("server"):
    for _origin in ("server", "browser"):
        operation("ingest", f"{_kind} from a {_origin}")(other_call(_kind, _origin))


@operation("ingest", "settings for the browser SDK")
def settings(world: World) -> Step:
    """What a page asks before it reports."""
    path = {"writeKey": world.keys["publishable"]}

    def step() -> None:
        must(world.call("settings", "GET /v1/projects/{writeKey}/settings", key=None, path=path))

    step()
    return step


def batch(size: int) -> Preparation:
    """A batch of events of one person."""

    def prepare(world: World) -> Step:
        must(world.ingest("batch", {"batch": []}))
        # As small as 2,500 must be to stay below the 500 KB of a batch.
        events = [{"type": "track", "userId": "u-7", "event": "Viewed", "messageId": f"m-{n}"} for n in range(size)]
        body = {"batch": events, "sentAt": "2026-11-21T08:59:59.102311+00:00"}
        return lambda: must(world.ingest("batch", body))

    return prepare


for _size in (25, 250, 2500):
    operation("ingest", f"batch of {_size:,}")(batch(_size))
