"""`tidings template`: check, apply, try and look at the templates of mails."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidings_cli.connection import add_connection


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("template", help="check, apply, try and look at the templates of mails")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    lint = actions.add_parser("lint", help="list what is wrong with files; needs no system")
    lint.add_argument("files", nargs="+", type=Path, metavar="FILE")
    lint.add_argument(
        "--data", type=Path, metavar="FILE", help="JSON with contact, event and variables of somebody to try it with"
    )
    lint.add_argument("--strict", action="store_true", help="fail on warnings too")
    apply = actions.add_parser("apply", help="make files the live versions of their templates")
    apply.add_argument("files", nargs="+", type=Path, metavar="FILE")
    preview = _preview(actions)
    listed = actions.add_parser("list", help="list the templates")
    show = actions.add_parser("show", help="show a template's live version, or another")
    show.add_argument("name", metavar="NAME")
    show.add_argument("--version", type=int, metavar="N", help="the version to show, instead of the live one")
    versions = actions.add_parser("versions", help="list a template's versions")
    versions.add_argument("name", metavar="NAME")
    for action in (apply, preview, listed, show, versions):
        add_connection(action)
    ready = actions.add_parser("ready", help="list templates to start from")
    new = actions.add_parser("new", help="write a file to start from")
    new.add_argument("name", metavar="NAME", help="of the new template")
    new.add_argument("--from", dest="source", required=True, metavar="READY", help="one of: tidings template ready")
    new.add_argument("--out", type=Path, metavar="FILE", help="where to write it (NAME.yaml)")
    for action in (lint, apply, preview, listed, show, versions, ready, new):
        action.add_argument("--json", action="store_true", help="print JSON")


def _preview(actions: Any) -> Any:
    preview = actions.add_parser("preview", help="show a mail as somebody would get it; sends nothing")
    preview.add_argument("name", metavar="NAME")
    whom = preview.add_mutually_exclusive_group()
    whom.add_argument("--contact", metavar="ID", help="the contact's id")
    whom.add_argument("--user-id", metavar="ID", help="the user id that your app gave the contact")
    whom.add_argument("--email", metavar="ADDRESS", help="the contact's e-mail address")
    preview.add_argument("--version", type=int, metavar="N", help="the version to show, instead of the live one")
    preview.add_argument("--data", type=Path, metavar="FILE", help="JSON with event and variables")
    preview.add_argument("--out", type=Path, metavar="FILE", help="write the HTML to a file, to open in a browser")
    return preview


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import ready, templates
    from tidings_cli.connection import connect

    if args.action == "lint":
        return templates.lint(args.files, args.data, args.strict, args.json)
    if args.action == "ready":
        return ready.list_all(args.json)
    if args.action == "new":
        return ready.copy(args.name, args.source, args.out, args.json)
    client = connect(args)
    if args.action == "apply":
        return templates.apply(client, args.files, args.json)
    if args.action == "preview":
        order = {name: getattr(args, name) for name in ("contact", "user_id", "email", "version")}
        return templates.preview(client, args.name, order, args.data, args.out, args.json)
    if args.action == "list":
        return templates.list_all(client, args.json)
    if args.action == "versions":
        return templates.versions(client, args.name, args.json)
    return templates.show(client, args.name, args.json, args.version)
