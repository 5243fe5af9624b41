"""What the API answers, in plain words: decisions about messages, steps of enrolments, changes between versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidings_cli.printing import compact, when

Json = Mapping[str, Any]

# What a message's state means to somebody who asks what became of it.
STATES = {
    "claimed": "being sent: nobody knows yet whether the provider has it",
    "released": "the provider asked to try later",
    "unknown": "unknown: neither an answer nor an event of the provider ever came",
    "accepted": "accepted by the provider",
    "delayed": "delayed; the provider goes on trying",
    "delivered": "delivered",
    "bounced": "bounced",
    "undelivered": "not delivered; the carrier gave up",
    "rejected": "rejected by the provider after accepting it",
    "complained": "marked as spam by the recipient",
    "refused": "refused by the provider for good",
    "skipped": "not sent",
}


def rating(told: Json) -> str:
    """A rating: its stars, why so many, and what the next one wants."""
    stars = f"{'★' * int(told['stars'])}{'☆' * (5 - int(told['stars']))}"
    wanted = f"; for the next star: {told['next']}" if told["next"] else ""
    return f"{stars} {told['why']}{wanted}"


def decision(message: Json) -> list[str]:
    """Why a message was sent or not: one line for the outcome, one for each check in its order."""
    decided = message.get("decision") or {}
    state, error = str(message["state"]), message.get("error")
    head = STATES.get(state, state) + (f" ({error})" if error else "")
    by = decided.get("decided_by")
    return [f"{head}, because of the {by} check" if by else head, *(f"  {line}" for line in checks(decided))]


def checks(decided: Json) -> list[str]:
    """Each check in its order and what it found, and the versions that it was decided by."""
    asked = {True: "yes", False: "no ", None: " - "}
    lines = [f"{asked[check['passed']]}  {check['check']}: {check['found']}" for check in decided.get("checks", ())]
    versions = ", ".join(f"{name} version {number}" for name, number in (decided.get("versions") or {}).items())
    return [*lines, *([f"by {versions}"] if versions else [])]


def cause(message: Json) -> str:
    """What led to a message."""
    why = message.get("cause") or {}
    if "automation" in why:
        return f"automation {why['automation']} version {why.get('version')}, component {why.get('component')}"
    return f"API call {why['api']}" if "api" in why else compact(why)


def step(taken: Json) -> list[str]:
    """A step of an enrolment and why: for a branch, and for what ended a wait, what each arm asked and found."""
    onward = f" → {taken['next']}" if taken.get("next") else " → the end"
    lines = [f"{taken['n']}. {taken['component']}: {taken['outcome']}{onward}"]
    why = taken.get("why") or {}
    if "found" in why and "check" in why:
        lines.append(f"     {why['found']}")
        why = why.get("arms") or {}
    for arm, explanation in why.items():
        lines.append(f"     {arm}:")
        lines += _explained(explanation, "       ")
    return lines


def standing(enrolment: Json) -> str:
    """Where an enrolment is: its state, and for a live one the component it comes to next and until when it waits."""
    state = str(enrolment["state"])
    if state == "live" and enrolment.get("component"):
        until = (enrolment.get("until") or {}).get(enrolment["component"])
        return f"live, at {enrolment['component']}" + (f" until {when(until)}" if until else "")
    return state + (f" ({enrolment['error']})" if enrolment.get("error") else "")


def changes(before: Json | None, after: Json) -> list[str]:
    """What a version of an automation changed against the one before it."""
    if before is None:
        return ["first version"]
    found = [
        f"{name}: {compact(before.get(name)) or 'nothing'} → {compact(after.get(name)) or 'nothing'}"
        for name in ("description", "trigger", "reentry", "start")
        if before.get(name) != after.get(name)
    ]
    old, new = before["components"], after["components"]
    found += [f"added {name} ({new[name]['type']})" for name in new if name not in old]
    found += [f"removed {name} ({old[name]['type']})" for name in old if name not in new]
    for name in new:
        if name in old and old[name] != new[name]:
            found += _component_changes(name, old[name], new[name])
    return found or ["nothing"]


def _component_changes(name: str, old: Json, new: Json) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        if old.get(key) != new.get(key):
            yield f"{name}.{key}: {compact(old.get(key)) or 'nothing'} → {compact(new.get(key)) or 'nothing'}"


def _explained(explanation: Json, indent: str) -> list[str]:
    lines = [f"{indent}{'yes' if explanation['result'] else 'no '}  {explanation['sentence']}"]
    for part in explanation.get("parts", ()):
        lines += _explained(part, indent + "  ")
    return lines
