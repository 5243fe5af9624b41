"""What `tidings automation` does: with files alone, and through the API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidings_cli import lifecycle, statistics, words
from tidings_cli.client import ApiError, Client
from tidings_cli.files import read_document, read_text, template_channels
from tidings_cli.printing import FAILED, OK, WARNING, escape, print_fields, print_json, print_table, say, when

Problems = list[dict[str, str]]


def lint(files: Sequence[Path], templates: Path | None, as_json: bool) -> int:
    """Print every problem of every file; 1 if there is an error among them."""
    from tidings.automations.definition.elsewhere import Elsewhere, NamedTemplate
    from tidings.automations.definition.rules import check

    channels = template_channels(templates) if templates else {}
    named = {name: NamedTemplate(channel) for name, channel in channels.items()}
    there = Elsewhere(named if templates else None)
    found = {path: [one.as_dict() for one in check(read_text(path), lambda _: there)[1]] for path in files}
    if as_json:
        print_json([{"file": str(path), "problems": problems} for path, problems in found.items()])
    else:
        for path, problems in found.items():
            _print_problems(str(path), problems)
    return int(any(_errors(problems) for problems in found.values()))


def compile_file(path: Path, version: int, arn: str) -> int:
    """Print the machine that a file becomes; 1 and its problems if it has errors. `arn` takes a function's name."""
    from tidings.automations.definition.rules import check
    from tidings.automations.machines.compile import StepFunctions
    from tidings.automations.machines.compile import compile as compile_machine

    definition, problems = check(read_text(path))
    if definition is None or _errors([problem.as_dict() for problem in problems]):
        _print_problems(str(path), [problem.as_dict() for problem in problems])
        return 1
    functions = StepFunctions(
        send_email=arn.format("SendEmail"),
        branch=arn.format("Branch"),
        check_suppression=arn.format("CheckSuppression"),
        wait_for=arn.format("WaitFor"),
        send_sms=arn.format("SendSms"),
        call_webhook=arn.format("CallWebhook"),
        act=arn.format("Act"),
    )
    print_json(compile_machine(definition, version, functions))
    return 0


def apply(client: Client, files: Sequence[Path], and_publish: bool, as_json: bool) -> int:
    """Apply files, and publish them if asked to; 1 if one was refused. Files that can be read are all tried."""
    documents = [(path, read_document(path, "automation")) for path in files]
    answers: list[dict[str, Any]] = []
    refused = False
    for path, document in documents:
        name = document["automation"]
        try:
            problems = client.put("automations", name, body=document)["problems"]
        except ApiError as error:
            if not error.problems:
                raise
            refused = True
            answers.append({"file": str(path), "automation": name, "applied": False, "problems": error.problems})
            continue
        answers.append({"file": str(path), "automation": name, "applied": True, "problems": problems})
        if and_publish:
            answers[-1]["published"] = client.post("automations", name, "publish")
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            _print_applied(answer, and_publish)
    return int(refused)


def list_all(client: Client, as_json: bool) -> int:
    """List the automations of the workspace."""
    found = list(statistics.pages(client, ("automations",), "automations", {"limit": "200"}))
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            one["automation"],
            str(one["live_version"] or "not published"),
            "" if one.get("state") in (None, "live") else str(one["state"]).replace("_", " "),
            when(one["published_at"]),
            "yes" if one["unpublished_changes"] else "",
            one["description"],
        )
        for one in found
    ]
    columns = ("automation", "live version", "state", "published", "unpublished changes", "description")
    print_table(columns, rows, "There is no automation yet. Make one with: tidings automation apply FILE --publish")
    return 0


def show(client: Client, name: str, at: str, as_json: bool) -> int:
    """Show an automation, its draft as YAML; as it stood at an instant, the version that was live."""
    import yaml

    found = client.get("automations", name, at=at)
    if as_json:
        print_json(found)
        return 0
    fields = [
        ("automation", found["automation"]),
        ("live version", str(found["live_version"] or "none, so nobody enters it")),
        ("published", when(found["published_at"])),
        ("state", lifecycle.STATES[found.get("state")]),
    ]
    if at:
        print_fields(fields)
    else:
        print_fields([*fields, ("unpublished changes", "yes" if found["unpublished_changes"] else "none")])
        lifecycle.print_standing(found)
    definition = found["definition"] if at else found["draft"]
    if definition is not None:
        say("")
        print(yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=110), end="")
    return 0


def history(client: Client, name: str, as_json: bool) -> int:
    """Show the published versions, latest first, with what each changed."""
    versions = list(statistics.pages(client, ("automations", name, "versions"), "versions", {"limit": "200"}))
    earlier = [*versions[1:], None]
    told = [
        {**version, "changes": words.changes(before and before["definition"], version["definition"])}
        for version, before in zip(versions, earlier, strict=True)
    ]
    if as_json:
        print_json(told)
        return 0
    rows = [(str(one["version"]), when(one["created_at"]), "\n".join(one["changes"])) for one in told]
    print_table(("version", "published", "what changed"), rows, f"{escape(name)} was never published.")
    return 0


def enrolments(client: Client, name: str, at: str, as_json: bool) -> int:
    """Show who entered an automation, and where they are, or were at an instant."""
    asked = {"limit": "200", **({"at": at} if at else {})}
    found = list(statistics.pages(client, ("automations", name, "enrolments"), "enrolments", asked))
    if as_json:
        print_json(found)
        return 0
    rows = [
        (one["contact"], str(one["version"]), when(one["started_at"]), words.standing(one), str(one["steps"]))
        for one in found
    ]
    columns = ("contact", "version", "entered", "state", "steps taken")
    print_table(columns, rows, f"Nobody has entered {escape(name)}.")
    return 0


def _errors(problems: Problems) -> int:
    return sum(problem["level"] == "error" for problem in problems)


def _print_problems(title: str, problems: Problems) -> None:
    errors = _errors(problems)
    mark = FAILED if errors else WARNING if problems else OK
    say(f"{mark} {escape(title)}: {_counted(errors, len(problems) - errors)}")
    for problem in problems:
        colour = "red" if problem["level"] == "error" else "yellow"
        where = f"{problem['component']}: " if problem["component"] else ""
        text = problem["message"].removeprefix(f"{problem['place']}: ")
        place = f" [dim]at {escape(problem['place'])}[/]" if problem["place"] else ""
        say(f"  [{colour}]{problem['level']}[/] [bold]{problem['code']}[/] {escape(where + text)}{place}")


def _counted(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "no problems"
    told = [(errors, "error"), (warnings, "warning")]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in told if count)


def _print_applied(answer: dict[str, Any], and_publish: bool) -> None:
    name = escape(answer["automation"])
    if not answer["applied"]:
        _print_problems(f"{answer['file']} was not applied", answer["problems"])
        return
    if answer["problems"]:
        _print_problems(answer["file"], answer["problems"])
    if and_publish:
        say(f"{OK} {lifecycle.published(answer['published'])}")
    else:
        say(f"{OK} {name} is kept as a draft. Publish it with: tidings automation publish {name}")
