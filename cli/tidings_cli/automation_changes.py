"""The part of `tidings automation` that changes where automations stand, and finds who is lost."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tidings_cli.connection import add_connection
from tidings_cli.numbers import positive

if TYPE_CHECKING:
    from tidings_cli.client import Client


def register(actions: Any) -> None:
    """Describe the actions and their options."""
    publish = actions.add_parser("publish", help="make the draft the version that people enter")
    publish.add_argument("--dry-run", action="store_true", help="only tell what would change, and who is inside")
    publish.add_argument("--end-inside", action="store_true", help="end those inside earlier versions")

    pause = actions.add_parser("pause", help="let nobody enter; those inside go on")
    pause.add_argument("--all", action="store_true", help="let nothing happen at all: who comes to act waits")

    resume = actions.add_parser("resume", help="lift a pause, or go on with enrolments whose execution was lost")
    resume.add_argument("--lost", action="store_true", help="leave a pause as it is")
    resume.add_argument("--contact", default="", metavar="ID", help="only one enrolment, of this contact")
    resume.add_argument("--entry", default="", metavar="ENTRY", help="which one, as `lost` shows it")

    archive = actions.add_parser("archive", help="let nobody enter any more; those inside finish")
    archive.add_argument("--end", action="store_true", help="end those inside")

    unarchive = actions.add_parser("unarchive", help="let people enter again")

    end = actions.add_parser("end", help="end everybody who is inside")
    end.add_argument("--version", type=positive, metavar="N", help="only those in this version")

    lost = actions.add_parser("lost", help="list those inside who have no execution")
    for action in (publish, pause, resume, archive, unarchive, end, lost):
        action.add_argument("name", metavar="NAME")
        add_connection(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def of(args: argparse.Namespace) -> Callable[[Client], int] | None:
    """What an action does; None for one that is none of these."""
    from tidings_cli import lifecycle

    name, as_json = getattr(args, "name", ""), args.json if "json" in args else False
    doing: dict[str, Callable[[Client], int]] = {
        "publish": lambda client: lifecycle.publish(client, name, args.dry_run, args.end_inside, as_json),
        "pause": lambda client: lifecycle.change(
            client, name, "pause", {"what": "all" if args.all else "entries"}, as_json
        ),
        "resume": lambda client: lifecycle.resume(client, name, args.lost, args.contact, args.entry, as_json),
        "archive": lambda client: lifecycle.change(client, name, "archive", {"end": args.end}, as_json),
        "unarchive": lambda client: lifecycle.change(client, name, "unarchive", {}, as_json),
        "end": lambda client: lifecycle.change(
            client, name, "end", {"version": args.version} if args.version else {}, as_json
        ),
        "lost": lambda client: lifecycle.lost(client, name, as_json),
    }
    return doing.get(args.action)
