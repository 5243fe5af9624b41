"""`tidings automation`: check, compile, apply, publish and look at automations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive

# Where no stack is known: names in place of the region and the account.
_ARN = "arn:aws:lambda:REGION:ACCOUNT:function:tidings-{}"


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("automation", help="check, apply, publish and look at automations")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    lint = actions.add_parser("lint", help="list everything that is wrong with files, without any system")
    lint.add_argument("files", nargs="+", type=Path, metavar="FILE")
    lint.add_argument("--templates", type=Path, metavar="DIR", help="also check that templates exist in this folder")
    lint.add_argument("--json", action="store_true", help="print JSON")

    compiled = actions.add_parser("compile", help="print the Step Functions machine that a file becomes")
    compiled.add_argument("file", type=Path, metavar="FILE")
    compiled.add_argument("--version", type=positive, default=1, metavar="N", help="as this version (%(default)s)")

    apply = actions.add_parser("apply", help="check files in the system and keep them as drafts")
    apply.add_argument("files", nargs="+", type=Path, metavar="FILE")
    apply.add_argument("--publish", action="store_true", help="publish them too")

    listed = actions.add_parser("list", help="list the automations")
    publish = actions.add_parser("publish", help="make the draft the version that people enter")
    show = actions.add_parser("show", help="show an automation and its draft")
    history = actions.add_parser("history", help="show its versions and what changed, or who is in it")
    history.add_argument("--enrolments", action="store_true", help="show who entered it, and where they are")
    resume = actions.add_parser("resume", help="go on with enrolments whose execution was lost")
    for action in (publish, show, history, resume):
        action.add_argument("name", metavar="NAME")
    for action in (apply, listed, publish, show, history, resume):
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

    client = connect(args)
    if args.action == "apply":
        return automations.apply(client, args.files, args.publish, args.json)
    if args.action == "list":
        return automations.list_all(client, args.json)
    if args.action == "history" and args.enrolments:
        return automations.enrolments(client, args.name, args.json)
    actions = {
        "publish": automations.publish,
        "show": automations.show,
        "history": automations.history,
        "resume": automations.resume,
    }
    return actions[args.action](client, args.name, args.json)
