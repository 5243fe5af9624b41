"""What `tidings automation` does to where automations stand: publish, pause, resume, archive, end, and who is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import OK, compact, escape, print_fields, print_json, print_table, say, when

# What a state means to somebody who asks.
STATES = {
    None: "not published, so nobody enters it",
    "live": "live",
    "entries_paused": "entries are paused: nobody enters, those inside go on",
    "paused": "paused: nothing happens at all",
    "archived": "archived: nobody enters any more",
}
_LOST = {
    "gone": "has no execution",
    "failed": "failed",
    "stopped": "was stopped",
    "finished": "has finished",
    "parked": "is parked",
}


def publish(client: Client, name: str, dry_run: bool, end_inside: bool, as_json: bool) -> int:
    """Publish a draft, or tell what that would do."""
    order = {"dry_run": dry_run, "inside": "end" if end_inside else "finish"}
    answer = client.post("automations", name, "publish", body=order)
    if as_json:
        print_json(answer)
    elif dry_run:
        _print_preview(answer)
    else:
        say(f"{OK} {published(answer)}")
    return 0


def published(answer: dict[str, Any]) -> str:
    """What a publication did."""
    name, version = escape(answer["automation"]), answer["version"]
    inside = "are ended" if answer.get("job") else "finish on it"
    earlier = f"; those inside an earlier version {inside}" if version > 1 else ""
    if answer["changed"]:
        return f"{name} version {version} is live{earlier}"
    ended = earlier if answer.get("job") else ""
    return f"{name} has not changed; version {version} stays live{ended}"


def change(client: Client, name: str, action: str, order: dict[str, Any], as_json: bool) -> int:
    """Change where an automation stands, or end those inside."""
    answer = client.post("automations", name, action, body=order)
    if as_json:
        print_json(answer)
        return 0
    say(f"{OK} {escape(name)} is {STATES[answer['state']]}{'' if answer['changed'] else ', as it was'}")
    _print_job(name, answer)
    return 0


def resume(client: Client, name: str, lost_only: bool, contact: str, entry: str, as_json: bool) -> int:
    """Lift a pause, or resume enrolments whose execution was lost, page by page."""
    order: dict[str, Any] = {"lost": lost_only}
    if contact or entry:
        order |= {"contact": contact, "entry": entry}
    answers = [client.post("automations", name, "resume", body=order)]
    while answers[-1].get("cursor"):
        answers.append(client.post("automations", name, "resume", body={"lost": True, "cursor": answers[-1]["cursor"]}))
    count = sum(answer["resumed"] for answer in answers)
    first = answers[0]
    if as_json:
        print_json({**first, "resumed": count, "cursor": ""})
    elif first.get("changed"):
        say(f"{OK} {escape(name)} is {STATES[first['state']]}")
        _print_job(name, first)
    else:
        say(f"{OK} {count} {'enrolment goes' if count == 1 else 'enrolments go'} on where the execution was lost.")
    return 0


def lost(client: Client, name: str, as_json: bool) -> int:
    """List those inside who have no execution."""
    found = list(_lost(client, name))
    if as_json:
        print_json(found)
        return 0
    rows = [(one["contact"], one["entry"], str(one["version"]), one["component"], _LOST[one["lost"]]) for one in found]
    columns = ("contact", "entry", "version", "component", "execution")
    print_table(columns, rows, f"Nobody in {escape(name)} is lost.")
    if rows:
        say(f"Let them go on with: tidings automation resume {escape(name)} --lost")
    return 0


def print_standing(found: dict[str, Any]) -> None:
    """Print the latest jobs and changes of an automation."""
    jobs = [f"{one['kind']}: {one['done']} of {one['found']}, {one['state']}" for one in found.get("jobs", ())]
    log = [
        f"{when(one['at'])} {one['what']} by {one['who']} {compact(one['details']) if one['details'] else ''}"
        for one in found.get("log", ())
    ]
    print_fields([("jobs", "\n".join(jobs) or "none"), ("changes", "\n".join(line.rstrip() for line in log) or "none")])


def _lost(client: Client, name: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = client.get("automations", name, "lost", limit="200", **({"cursor": cursor} if cursor else {}))
        yield from page["enrolments"]
        cursor = page["cursor"]
        if not cursor:
            return


def _print_job(name: str, answer: dict[str, Any]) -> None:
    if answer.get("job"):
        say(f"  A job goes over everybody inside. See how far it is: tidings automation show {escape(name)}")


def _print_preview(answer: dict[str, Any]) -> None:
    name, changes = escape(answer["automation"]), answer["changes"]
    if not answer["changed"]:
        say(f"{OK} {name} has not changed; version {answer['version']} stays live")
    else:
        told = [
            f"{what}: {', '.join(changes[what])}" for what in ("keys", "added", "removed", "changed") if changes[what]
        ]
        say(f"{OK} {name} would become version {answer['version']}", *(f"  {escape(line)}" for line in told))
    rows = [(str(one["version"]), str(one["live"]), str(one["parked"]), str(one["failed"])) for one in answer["inside"]]
    print_table(("version", "live", "parked", "failed"), rows, "Nobody is inside.")
