"""`tidings template`: apply and look at the templates of mails."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("template", help="apply and look at the templates of mails")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    apply = actions.add_parser("apply", help="make files the live versions of their templates")
    apply.add_argument("files", nargs="+", type=Path, metavar="FILE")
    listed = actions.add_parser("list", help="list the templates")
    show = actions.add_parser("show", help="show a template's live version")
    show.add_argument("name", metavar="NAME")
    for action in (apply, listed, show):
        add_connection(action)
    ready = actions.add_parser("ready", help="list templates to start from")
    new = actions.add_parser("new", help="write a file to start from")
    new.add_argument("name", metavar="NAME", help="of the new template")
    new.add_argument("--from", dest="source", required=True, metavar="READY", help="one of: tidings template ready")
    new.add_argument("--out", type=Path, metavar="FILE", help="where to write it (NAME.yaml)")
    for action in (apply, listed, show, ready, new):
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import ready, templates
    from tidings_cli.connection import connect

    if args.action == "ready":
        return ready.list_all(args.json)
    if args.action == "new":
        return ready.copy(args.name, args.source, args.out, args.json)

    client = connect(args)
    if args.action == "apply":
        return templates.apply(client, args.files, args.json)
    if args.action == "list":
        return templates.list_all(client, args.json)
    return templates.show(client, args.name, args.json)
