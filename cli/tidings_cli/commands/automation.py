"""`tidings automation`: check, compile, apply, publish and look at automations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidings_cli import automation_changes
from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive

if TYPE_CHECKING:
    from tidings_cli.client import Client

# Where no stack is known: names in place of the region and the account.
_ARN = "arn:aws:lambda:REGION:ACCOUNT:function:tidings-{}"


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("automation", help="check, apply, publish and look at automations")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    _about_files(actions)
    _about_the_system(actions)


def _about_files(actions: Any) -> None:
    lint = actions.add_parser("lint", help="list everything that is wrong with files, without any system")
    lint.add_argument("files", nargs="+", type=Path, metavar="FILE")
    lint.add_argument("--templates", type=Path, metavar="DIR", help="also check that templates exist in this folder")
    lint.add_argument("--json", action="store_true", help="print JSON")

    compiled = actions.add_parser("compile", help="print the Step Functions machine that a file becomes")
    compiled.add_argument("file", type=Path, metavar="FILE")
    compiled.add_argument("--version", type=positive, default=1, metavar="N", help="as this version (%(default)s)")

    draw = actions.add_parser("draw", help="draw a file, or an automation of the system, as Mermaid or SVG")
    draw.add_argument("what", metavar="FILE|NAME")
    draw.add_argument("--svg", action="store_true", help="as SVG, not as Mermaid text")
    draw.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file, not to standard output")
    draw.add_argument("--at", default="", metavar="TIME", help="of the system: the version that was live (ISO 8601)")
    add_connection(draw)


def _about_the_system(actions: Any) -> None:
    apply = actions.add_parser("apply", help="check files in the system and keep them as drafts")
    apply.add_argument("files", nargs="+", type=Path, metavar="FILE")
    apply.add_argument("--publish", action="store_true", help="publish them too")

    listed = actions.add_parser("list", help="list the automations")
    show = actions.add_parser("show", help="show an automation and its draft")
    history = actions.add_parser("history", help="show its versions and what changed, or who is in it")
    history.add_argument("--enrolments", action="store_true", help="show who entered it, and where they are")
    show.add_argument("--at", default="", metavar="TIME", help="as it stood at this time (ISO 8601)")
    history.add_argument("--at", default="", metavar="TIME", help="of --enrolments: as they stood then (ISO 8601)")
    automation_changes.register(actions)
    numbers = actions.add_parser("statistics", help="count who began, acted, was skipped, left, waits and converted")
    numbers.add_argument("--version", type=positive, metavar="N", help="only those in this version")
    people = actions.add_parser("people", help="show who acted at a component and why, or waits there")
    people.add_argument("--waiting", action="store_true", help="who is there now, and until when")
    people.add_argument("--outcome", default="", metavar="OUTCOME", help="only whom this came of, such as skipped")
    people.add_argument("--version", type=positive, metavar="N", help="only those in this version")
    people.add_argument("--limit", type=positive, default=50, metavar="N", help="how many people (%(default)s)")
    for action in (show, history, numbers, people):
        action.add_argument("name", metavar="NAME")
    people.add_argument("component", metavar="COMPONENT")
    for action in (apply, listed, show, history, numbers, people):
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action; 1 if a file has errors. Raises CommandFailed."""
    from tidings_cli import automations

    if args.action == "lint":
        return automations.lint(args.files, args.templates, args.json)
    if args.action == "compile":
        return automations.compile_file(args.file, args.version, _ARN)

    from tidings_cli.connection import connect

    if args.action == "draw":
        from tidings_cli.drawing import draw

        return draw(args.what, args.svg, args.output, args.at, lambda: connect(args))
    client = connect(args)
    changing = automation_changes.of(args)
    if changing is not None:
        return changing(client)
    if args.action == "apply":
        return automations.apply(client, args.files, args.publish, args.json)
    if args.action == "list":
        return automations.list_all(client, args.json)
    if args.action in ("statistics", "people"):
        return _numbers(client, args)
    if args.action == "history" and args.enrolments:
        return automations.enrolments(client, args.name, args.at, args.json)
    if args.action == "show":
        return automations.show(client, args.name, args.at, args.json)
    return automations.history(client, args.name, args.json)


def _numbers(client: Client, args: argparse.Namespace) -> int:
    from tidings_cli import statistics

    if args.action == "statistics":
        return statistics.show(client, args.name, args.version, args.json)
    asked = {"who": "waiting" if args.waiting else "", "outcome": args.outcome, "version": str(args.version or "")}
    given = {name: value for name, value in asked.items() if value}
    return statistics.people(client, args.name, args.component, given, args.limit, args.json)
