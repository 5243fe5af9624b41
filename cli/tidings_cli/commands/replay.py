"""`tidings replay`: give the events that were set aside to `react` again. For operators with AWS credentials."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.numbers import positive
from tidings_cli.stack import add_stack


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser(
        "replay",
        help="take in the events that were set aside (operators)",
        description="Gives each record of the set-aside queue to the react function again. What is taken in leaves "
        "the queue; what fails again stays. Exit code 1 if any failed.",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many records")
    add_stack(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Replay until the queue is empty; 1 if a record failed again. Raises CommandFailed."""
    from tidings_cli.replay import replay
    from tidings_cli.stack import open_stack

    return replay(open_stack(args), args.limit, args.json)
