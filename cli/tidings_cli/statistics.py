"""What `tidings automation statistics` and `people` do through the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tidings_cli.printing import escape, print_json, print_table, say, when

if TYPE_CHECKING:
    from tidings_cli.client import Client

COLUMNS = ("component", "type", "entered", "acted", "skipped", "left", "waiting", "outcomes")


def show(client: Client, name: str, version: int | None, as_json: bool) -> int:
    """Show how many began, and what became of them at each component."""
    asked = {"version": str(version)} if version else {}
    found = client.get("automations", name, "statistics", **asked)
    if as_json:
        print_json(found)
        return 0
    say(
        f"[bold]{escape(name)}[/]" + (f", version {version}" if version else ""),
        f"{found['started']} started, {found['inside']} inside, {found['finished']} finished, "
        f"{found['exited']} left{_named(found['exits'])}, {found['failed']} failed, {found['stopped']} stopped",
        f"{found['converted']} reached the goal{_rate(found['conversion_rate'])}",
        "",
    )
    print_table(COLUMNS, map(_row, found["components"]), f"Nothing of {escape(name)} was published.")
    arms = [one for one in found["arms"] if found["converted"]]
    if arms:
        rows = [(one["component"], one["arm"], one["took"], one["converted"], _percent(one)) for one in arms]
        say("")
        print_table(
            ("component", "arm", "took it", "converted", "rate"), [[str(cell) for cell in row] for row in rows], ""
        )
    return 0


def people(client: Client, name: str, component: str, asked: Mapping[str, str], limit: int, as_json: bool) -> int:
    """Show who acted at a component, or waits there."""
    found: list[dict[str, Any]] = []
    for one in pages(client, ("automations", name, "components", component, "people"), "people", asked):
        found.append(one)
        if len(found) == limit:
            break
    if as_json:
        print_json(found)
        return 0
    if asked.get("who") == "waiting":
        rows = [(one["contact"], one["entry"], when(one["started_at"]), when(one["until"])) for one in found]
        print_table(("contact", "entry", "entered", "until"), rows, f"Nobody waits at {escape(component)}.")
        return 0
    told = [(one["contact"], one["entry"], when(one["at"]), one["outcome"], _why(one["why"])) for one in found]
    print_table(("contact", "entry", "when", "outcome", "why"), told, f"Nobody acted at {escape(component)}.")
    return 0


def pages(client: Client, path: tuple[str, ...], what: str, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Everything that a listing tells, page by page."""
    cursor = ""
    while True:
        answer = client.get(*path, **asked, **({"cursor": cursor} if cursor else {}))
        yield from answer[what]
        cursor = answer.get("cursor", "")
        if not cursor:
            return


def _row(one: Mapping[str, Any]) -> list[str]:
    outcomes = [
        f"{outcome} {number}{_named(one['reasons'].get(outcome, {}))}" for outcome, number in one["outcomes"].items()
    ]
    waiting = str(one["waiting"]) if one["waiting_is_exact"] else f"about {one['waiting']}"
    numbers = [str(one[name]) for name in ("entered", "acted", "skipped", "left")]
    return [one["component"], one["type"], *numbers, waiting, ", ".join(outcomes)]


def _named(numbers: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{name} {number}' for name, number in numbers.items())})" if numbers else ""


def _rate(rate: float | None) -> str:
    return "" if rate is None else f", {rate:.1%} of those who started"


def _percent(one: Mapping[str, Any]) -> str:
    return "" if one["conversion_rate"] is None else f"{one['conversion_rate']:.1%}"


def _why(why: Mapping[str, Any]) -> str:
    return ": ".join(str(why[name]) for name in ("check", "found") if name in why)
